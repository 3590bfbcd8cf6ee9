"""Cuts and columns that a user writes: expressions over branches and features, and luminosity blocks of data."""
