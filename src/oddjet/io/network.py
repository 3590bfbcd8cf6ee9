"""Patience with the network: time limits of the clients that uproot reads through, and when to try again."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from oddjet.errors import TransientError

LOGGER = logging.getLogger("oddjet")

# Seconds that a connection, or an answer over one, may take before it counts as lost.
CONNECT_SECONDS = 10
ANSWER_SECONDS = 20
# And a whole answer, from a server that never stops to send a few bytes.
REQUEST_SECONDS = 300
# XRootD's client alone tries a dead server for eight minutes. It reads these when it is loaded; the user's own win.
XROOTD = {
    "XRD_CONNECTIONWINDOW": str(CONNECT_SECONDS),
    "XRD_CONNECTIONRETRY": "1",
    "XRD_STREAMERRORWINDOW": "0",
    "XRD_STREAMTIMEOUT": str(ANSWER_SECONDS),
    "XRD_REQUESTTIMEOUT": str(ANSWER_SECONDS),
    "XRD_TIMEOUTRESOLUTION": "1",
}
FIRST_PAUSE = 1.0


def client_options(path: str) -> dict[str, Any]:
    """Give the options of `uproot.open` that bound the time of a request to this address; none for a local file."""
    if path.startswith("root://"):
        for name, value in XROOTD.items():
            os.environ.setdefault(name, value)
    if not path.lower().startswith(("http://", "https://")):
        return {}
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=ANSWER_SECONDS)
    return {"client_kwargs": {"timeout": timeout}}


class Patience:
    """Waits between the tries of one request, twice as long each time, until its time is over.

    Parameters
    ----------
    seconds : float
        From now to the last try.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pause = FIRST_PAUSE
        self._tries = 0
        self._start = time.monotonic()

    def wait(self, error: TransientError) -> None:
        """Wait until the next try is due; raises `TransientError` when it would come too late."""
        self._tries += 1
        passed = time.monotonic() - self._start
        if passed + self._pause > self._seconds:
            raise TransientError(
                f"{error}; tried {self._tries} times in {passed:.0f} s. The file is not skipped: run again, or raise "
                "features.network_seconds"
            ) from error
        LOGGER.warning("%s; tried again in %.0f s", error, self._pause)
        time.sleep(self._pause)
        self._pause *= 2
