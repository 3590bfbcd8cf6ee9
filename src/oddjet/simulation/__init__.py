"""Simulated collisions: Pythia 8 events, a parametric detector, CMS-style ROOT files."""
