"""Patience with the network, and what a web server gives in the place of a part of a file.

Time limits of the clients that uproot reads through, and when to try again. uproot takes any answer for the bytes that
it asked for: with a page to log in, the whole file or nothing, a sound file looks damaged. Only asking again tells.
"""

from __future__ import annotations

import http.client
import logging
import os
import time
import urllib.error
import urllib.request
from typing import Any

from oddjet.errors import AccessError, DamagedFileError, OddjetError, TransientError, UnreadableFileError

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
    # As curl does: nodes of some sites reach others through a proxy alone, which http_proxy and no_proxy name.
    return {"client_kwargs": {"timeout": timeout, "trust_env": True}}


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


PARTIAL = 206
ASKED_BYTES = 4
REDIRECTIONS = range(300, 400)
PAGES = (b"<!doctype", b"<html", b"<?xml")


def after_asking(address: str, failure: OddjetError) -> OddjetError:
    """Return a failure, or what the server does wrong: it is asked before a file of its own is called damaged."""
    in_file = isinstance(failure, UnreadableFileError | DamagedFileError)
    return (wrong_answer(address) if in_file else None) or failure


def wrong_answer(address: str) -> AccessError | None:
    """Ask a server for the first bytes of a file whose contents made no sense, and tell what it gives instead.

    Returns
    -------
    AccessError or None
        None where the server gives what it is asked for, or nothing at all: then the file itself is to blame, or the
        network.
    """
    if not address.lower().startswith(("http://", "https://")):
        return None
    try:
        status, start, told = _ask(address, 0)
    except urllib.error.HTTPError as error:
        if error.code not in REDIRECTIONS:
            return None
        status, start, told = error.code, b"", ""
    except (OSError, ValueError, http.client.HTTPException):
        return None
    if start.lstrip().lower().startswith(PAGES):
        return AccessError(
            f"{address}: the server answers with a web page, perhaps to log in; renew the proxy or token, or look at "
            "the address in a browser"
        )
    if not start:
        return AccessError(f"{address}: the server answers {status} and gives no byte of the file")
    if status != PARTIAL or len(start) != ASKED_BYTES:
        return AccessError(
            f"{address}: the server gives other parts of a file than it is asked for ({len(start)} bytes for "
            f"{ASKED_BYTES}, status {status}); fetch the file first, or use a server that knows byte ranges"
        )
    size = told.rpartition("/")[2]
    for place in (0, int(size) // 2 if size.isdecimal() else 0):
        if _is_elsewhere(address, place):
            return AccessError(
                f"{address}: the server, or a proxy before it, gives bytes of other places of the file than it is "
                f"asked for (at byte {place}); fetch the file first, or use another server"
            )
    return None


def _ask(address: str, first: int) -> tuple[int, bytes, str]:
    """Ask a server for a few bytes: the status, the beginning of what it gives, and the place that it says."""
    wanted = {"Range": f"bytes={first}-{first + ASKED_BYTES - 1}"}
    request = urllib.request.Request(address, headers=wanted)  # noqa: S310  of http(s)
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
        return answer.status, answer.read(512), answer.headers.get("Content-Range", "")


def _is_elsewhere(address: str, place: int) -> bool:
    """Tell whether what a server gives at two places of a file, a byte apart, cannot be of the same file."""
    try:
        one, other = (_ask(address, first)[1] for first in (place, place + 1))
    except (OSError, ValueError, http.client.HTTPException):
        return False
    return one[1:] != other[: len(one) - 1]
