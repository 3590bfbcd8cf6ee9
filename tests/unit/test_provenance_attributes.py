"""What a result is made from is written down, and a missing input is a clear error."""

import hashlib
import json
import platform

import pytest

from oddjet.errors import InputFileError
from oddjet.program import parser
from oddjet.provenance.attributes import attributes, file_digest, processor
from oddjet.training.checkpoint import checkpoint_digest


def test_attributes_name_code_settings_and_inputs(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"abc")
    given = attributes("simulate_sample", '{"a": 1}', [path])
    assert json.loads(given["inputs"]) == {str(path): hashlib.sha256(b"abc").hexdigest()}
    assert given["settings"] == '{"a": 1}'
    assert len(given["code_digest"]) == len(given["settings_digest"]) == 16
    assert json.loads(given["packages"])["pythia8mc"] == "8.317.2"
    assert all(isinstance(value, str) for value in given.values())


def test_other_settings_have_another_digest():
    digests = {attributes("simulate_sample", text, [])["settings_digest"] for text in ("{}", '{"a": 1}')}
    assert len(digests) == 2


def test_a_missing_input_is_named(tmp_path):
    with pytest.raises(InputFileError, match=r"absent\.h5: No such file"):
        file_digest(tmp_path / "absent.h5")


def test_the_record_holds_whatever_the_program_was_given():
    arguments = parser("Do it.", "python do.py")
    arguments.add_argument("--seeds", type=int, nargs="+")
    arguments.add_argument("--points")
    arguments.parse_args(["--seeds", "1", "2", "--points", '{"own": {"m_phi": 2000, "r_inv": 0.3}}'])
    assert json.loads(attributes("train_ceilings", "{}", [])["options"]) == {
        "seeds": ["1", "2"],
        "points": [{"own": {"m_phi": 2000, "r_inv": 0.3}}],
    }
    arguments.parse_args([])
    assert attributes("train_ceilings", "{}", [])["options"] == "{}"


def test_the_processor_is_named(tmp_path):
    described = tmp_path / "cpuinfo"
    described.write_text("processor\t: 0\nmodel name\t: A: fast one\nflags\t\t: fma\n\nmodel name\t: Another\n")
    assert processor(described) == "A: fast one"
    # On a machine that is described in other words, or not at all.
    described.write_text("CPU implementer\t: 0x41\n")
    assert processor(described) == processor(tmp_path / "absent") == platform.machine()
    assert attributes("simulate_sample", "{}", [])["processor"] == processor()


def test_the_processor_makes_no_other_checkpoint():
    record = attributes("train_model", "{}", [])
    elsewhere = {**record, "processor": "another"}
    assert checkpoint_digest(record, [1], "cpu") == checkpoint_digest(elsewhere, [1], "cpu")
