"""Files read over HTTP(S), from a server of our own that knows byte ranges, and over XRootD, from a real server."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from oddjet.io.failures import MissingFileError, RemoteSupportError
from oddjet.io.root import open_events, read_candidates


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


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of this host that signs itself."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    files = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    return files


@contextmanager
def served(folder: Path, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve a folder; give the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(folder))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def address(top_root: Path) -> Iterator[str]:
    pytest.importorskip("aiohttp", reason="reading http(s):// needs the package aiohttp")
    with served(top_root.parent) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def xrootd(top_root: Path) -> Iterator[str]:
    """Start an XRootD server on a folder with one file, and give the address of the folder."""
    if shutil.which("xrootd") is None:
        pytest.skip("no XRootD server here: apt-get install xrootd-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Not pytest's folder: the server gives up root's rights, which that one is for.
    folder = Path(tempfile.mkdtemp(prefix="oddjet-xrootd-"))
    (folder / "data").mkdir()
    (folder / "x.cfg").write_text(
        f"xrd.port {port}\nxrd.network nodnr\nall.export {folder}/data r/o\n"
        f"all.adminpath {folder}\nall.pidpath {folder}\n"
    )
    shutil.copy(top_root, folder / "data")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777)
    command = ["xrootd", *(("-R", "nobody") if os.geteuid() == 0 else ()), "-c", "x.cfg", "-l", str(folder / "log")]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 60
    while True:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert server.poll() is None
        assert time.monotonic() < limit, "the XRootD server does not answer"
        time.sleep(0.1)
    yield f"root://127.0.0.1:{port}/{folder}/data"
    server.terminate()
    server.wait()
    shutil.rmtree(folder)


def count_events(path: str | Path) -> int:
    with open_events(path) as file:
        return file.entries


def same_as_local(there: str, top_root: Path) -> None:
    assert count_events(there) == count_events(top_root) == 150
    (remote,), (local,) = (list(read_candidates(path)) for path in (there, top_root))
    assert np.array_equal(remote.event, local.event)
    assert np.array_equal(remote.candidates.pt, local.candidates.pt)


def test_file_over_http_is_the_local_one(address: str, top_root: Path) -> None:
    same_as_local(f"{address}/{top_root.name}", top_root)


def test_file_over_https_is_the_local_one(top_root: Path, tmp_path: Path) -> None:
    # In a process of its own: which certificates are trusted is read once, when aiohttp is imported.
    public, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, key)
    read = (
        "import sys; from oddjet.io.root import read_candidates as r; print(*(list(x.event) for x in r(sys.argv[1])))"
    )
    with served(top_root.parent, context) as port:
        there = f"https://localhost:{port}/{top_root.name}"
        told, local = (
            subprocess.run(
                [sys.executable, "-c", read, path],
                env={**os.environ, "SSL_CERT_FILE": str(public)},
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            for path in (there, str(top_root))
        )
    assert told == local
    assert len(json.loads(told)) == 150


def test_file_over_xrootd_is_the_local_one(xrootd: str, top_root: Path) -> None:
    same_as_local(f"{xrootd}/{top_root.name}", top_root)


def test_missing_file_over_xrootd(xrootd: str) -> None:
    with pytest.raises(MissingFileError, match=r"no\.root: no such file .*3011"):
        count_events(f"{xrootd}/no.root")


def test_missing_file_over_http(address: str) -> None:
    with pytest.raises(MissingFileError, match=r"no\.root: no such file"):
        count_events(f"{address}/no.root")


def test_address_without_its_package_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec_xrootd", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "root", raising=False)  # what was imported before
    with pytest.raises(RemoteSupportError, match=r"root://nowhere//x\.root: a package .* is missing .*xrootd"):
        count_events("root://nowhere//x.root")
