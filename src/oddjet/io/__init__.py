"""Reading ROOT files and reading and writing tables."""
