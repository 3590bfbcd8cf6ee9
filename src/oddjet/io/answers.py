"""What a web server gives in the place of a part of a file: a page to log in, the whole file, nothing.

uproot takes any answer for the bytes that it asked for, and a sound file looks damaged. Only asking again tells.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

from oddjet.errors import AccessError
from oddjet.io.network import ANSWER_SECONDS

PARTIAL = 206
ASKED_BYTES = 4
REDIRECTIONS = range(300, 400)
PAGES = (b"<!doctype", b"<html", b"<?xml")


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
    request = urllib.request.Request(address, headers={"Range": f"bytes=0-{ASKED_BYTES - 1}"})  # noqa: S310  see above
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            status, start = answer.status, answer.read(512)
    except urllib.error.HTTPError as error:
        if error.code not in REDIRECTIONS:
            return None
        status, start = error.code, b""
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
    return None
