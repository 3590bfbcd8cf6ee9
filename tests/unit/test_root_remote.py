"""Files read over HTTP, from a server of our own that knows byte ranges."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from oddjet.io.root import MissingFileError, RemoteSupportError, count_events, read_candidates


def handler_of(folder: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = folder / self.path.strip("/")
            if not path.is_file():
                self.send_error(404)
                return
            data = path.read_bytes()
            wanted = self.headers.get("Range", "")
            self.send_response(206 if wanted else 200)
            if wanted:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                stop = min(int(last) + 1 if last else len(data), len(data))
                self.send_header("Content-Range", f"bytes {first}-{stop - 1}/{len(data)}")
                data = data[int(first) : stop]
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def address(top_root: Path) -> Iterator[str]:
    pytest.importorskip("aiohttp", reason="reading http(s):// needs the package aiohttp")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(top_root.parent))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_file_over_http_is_the_local_one(address: str, top_root: Path) -> None:
    there = f"{address}/{top_root.name}"
    assert count_events(there) == count_events(top_root) == 150
    (remote,), (local,) = (list(read_candidates(path)) for path in (there, top_root))
    assert np.array_equal(remote.event, local.event)
    assert np.array_equal(remote.candidates.pt, local.candidates.pt)


def test_missing_file_over_http(address: str) -> None:
    with pytest.raises(MissingFileError, match=r"no\.root: no such file"):
        count_events(f"{address}/no.root")


def test_address_without_its_package_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec_xrootd", None)
    with pytest.raises(RemoteSupportError, match=r"root://nowhere//x\.root: a package .* is missing .*xrootd"):
        count_events("root://nowhere//x.root")
