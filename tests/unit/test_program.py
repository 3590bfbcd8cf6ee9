"""Scripts end with one clear message; progress is lines in a log."""

import errno
import logging
import subprocess
import sys
import tempfile

import pytest
from pydantic import BaseModel, ConfigDict, Field

from oddjet.errors import ConfigError, OddjetError
from oddjet.program import execute, given_options, options_of, parser, progress, read_settings, settings_argument


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    radius: float = Field(0.8, gt=0)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    jets: Inner = Inner()
    parts: list[Inner] = []


def test_settings_from_nothing_text_and_file(tmp_path):
    assert read_settings(None, Outer) == Outer()
    assert read_settings('{"jets": {"radius": 1}}', Outer).jets.radius == 1
    path = tmp_path / "s.json"
    path.write_text('{"jets": {"radius": 2}}')
    assert read_settings(str(path), Outer).jets.radius == 2
    path.write_text('{"jets": {"radius": 3}}', encoding="utf-8-sig")
    assert read_settings(str(path), Outer).jets.radius == 3
    path.write_text("{}", encoding="utf-16")
    with pytest.raises(ConfigError, match=r"--settings: .*s\.json: is not text in UTF-8\. Save it as UTF-8"):
        read_settings(str(path), Outer)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"jets": {"radios": 1}}', r"jets\.radios: unknown key \(given: 1\)"),
        ('{"jets": {"radius": -1}}', r"jets\.radius: Input should be greater than 0 \(given: -1\)"),
        ('{"parts": [{}, {"radius": "x"}]}', r"parts\.1\.radius: .*valid number.*\(given: 'x'\)"),
        ("{,}", "neither a file nor JSON"),
        ("absent.json", "neither a file nor JSON"),
        ("x" * 5000, "neither a file nor JSON"),
        ("a\0b", "neither a file nor JSON"),
        ('{"parts":' + "[" * 100_000, "neither a file nor JSON"),
        ('{"jets": {"radius": 1, "radius": 2}}', "the key 'radius' stands twice in one section"),
    ],
)
def test_wrong_settings_are_named(text, message):
    with pytest.raises(ConfigError, match=message):
        read_settings(text, Outer)


def test_an_expected_error_is_one_line_and_status_1(capsys):
    def main() -> None:
        raise OddjetError("x.root: no such file")

    with pytest.raises(SystemExit) as raised:
        execute(main)
    assert raised.value.code == 1
    assert capsys.readouterr().err == "error: x.root: no such file\n"


def test_a_disk_without_room_is_one_line_that_names_the_folder(capsys):
    def main() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(SystemExit) as raised:
        execute(main)
    assert raised.value.code == 1
    assert capsys.readouterr().err.startswith(f"error: {tempfile.gettempdir()}: disk full: ")


def test_a_fault_of_the_program_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        execute(lambda: print(1 / 0))


def test_progress_passes_everything_on_and_ends_with_a_line(caplog):
    with caplog.at_level(logging.INFO, "oddjet"):
        assert list(progress(iter(range(7)), total=7, description="jets")) == list(range(7))
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("jets: 7 of 7 in")


def test_help_ends_with_the_example(capsys):
    arguments = parser("Do it.", "python do.py --settings '{}'")
    settings_argument(arguments)
    with pytest.raises(SystemExit):
        arguments.parse_args(["--help"])
    assert capsys.readouterr().out.endswith("example:\n  python do.py --settings '{}'\n")


def test_the_words_of_a_command_line_by_option():
    words = ["--settings", '{"b": 1, "a": [2]}', "--seeds", "1", "2", "--of-signal", "--weight=1.0", "--threads", "4"]
    sorted_words = options_of([*words, "--label", "{x} at 13 TeV"])
    assert sorted_words == {
        "settings": [{"a": [2], "b": 1}],
        "seeds": ["1", "2"],
        "of-signal": [],
        "weight": ["1.0"],
        "label": ["{x} at 13 TeV"],
    }


def test_a_program_keeps_all_that_it_is_given(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text('{"jets": {"radius": 2}}')
    arguments = parser("Do it.", "python do.py")
    settings_argument(arguments)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[1])
    arguments.add_argument("--left-out", default="a")
    given = arguments.parse_args(["--settings", str(file), "--seeds", "1", "2"])
    read_settings(given.settings, Outer)
    # Of a file what stands in it, not its name.
    assert given_options() == {"settings": [{"jets": {"radius": 2}}], "seeds": ["1", "2"]}
    with pytest.raises(SystemExit):
        arguments.parse_args(["--seed", "1"])  # an abbreviation would have another name in the record
    arguments.parse_args([])
    assert given_options() == {}


def test_a_package_of_an_extra_that_is_missing_is_one_line():
    program = "import sys; sys.modules['torch'] = None; from oddjet.cli.main import program; program()"
    command = [sys.executable, "-c", program, "score", "new.root", "--detector", "model.pt", "--to", "scores.root"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: the package torch is not installed: pip install 'oddjet[train]'\n"


def test_a_module_that_no_extra_brings_keeps_its_traceback():
    def main():
        raise ModuleNotFoundError("No module named 'own'", name="own")

    with pytest.raises(ModuleNotFoundError):
        execute(main)
