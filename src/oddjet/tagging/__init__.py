"""Use what was trained: from candidates, or a file of events, to scores."""
