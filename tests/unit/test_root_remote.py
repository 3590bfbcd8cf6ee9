"""Files read over HTTP(S), from a server of our own that knows byte ranges, and over XRootD, from a real server."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import uproot

from http_server import Trouble, served
from oddjet.addresses import alternatives
from oddjet.errors import (
    AccessError,
    DamagedFileError,
    MissingFileError,
    SourceError,
    TransientError,
    UnreadableFileError,
)
from oddjet.io import network
from oddjet.io.chunks import Reading
from oddjet.io.failures import failure_of
from oddjet.io.root import Opening, open_events, read_candidates
from oddjet.io.tables import read_attributes, read_table
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of this host that signs itself."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    files = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    return files


@pytest.fixture(scope="module")
def in_parts(top_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file of the same events in baskets of 40, so that every chunk of 40 asks the server."""
    path = tmp_path_factory.mktemp("in_parts") / "parts.root"
    with uproot.open(top_root) as source, uproot.recreate(path) as file:
        wanted = [name for name in source["Events"].keys() if not name.startswith("n")]  # noqa: SIM118  a tree's
        chunks = list(source["Events"].iterate(wanted, step_size=40))
        kinds = {name: chunks[0][name].type for name in wanted}
        tree = file.mktree(
            "Events",
            {n: k if k.content.__class__.__name__ != "NumpyType" else k.content.primitive for n, k in kinds.items()},
        )
        for chunk in chunks:
            tree.extend({name: chunk[name] for name in wanted})
    return path


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
        "import sys; from oddjet.io.root import read_candidates as r; "
        "print(*(x.event.tolist() for x in r(sys.argv[1])))"
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


@pytest.fixture
def troubled(in_parts: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Trouble, str]]:
    """Give a server's trouble and the address of a file there; pauses are short."""
    pytest.importorskip("aiohttp", reason="reading http(s):// needs the package aiohttp")
    monkeypatch.setattr(network, "FIRST_PAUSE", 0.01)
    trouble = Trouble()
    with served(in_parts.parent, trouble=trouble) as port:
        yield trouble, f"http://127.0.0.1:{port}/{in_parts.name}"


@pytest.mark.parametrize("answers", [[503, 503, 503], [0, 0, 0], [429, 500, 0, 504]])
def test_busy_server_is_asked_again(
    troubled: tuple[Trouble, str], answers: list[int], top_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    troubled[0].answers = list(answers)
    same_as_local(troubled[1], top_root)
    assert "cannot be reached now" in caplog.text
    assert "tried again" in caplog.text


def test_line_that_drops_in_the_middle_of_a_file_goes_on_behind_the_last_chunk(
    troubled: tuple[Trouble, str], top_root: Path
) -> None:
    trouble, address = troubled
    with open_events(address) as file:
        _, records = file.chunks(Reading(), 40)
        read = [next(records)]
        trouble.answers = [0, 503, 0]
        read += records
    assert trouble.answers == []
    local = list(read_candidates(top_root, chunk_size=40))
    for name in ("event", "entry"):
        assert [getattr(one, name).tolist() for one in read] == [getattr(one, name).tolist() for one in local]


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (503, TransientError, "the server answers 503.*tried 1 times.*run again, or raise features.network_seconds"),
        (401, AccessError, "may not be read; renew the proxy or token.*401"),
        (403, AccessError, "may not be read.*403"),
    ],
)
def test_what_is_not_the_files_fault_is_never_kept_as_a_skipped_file(
    troubled: tuple[Trouble, str], tmp_path: Path, status: int, kind: type[Exception], message: str
) -> None:
    trouble, address = troubled
    trouble.always = status
    settings = FeatureSettings(on_bad_file="skip", network_seconds=0)
    with pytest.raises(kind, match=message):
        extract_features(address, tmp_path / "a.h5", settings)
    assert list(tmp_path.iterdir()) == []
    trouble.always = None
    assert extract_features(address, tmp_path / "a.h5", settings).events_read == 150


def test_missing_file_is_one_of_a_reachable_server_alone(troubled: tuple[Trouble, str], tmp_path: Path) -> None:
    settings = FeatureSettings(on_bad_file="skip", network_seconds=0)
    extract_features(f"{troubled[1]}.no", tmp_path / "a.h5", settings)
    assert json.loads(read_attributes(tmp_path / "a.h5")["bad_file"])["error"] == "MissingFileError"
    with pytest.raises(TransientError, match="cannot be reached now"):
        extract_features("http://127.0.0.1:1/x.root", tmp_path / "b.h5", settings)
    for address in ("davs://example.org/x.root", "github://owner:repo@main/x.root", "zip://x.root::/data/x.zip"):
        with pytest.raises(SourceError, match=rf"{address}: no such kind of address.*root:// or https://"):
            extract_features(address, tmp_path / "b.h5", settings)


def test_dead_xrootd_server_is_an_error_soon(tmp_path: Path) -> None:
    # In a process of its own: the client reads its time limits once, when it is loaded.
    if importlib.util.find_spec("fsspec_xrootd") is None:
        pytest.skip("reading root:// needs the package fsspec-xrootd")
    script = Path(__file__).parents[2] / "workflow" / "scripts" / "extract_features.py"
    command = [sys.executable, str(script), "--sample", "x", "--input", "root://127.0.0.1:1//x.root"]
    command += ["--settings", '{"network_seconds": 0}', "--output", str(tmp_path / "x.h5")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=400)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: root://127.0.0.1:1//x.root: cannot be reached now")


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ESTALE, TransientError), (errno.EIO, TransientError), (errno.EACCES, AccessError)]
)
def test_mounts_have_passing_trouble_too(number: int, kind: type[Exception]) -> None:
    error = failure_of("/mount/x.root", OSError(number, os.strerror(number)), "damaged", UnreadableFileError)
    assert type(error) is kind


