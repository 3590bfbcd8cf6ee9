"""The base of every error that oddjet raises on purpose, and that of all trouble with an input file."""

from __future__ import annotations


class OddjetError(Exception):
    """An error whose message is complete for the user: what, where, which value, what to do.

    Each kind of error is a class of its own, in the module that raises it.
    Scripts print the message without a traceback and end with status 1.
    """


class InputFileError(OddjetError):
    """An input file cannot be used; the message names the file and the reason."""
