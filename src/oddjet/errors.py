"""The base of every error that oddjet raises on purpose."""

from __future__ import annotations


class OddjetError(Exception):
    """An error whose message is complete for the user: what, where, which value, what to do.

    Each kind of error is a class of its own, in the module that raises it.
    Scripts print the message without a traceback and end with status 1.
    """
