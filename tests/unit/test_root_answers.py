"""Web servers that answer something else than the part of a file that they are asked for."""

from __future__ import annotations

import socketserver
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uproot

from oddjet.errors import AccessError, InputFileError, SourceError, TransientError, UnreadableFileError
from oddjet.io import network
from oddjet.io.root import Opening, read_candidates
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings

PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>" + b" " * 2000


def head(status: int, **fields: object) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode()


def page(path: str, data: bytes, first: int, stop: int) -> bytes:
    if "login" in path:
        return head(200, Content_Type="text/html", Content_Length=len(PAGE)) + PAGE
    return head(302, Location="/login", Content_Length=0)


def part(path: str, data: bytes, first: int, stop: int) -> bytes:
    return head(206, Content_Length=stop - first) + data[first:stop]


def empty_file() -> bytes:
    """Give the bytes of a sound ROOT file with nothing in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.root"
        uproot.recreate(path).close()
        return path.read_bytes()


EMPTY = empty_file()
ANSWERS: dict[str, tuple[Callable[[str, bytes, int, int], bytes], type[InputFileError], str]] = {
    "a page to log in": (page, AccessError, "answers with a web page, perhaps to log in"),
    "the whole file": (
        lambda _, data, *__: head(200, Content_Length=len(data)) + data,
        AccessError,
        "gives other parts of a file than it is asked for .*fetch the file first",
    ),
    "an empty file of its own": (
        lambda _path, _data, first, stop: head(200, Content_Length=len(EMPTY[first:stop])) + EMPTY[first:stop],
        AccessError,
        "gives other parts of a file than it is asked for",
    ),
    "the first bytes always": (
        lambda _, data, *__: head(206, Content_Length=100) + data[:100],
        AccessError,
        "gives other parts of a file",
    ),
    "as many bytes of its beginning": (
        lambda _, data, first, stop: head(206, Content_Length=stop - first) + data[: stop - first],
        AccessError,
        r"gives bytes of other places of the file than it is asked for \(at byte 0\)",
    ),
    "the same far from its beginning": (
        lambda _, data, first, stop: (
            head(206, Content_Length=stop - first, Content_Range=f"bytes {first}-{stop - 1}/{len(data)}")
            + (data[first:stop] if first < 100 else data[: stop - first])
        ),
        AccessError,
        "gives bytes of other places of the file",
    ),
    "parts with heads of their own": (
        lambda _, data, first, stop: head(206, Content_Length=stop - first + 9) + b"--B\r\n\r\n--" + data[first:stop],
        AccessError,
        "gives other parts of a file",
    ),
    "nothing": (lambda *_: head(204), AccessError, "answers 204 and gives no byte of the file"),
    "a redirection nowhere": (
        lambda *_: head(302, Content_Length=0),
        AccessError,
        "answers 302 and gives no byte of the file",
    ),
    "a redirection to itself": (
        lambda path, *_: head(302, Location=path, Content_Length=0),
        AccessError,
        "is redirected in a circle",
    ),
    "a teapot": (lambda *_: head(418, Content_Length=0), AccessError, "is refused by the server; .*418"),
    "no such range": (lambda *_: head(416, Content_Length=0), UnreadableFileError, "the server answers 416"),
    "another protocol": (lambda *_: b"SSH-2.0-OpenSSH_9\r\n", TransientError, "cannot be reached now"),
    "more than it says": (
        lambda _, data, first, stop: head(206, Content_Length=(stop - first) // 2) + data[first:stop],
        TransientError,
        "cannot be reached now",
    ),
    "less than it says": (
        lambda _, data, first, stop: head(206, Content_Length=stop - first + 9) + data[first:stop],
        TransientError,
        "cannot be reached now",
    ),
    "a head alone": (lambda *_: head(206, Content_Length=500), TransientError, "cannot be reached now"),
}


@contextmanager
def answering(answer: Callable[[str, bytes, int, int], bytes], data: bytes, pause: float = 0) -> Iterator[str]:
    """Serve a file with answers of one kind, byte by byte where there is a pause; give its address."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            lines = []
            while (line := self.rfile.readline().strip()) or not lines:
                lines.append(line.decode())
            wanted = next((one.split("=")[1] for one in lines if one.lower().startswith("range:")), f"0-{len(data)}")
            first, _, last = wanted.partition("-")
            reply = answer(lines[0].split()[1], data, int(first), min(int(last) + 1, len(data)))
            for start in range(0, len(reply), 1 if pause else len(reply)):
                time.sleep(pause)
                self.wfile.write(reply[start : start + 1] if pause else reply)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            pass  # the client went

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/x.root"
        server.shutdown()
        thread.join()


@pytest.fixture
def data(top_root: Path) -> bytes:
    pytest.importorskip("aiohttp", reason="reading http(s):// needs the package aiohttp")
    return top_root.read_bytes()


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_a_server_gives_instead_is_named_and_is_no_damage(tmp_path: Path, data: bytes, kind: str) -> None:
    answer, error, message = ANSWERS[kind]
    settings = FeatureSettings(network_seconds=0, on_bad_file="fail" if error is UnreadableFileError else "skip")
    with answering(answer, data) as address, pytest.raises(error, match=rf"x\.root: .*{message}") as told:
        extract_features(address, tmp_path / "a.h5", settings)
    assert "\n" not in str(told.value)
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_of_a_sound_server_is_damaged(tmp_path: Path, data: bytes) -> None:
    damaged = data[:100] + bytes(len(data) - 100)
    with answering(part, damaged) as address, pytest.raises(UnreadableFileError, match=r"x\.root: "):
        extract_features(address, tmp_path / "a.h5", FeatureSettings(network_seconds=0))


def test_a_server_that_never_stops_to_send_a_little_ends(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "REQUEST_SECONDS", 1)
    with answering(part, data, pause=0.05) as address, pytest.raises(TransientError, match="cannot be reached now"):
        list(read_candidates(address, opening=Opening(network_seconds=0)))


def test_the_scheme_of_an_address_may_be_in_capitals(data: bytes) -> None:
    with answering(part, data) as address:
        assert sum(len(record) for record in read_candidates(address.replace("http", "HTTP"))) == 150
    with pytest.raises(SourceError, match="no such kind of address"):
        list(read_candidates("DAVS://host/x.root"))


def test_a_proxy_that_the_environment_names_is_asked(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(part, data) as address:
        monkeypatch.setenv("http_proxy", address.removesuffix("/x.root"))
        monkeypatch.delenv("no_proxy", raising=False)
        assert sum(len(record) for record in read_candidates("http://elsewhere.invalid/x.root")) == 150
