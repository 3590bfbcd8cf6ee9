"""Cuts, kept columns and data in a configuration: what fits, and what does not in one line a key."""

import copy
import json
import re
import shutil
from pathlib import Path

import pytest
import uproot
import yaml

from oddjet.config import load_config
from oddjet.configfile import read_configuration
from oddjet.errors import ConfigError, SelectionError
from oddjet.inputs import check_configuration, listed_files
from oddjet.plan import Plan
from oddjet.selection.expressions import FUNCTIONS, parse_column, parse_cut
from oddjet.selection.golden import read_golden
from oddjet.simulation.settings import BRANCHES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/selection.md").read_text()
SMALL = {
    "samples": {
        "top": {"kind": "background", "process": {"name": "top_pairs"}, "events": 10},
        "run": {"kind": "data", "files": ["run.root"]},
    },
    "signals": {"m_phi": [2000], "r_inv": [0.1], "events": 5},
    "methods": {"mahalanobis": {"kind": "mahalanobis"}},
}


def changed(values: dict[str, object]) -> dict:
    """The small configuration with keys set, by their dotted paths."""
    given = copy.deepcopy(SMALL)
    for path, value in values.items():
        *parents, last = path.split(".")
        section = given
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = value
    return given


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "features.selection.events",
            "MET_pt >",
            r"features\.selection\.events: 'MET_pt >' is no exp.*\(given",
        ),
        ("features.selection.jets", "pt", None),
        ("features.selection.jets", "pt + 1", r"features\.selection\.jets: 'pt \+ 1' is a number, not true or false"),
        ("features.selection.events", True, r"features\.selection\.events: Input should be a valid string"),
        ("features.selection.event", "MET_pt > 1", r"features\.selection\.event: unknown key"),
        ("features.selection.missing_triggers", "no", r"missing_triggers: Input should be 'fail' or 'not_fired'"),
        ("samples.top.where", "open(x)", r"samples\.top\.where: open\(\.\.\.\) is no function here"),
        ("samples.top.selection.jets", "x and", r"samples\.top\.selection\.jets: 'x and' is no expression"),
        ("samples.top.selection.jets", "none", None),
        ("features.keep", ["MET_pt", "MET_pt"], r"features\.keep: 'MET_pt' is named more than once"),
        (
            "features.keep",
            ["MissingET.MET"],
            r"'MissingET\.MET' is no name of a column; give it one, as in \{met",
        ),
        ("features.keep", [{"met": "MissingET.MET"}], None),
        ("features.keep", {"tau2": "MET_pt"}, r"features: keep: 'tau2' is a column already.*\{my_tau2: \.\.\.\}"),
        ("features.keep", ["weight"], r"features: keep: 'weight' is a column already"),
        ("features.keep", [{"ht": "sum(Jet_pt"}], r"features\.keep: ht: 'sum\(Jet_pt' is no expression"),
        ("dataset.features", ["tau2", "ht"], r"'ht' is not among what `features\.features` computes"),
        ("merit.planed", ["ht"], r"merit\.planed: there is no 'ht'.*name it under features\.keep too"),
        ("merit.planed", ["mass"], None),
        ("samples.run.cross_section", 2.0, r"samples\.run: cross_section: 2\.0: data have none; leave it out"),
        ("samples.run.require_match", "top", r"samples\.run: require_match: top: data have none"),
        ("samples.run.kind", "background", None),
        ("samples.top.golden_json", "a.json", r"samples\.top\.golden_json: unknown key"),
        ("samples.top.kind", "data", r"samples\.top\.kind: Input should be .* or 'signal' \(given: 'data'\)"),
        (
            "samples.own",
            {"files": ["a.root"], "golden_json": "a.json"},
            r"samples\.own: golden_json: a\.json: of data alone; write kind: data",
        ),
        ("analyses.jets.data", ["nun"], r"analyses\.jets\.data: .*no 'nun'; did you mean 'run'|there is no 'nun'"),
        ("analyses.jets.data", ["top"], r"analyses\.jets\.data: top is among backgrounds or signals too"),
    ],
)
def test_a_slip_is_named_by_its_key(path: str, value: object, message: str | None) -> None:
    if message is None:
        load_config(changed({path: value}))
        return
    with pytest.raises(ConfigError, match=message):
        load_config(changed({path: value}))


def test_kept_columns_may_be_columns_of_models_and_stand_in_the_figure_of_features() -> None:
    given = {"features.keep": ["MET_pt", {"ht": "sum(Jet_pt)"}], "dataset.features": ["tau2", "ht"]}
    config = load_config(changed({**given, "dataset.log_floors": {}}))
    assert config.features.keep == {"MET_pt": "MET_pt", "ht": "sum(Jet_pt)"}
    assert config.all_analyses()["jets"].dataset.features == ("tau2", "ht")
    again = load_config(json.loads(config.model_dump_json()))
    assert again == config
    assert Plan(config, {}).figure_columns("jets") == ["tau2", "ht", "MET_pt"]


