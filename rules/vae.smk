# The image VAE, the supervised ceilings and what is made of them; part of `snakemake images`.
