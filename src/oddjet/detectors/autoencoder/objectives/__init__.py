"""One module a family of losses; the training loop finds them by the table in `models.settings`."""
