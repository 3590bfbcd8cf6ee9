# Whole events: samples, inputs, autoencoders; `snakemake events` makes all.
