"""Figures, made from tables only: never from ROOT files or a model."""
