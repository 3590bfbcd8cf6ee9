"""The autoencoder and its normalized variants: network, energy, negative samples, losses."""
