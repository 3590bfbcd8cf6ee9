"""Whole events: the layout of the trigger challenge, augmentations, scores by optimal transport and their protocol."""
