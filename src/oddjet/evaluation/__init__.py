"""Scores of every jet, AUC with its uncertainty, and the tables that sum them up."""
