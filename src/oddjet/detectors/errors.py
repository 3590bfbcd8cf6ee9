"""The error of all baselines."""

from __future__ import annotations

from oddjet.errors import OddjetError


class BaselineError(OddjetError):
    """A baseline that cannot be fitted or used."""
