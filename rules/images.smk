# Jet images of the three samples, distances between them, references and their scores; `snakemake images` makes all.
