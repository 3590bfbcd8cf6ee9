"""A server of files over HTTP that knows byte ranges, and that has trouble where a test wants it to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Trouble:
    """What a server does wrong: the status of each of its next answers, 0 for a line that drops, -1 for a stall.

    It lies where `lie` is true: the bytes that it gives are others.
    """

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.always: int | None = None
        self.lie = False

    def next(self) -> int | None:
        return self.answers.pop(0) if self.answers else self.always


def handler_of(folder: Path, trouble: Trouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            status = trouble.next()
            if status == 0:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if status == -1:
                self.close_connection = True
                self.connection.recv(1)  # says nothing until the reader gives up and hangs up
                return
            if status is not None:
                self.send_error(status)
                return
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
                self.wfile.write(bytes(len(data)) if trouble.lie else data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def served(folder: Path, context: ssl.SSLContext | None = None, trouble: Trouble | None = None) -> Iterator[int]:
    """Serve a folder; give the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(folder, trouble or Trouble()))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()
