"""The variational autoencoder of jet images (arXiv:2110.06948), and the classifier of the same blocks."""
