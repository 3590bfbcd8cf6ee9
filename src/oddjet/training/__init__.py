"""Training of a group of seeds: settings, loop, checkpoints."""
