"""Figures, made from tables only: never from ROOT files or a model."""

import os

# matplotlib reads it when it is imported: that of a notebook around `snakemake` is no backend here.
os.environ["MPLBACKEND"] = "agg"