def test_data_are_in_no_role_and_shown(tmp_path: Path) -> None:
    (tmp_path / "run.root").touch()
    config = load_config(changed({"samples.run.files": [str(tmp_path / "run.root")]}))
    analysis = config.all_analyses()["jets"]
    assert (analysis.background, analysis.data) == (("top",), ("run",))
    plan = Plan(config, listed_files(config, tmp_path))
    (table,) = plan.data_tables("jets")
    assert plan.data_arguments("jets") == [f"run={table}"]
    assert table in plan.analysis_tables("jets")
    assert table not in [*plan.background_tables("jets"), *plan.signal_tables("jets")]
    assert config.notes() == []
    shown = load_config(changed({"analyses.jets.data": []}))
    assert shown.all_analyses()["jets"].data == ()


def test_training_on_data_is_told() -> None:
    config = load_config(changed({"analyses": {"jets": {}, "of_data": {"background": ["run"]}}}))
    assert config.all_analyses()["of_data"].data == ()
    (note,) = config.notes()
    assert note.startswith("analyses.of_data.background: run is of kind data, and trains")


def test_a_golden_json_is_read_before_the_first_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.root").touch()
    Path("golden.json").write_text('{"297050": [[[12, 13]]]}')
    Path("my.yaml").write_text(yaml.safe_dump(changed({"samples.run.golden_json": "golden.json"})))
    # As Windows writes it.
    Path("bom.json").write_text('{"297050": [[12, 13]]}', encoding="utf-8-sig")
    assert read_golden(Path("bom.json")) == {297050: [(12, 13)]}
    with pytest.raises(SelectionError, match=r"run\.golden_json: golden\.json: run 297050: \[\[12, 13\]\] is no"):
        check_configuration([Path("my.yaml")])


def test_the_configurations_of_the_page_fit(tmp_path: Path) -> None:
    shutil.copy(ROOT / "config/config.yaml", tmp_path)
    blocks = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)]
    assert len(blocks) == 4
    for block in blocks:
        # A background beside one with a cross section has one, too.
        samples = {name: None for name in ("top",) if "cross_section" in str(block)}
        file = tmp_path / "my.yaml"
        file.write_text(yaml.safe_dump({"extends": "config.yaml", **block}))
        given = read_configuration([file])
        given["samples"] = {name: one for name, one in given["samples"].items() if name not in samples}
        load_config(given)


def test_the_page_names_every_function_and_its_expressions_parse() -> None:
    rows = re.findall(r"^\| (`.*`) \| ", PAGE, re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`(\w+)(?:\(|`)", row)}
    assert set(FUNCTIONS) <= named
    for text in ("(Jet_jetId & 2) > 0", "max(Muon_pt) < 20", "1 < x < 2"):
        assert f"`{text}`" in PAGE
        parse_cut(text)
    parse_column("delta_r(eta1, phi1, eta2, phi2)")


def test_what_simulated_files_lack_is_said_before_the_first_job(tmp_path: Path) -> None:
    config = load_config(changed({"features.selection.events": "MET_pt > 10 and PV_npvs > 1"}))
    with pytest.raises(
        SelectionError, match=r"samples\.top: the cut on events 'PV_npvs > 1': there is no branch"
    ) as caught:
        listed_files(config, tmp_path)
    assert "where and selection" in str(caught.value)
    (tmp_path / "run.root").touch()
    fits = {"features.selection.jets": "tau1 < MET_pt and pt > 1", "samples.run.files": [str(tmp_path / "run.root")]}
    assert listed_files(load_config(changed(fits)), tmp_path).keys() == {"run"}


def test_the_branches_of_simulated_files_are_known(top_root: Path) -> None:
    with uproot.open(top_root) as file:
        assert sorted(file["Events"].keys()) == sorted(BRANCHES)


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        (
            {"events": "MET_phi > 0 and MET_PT > 10"},
            r"samples\.run: .*\.root: .*no branch 'MET_PT'; the nearest are MET_pt",
        ),
        (
            {"events": "GenPart_pt > 10"},
            r"samples\.run: .*\.root: the cut on events: 'GenPart_pt > 10' has a list of",
        ),
        ({"jets": "PFCands_pt > 10"}, r"samples\.run: .*\.root: the cut on jets: 'PFCands_pt > 10' has a list of"),
    ],
)
def test_a_check_tries_the_cuts_on_the_first_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, top_root: Path, cuts: dict[str, str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(top_root, "run.root")
    Path("my.yaml").write_text(yaml.safe_dump(changed({"samples.run.selection": cuts})))
    with pytest.raises(SelectionError, match=message):
        check_configuration([Path("my.yaml")])
    fits = {"events": "MET_pt > 0", "jets": "pt > 30 and max(GenPart_pt) > 10"}
    Path("my.yaml").write_text(yaml.safe_dump(changed({"samples.run.selection": fits, "features.keep": ["MET_pt"]})))
    assert check_configuration([Path("my.yaml")])[-1].startswith("fits: 1 background, 1 signal, 1 data samples")
