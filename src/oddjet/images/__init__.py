"""Jet images: how they are made, how far apart they are, what scores a jet by them."""
