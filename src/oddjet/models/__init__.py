"""The autoencoders: networks, energies, Langevin chains, replay buffers, losses."""
