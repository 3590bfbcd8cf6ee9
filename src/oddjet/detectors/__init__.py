"""Detectors: whatever is made from background alone and scores the rows of a table."""
