# Scores of whole events by optimal transport, their tables and figures; part of `snakemake events`.