def test_address_without_its_package_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec_xrootd", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "root", raising=False)  # what was imported before
    with pytest.raises(SourceError, match=r"root://nowhere//x\.root: a package .* is missing .*xrootd"):
        count_events("root://nowhere//x.root")


@pytest.fixture
def sites(in_parts: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[Trouble], list[str]]]:
    """Give the troubles of three servers of the same file, and the beginnings of their addresses."""
    pytest.importorskip("aiohttp", reason="reading http(s):// needs the package aiohttp")
    monkeypatch.setattr(network, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(network, "ANSWER_SECONDS", 0.5)
    troubles = [Trouble() for _ in range(3)]
    with ExitStack() as stack:
        ports = [stack.enter_context(served(in_parts.parent, trouble=trouble)) for trouble in troubles]
        yield troubles, [f"http://127.0.0.1:{port}/" for port in ports]


@pytest.mark.parametrize("trouble", [503, 404, 403, 0, -1, "lie"])
def test_file_that_one_site_does_not_give_comes_from_the_next(
    sites: tuple[list[Trouble], list[str]], trouble: int | str, in_parts: Path, tmp_path: Path
) -> None:
    troubles, prefixes = sites
    for one in troubles[:2]:
        if trouble == "lie":
            one.lie = True
        else:
            one.always = int(trouble)
    settings = FeatureSettings(prefixes=tuple(prefixes), network_seconds=0)
    extract_features(prefixes[0] + in_parts.name, tmp_path / "there.h5", settings)
    extract_features(in_parts, tmp_path / "here.h5", settings)
    assert np.array_equal(*(read_table(tmp_path / f"{name}.h5") for name in ("there", "here")))
    told = json.loads(read_attributes(tmp_path / "there.h5")["reading"])
    assert told["served"] == prefixes[2] + in_parts.name
    assert "served" not in json.loads(read_attributes(tmp_path / "here.h5")["reading"])


@pytest.mark.parametrize("trouble", [503, 0, -1, "lie"])
def test_site_that_fails_in_the_middle_of_a_file_is_left_for_the_next(
    sites: tuple[list[Trouble], list[str]], trouble: int | str, in_parts: Path
) -> None:
    troubles, prefixes = sites
    opening = Opening(prefixes=tuple(prefixes), network_seconds=0)
    with open_events(prefixes[1] + in_parts.name, opening) as file:
        _, records = file.chunks(Reading(), 40)
        read = [next(records)]
        if trouble == "lie":
            troubles[1].lie = True
        else:
            troubles[1].always = int(trouble)
        read += records
        assert file.served == [prefixes[1] + in_parts.name, prefixes[0] + in_parts.name]
    local = list(read_candidates(in_parts, chunk_size=40))
    assert [one.event.tolist() for one in read] == [one.event.tolist() for one in local]


def test_file_that_no_site_gives_names_them_all(sites: tuple[list[Trouble], list[str]], in_parts: Path) -> None:
    troubles, prefixes = sites
    for one, status in zip(troubles, (404, 403, 404), strict=True):
        one.always = status
    opening = Opening(prefixes=tuple(prefixes), network_seconds=0)
    with pytest.raises(MissingFileError) as error, open_events(prefixes[0] + in_parts.name, opening):
        pass
    assert str(error.value).startswith(f"{prefixes[0]}parts.root: no such file")
    assert f"nor does it come from {prefixes[1]}parts.root, {prefixes[2]}parts.root" in str(error.value)
    # One that is busy may have it in a moment: such a file is never kept as a missing one.
    troubles[2].always = 503
    with pytest.raises(TransientError, match="tried 1 times"), open_events(prefixes[0] + in_parts.name, opening):
        pass


def test_site_with_another_file_of_that_name_is_refused(
    sites: tuple[list[Trouble], list[str]], in_parts: Path, svj_root: Path, tmp_path: Path
) -> None:
    troubles, prefixes = sites
    with uproot.open(svj_root) as source, uproot.recreate(tmp_path / in_parts.name) as file:
        events = source["Events"].arrays(entry_stop=60)
        file["Events"] = {name: events[name] for name in events.fields if not name.startswith("n")}
    with served(tmp_path) as port:
        other = f"http://127.0.0.1:{port}/"
        with open_events(
            prefixes[0] + in_parts.name, Opening(prefixes=(prefixes[0], other), network_seconds=0)
        ) as file:
            _, records = file.chunks(Reading(), 40)
            next(records)
            troubles[0].always = 0
            with pytest.raises(DamagedFileError, match=r"has 60 events, and the same file at .* has 150"):
                list(records)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/data/store/mc/x.root", []),
        ("root://a.org//store/mc/x.root", ["root://b.org//store/mc/x.root", "https://c.org/cms/store/mc/x.root"]),
        ("root://elsewhere.org:1094///store/mc/x.root", None),
        ("root://a.org//eos/user/x.root", ["root://b.org//eos/user/x.root", "https://c.org/cms/eos/user/x.root"]),
        ("root://elsewhere.org//eos/user/x.root", []),
    ],
)
def test_alternatives_of_an_address(source: str, expected: list[str] | None) -> None:
    prefixes = ["root://a.org/", "root://b.org/", "https://c.org/cms"]
    behind = [f"{prefix}/store/mc/x.root" for prefix in prefixes]
    assert alternatives(source, prefixes) == (behind if expected is None else expected)
