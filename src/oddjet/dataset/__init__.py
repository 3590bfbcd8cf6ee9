"""The training set: split by event, scaling fitted on background training jets, three tables."""
