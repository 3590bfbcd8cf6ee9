"""From candidates to jets and their substructure."""
