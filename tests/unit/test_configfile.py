"""Configuration files are read as their writers mean them; what is no YAML is named by file and line."""

import math
import re
from pathlib import Path

import pytest
import yaml

from oddjet.config import load_config
from oddjet.configfile import read_configuration, read_file
from oddjet.errors import ConfigError
from oddjet.methods import ensembles

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def write(tmp_path):
    def write(text: str | bytes, name: str = "my.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def keys_as_words(given):
    if isinstance(given, dict):
        return {str(key): keys_as_words(value) for key, value in given.items()}
    return [keys_as_words(item) for item in given] if isinstance(given, list) else given


@pytest.mark.parametrize("path", sorted(CONFIG.rglob("*.yaml")), ids=lambda path: path.name)
def test_shipped_files_are_read_as_by_plain_yaml(path):
    assert read_file(path) == keys_as_words(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nsamples: {}\nseed: 2\n", "line 3: the key 'seed' stands in line 1 too"),
        ("samples:\n  top: {}\n  qcd: {}\n  top: {}\n", "line 4: the key 'top' stands in line 2 too"),
        ("a: {2018: 1, '2018': 2}\n", "line 1: the key '2018' stands in line 1 too"),
        ('{"a": 1,\n\t"a": 2}', "the key 'a' stands twice"),
        ("samples:\n\ttop: 1\n", "line 2: a tab stands where YAML has blanks"),
        ("a: 1\nb: {c: 1\n", "line 3: expected ',' or '}'"),
        (b"a: 1\nlabel: t\xfcr\n", "line 2: byte 0xfc is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
        ("", "holds nothing"),
        ("# only a comment\n", "holds nothing"),
        ("- a\n", "does not start with keys"),
        ("a word\n", "does not start with keys"),
        ("a: !include x.yaml\n", "line 1: '!include' is a tag (!), and none is read. Write the value itself"),
        ("a: *b\n", "line 1: found undefined alias 'b'"),
        ("? [a]\n: 1\n", "line 1: a key must be a word or a number"),
        ("a: 1\n---\nb: 1\n", "line 2: a second document begins (---)"),
        ("a:\n\u00a0 b: 1\n  c: 2\n", "line 3: mapping values are not allowed here; line 2 has a sign #x00a0"),
        ("a: 1\nb: bell\x07\n", "line 2: the sign #x0007 cannot stand in YAML"),
        ("a: " + "[" * 2000, "sections lie too deep in each other"),
        ('{"a":' * 100 + "1" + "}" * 100, "sections lie too deep in each other"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "sections lie too deep in each other"),
        ("a: 1\nb: " + "9" * 5000, "line 2: 99999999999999999999... is too long for a number"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(write, text, message):
    path = write(text)
    with pytest.raises(ConfigError, match=f"^{re.escape(f'{path}: {message}')}") as told:
        read_file(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_a_file_that_is_none(tmp_path, name):
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path / name}: ") + "(no such file|is a directory)"):
        read_file(tmp_path / name)


def test_words_and_numbers_are_what_is_written(write):
    given = read_file(
        write(
            "no: off\n2018: [1e-3, 5e2, 010, 0x1f, 1_000, 1:30, 2018-01-01, ~, .inf, true, -3, +4, '7']\nb:\n",
        )
    )
    assert given == {
        "no": "off",
        "2018": [1e-3, 500, 10, 31, 1000, "1:30", "2018-01-01", None, math.inf, True, -3, 4, "7"],
        "b": None,
    }


def test_bom_crlf_and_json(write):
    assert read_file(write(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")) == {"a": 1, "b": 2}
    assert read_file(write('{"a": 1e-5,\n\t"b": {"c": null}}', "my.json")) == {"a": 1e-5, "b": {"c": None}}


def test_anchors_and_merge_keys(write):
    given = read_configuration([write("x-common: &common {a: 1, b: 2}\nc: {<<: *common, b: 3}\n")])
    assert given == {"c": {"a": 1, "b": 3}}


@pytest.mark.parametrize("text", ["x-a: &a\n  b: *a\n", "a: &a [*a]\n", "a: &a {b: [{c: *a}]}\n"])
def test_an_anchor_that_holds_itself(write, text):
    with pytest.raises(ConfigError, match=r"my\.yaml: an anchor \(&\) stands for a section that holds it itself"):
        read_configuration([write(text)])


def test_anchors_of_anchors_take_no_time(write):
    lines = ["x-0: &a0 [1, 2]"] + [f"x-{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    assert read_configuration([write("\n".join([*lines, "a: 1"]))]) == {"a": 1}


def test_a_file_extends_another(write):
    write("seed: 1\nsignals: {m_phi: [1, 2], r_inv: [0.1]}\nmethods: {ae: {kind: ae}}\n", "base.yaml")
    middle = write("extends: base.yaml\nsignals: {m_phi: [3]}\nmethods: {pca: {kind: pca}}\n", "middle.yaml")
    top = write("extends: middle.yaml\nseed: 2\n", "top.yaml")
    expected = {"seed": 2, "signals": {"m_phi": [3], "r_inv": [0.1]}, "methods": {"pca": {"kind": "pca"}}}
    assert read_configuration([top]) == expected
    assert read_configuration([middle])["seed"] == 1


def test_files_replace_the_process_of_a_sample(write):
    write(
        "samples: {top: {kind: background, process: {name: qcd}, events: 5}, qcd: {process: {name: qcd}}}\n",
        "base.yaml",
    )
    own = write(
        "extends: base.yaml\nsamples: {top: {kind: background, files: [a.root]}, qcd: {events: 7}}\n", "own.yaml"
    )
    samples = read_configuration([own])["samples"]
    assert samples["top"] == {"kind": "background", "files": ["a.root"]}
    assert samples["qcd"] == {"process": {"name": "qcd"}, "events": 7}


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("absent.yaml", r"my\.yaml: extends: absent\.yaml: no such file; the path is seen from this file's folder"),
        ("~nobodyhere/a.yaml", r"my\.yaml: extends: ~nobodyhere/a\.yaml: there is no such home"),
        ("$NOT_SET_HERE/a.yaml", r"my\.yaml: extends: .*the variable NOT_SET_HERE is not set"),
        ("[a.yaml]", r"my\.yaml: extends: the path of one configuration file is wanted"),
        ("my.yaml", r"my\.yaml: extends: my\.yaml extends this file itself"),
    ],
)
def test_a_file_that_cannot_be_extended(write, base, message):
    with pytest.raises(ConfigError, match=message):
        read_configuration([write(f"extends: {base}\n", "my.yaml")])


def test_later_files_and_the_command_line_count(write):
    base = write("seed: 1\nmethods: {ae: {kind: ae}, pca: {kind: pca}}\n", "base.yaml")
    change = write("methods: {pca: {components: 2}}\n", "change.yaml")
    given = read_configuration([base, change], {"seed": 3, "methods": {"ae": {"kind": "nae"}}})
    assert given == {"seed": 3, "methods": {"ae": {"kind": "nae"}, "pca": {"kind": "pca", "components": 2}}}
    assert read_file(base)["seed"] == 1


def test_a_configuration_with_odd_names(write):
    given = read_configuration(
        [
            write(
                "label: 2018\n"
                "samples:\n  no: {kind: background, files: data/x.root}\n"
                "  2018: {kind: signal, files: data/y.root, m_phi: 2e3, r_inv: 0.3}\n"
                "methods: {1: {kind: ae, network: {hidden: [8]}}, on: {kind: mean, of: [1]}}\n"
            )
        ]
    )
    config = load_config(given)
    assert (config.of_kind("background"), config.of_kind("signal")) == (["no"], ["2018"])
    assert [sample.files for sample in config.samples.values()] == [("data/x.root",), ("data/y.root",)]
    assert ensembles(config.methods) == {"on": ("1",)}
    assert config.label == "2018"


def test_names_that_yaml_took_for_truth_values_are_refused():
    # As a module, the configuration comes through Snakemake's own reader.
    with pytest.raises(ConfigError, match=r"samples: the name False: YAML has its own meaning for yes, no"):
        load_config({"samples": {False: {}}, "methods": {}})
