"""Networks of the image VAE."""
