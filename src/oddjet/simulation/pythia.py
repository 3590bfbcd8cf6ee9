"""Pythia with the data of its own package."""

from __future__ import annotations

import os

import pythia8mc


def new_pythia() -> pythia8mc.Pythia:
    """Make a Pythia that reads the settings and particle data that it was built with.

    `PYTHIA8DATA`, which other software sets to the data of another Pythia, would be read in their place.
    """
    os.environ.pop("PYTHIA8DATA", None)
    return pythia8mc.Pythia("", False)
