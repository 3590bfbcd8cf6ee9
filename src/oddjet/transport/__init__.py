"""Exact optimal transport between sets of points."""
