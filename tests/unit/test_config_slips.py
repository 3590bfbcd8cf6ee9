"""A hundred slips of the pen: each is told before the first job, by where it is, what is given and what is allowed.

What is no slip, an empty message, is taken as it is meant.
"""

import copy
import re

import pytest
import yaml

from oddjet.config import load_config
from oddjet.configfile import read_configuration
from oddjet.errors import OddjetError
from oddjet.inputs import listed_files

BASE = {
    "samples": {
        "top": {"kind": "background", "files": ["data/top.root"]},
        "sig": {"kind": "signal", "files": ["data/sig.root"], "m_phi": 2000, "r_inv": 0.3},
    },
    "methods": {"wnae": {"kind": "wnae"}, "mahalanobis": {"kind": "mahalanobis"}},
}
GONE = object()
TOP = {"kind": "background", "files": ["data/other.root"]}
GRID = {"m_phi": [2000], "r_inv": [0.1]}
SVJ = {"kind": "signal", "process": {"name": "svj", "m_phi": 1000, "r_inv": 0.3}, "events": 10}

SLIPS = [
    ("typo in a top key", {"sample": {}, "samples": GONE}, r"samples: Field required\n  sample: unknown key"),
    ("typo in a kind", {"methods.x.kind": "wane"}, r"methods\.x: kind: .*'wane'; did you mean 'wnae'\? There are: ae,"),
    ("typo in a baseline", {"methods.x.kind": "isolation_forrest"}, r"did you mean 'isolation_forest'\?"),
    ("kind missing", {"methods.x": {}}, r"methods\.x: kind is missing; it is one of ae, .*, mean"),
    ("kind null", {"methods.x.kind": None}, r"methods\.x: kind: there is no None\. There are: ae"),
    ("method a string", {"methods.x": "wnae"}, r"methods\.x: a method has keys of its own, .* \(given: 'wnae'\)"),
    ("methods empty", {"methods": {}}, r"methods: .*at least 1 item"),
    ("methods a list", {"methods": [{"kind": "wnae"}]}, r"methods: keys with values are wanted"),
    ("samples a list", {"samples": [TOP]}, r"samples: keys with values are wanted"),
    ("sample a string", {"samples.top": "data/top.root"}, r"samples\.top: keys with values are wanted"),
    ("samples missing", {"samples": GONE}, r"samples: Field required"),
    ("methods missing", {"methods": GONE}, r"methods: Field required"),
    ("no background", {"samples.top": GONE}, r"samples: none is of kind 'background'"),
    ("Background", {"samples.top.kind": "Background"}, r"samples\.top\.kind: .*did you mean 'background'\?"),
    ("bkg", {"samples.top.kind": "bkg"}, r"samples\.top\.kind: Input should be 'background', 'test_background', "),
    ("data", {"samples.top.kind": "data"}, r"samples: none is of kind 'background'"),
    ("files a string", {"samples.top.files": "data/top.root"}, ""),
    ("files a number", {"samples.top.files": 3}, r"samples\.top\.files: a list is wanted, as in \[3\] \(given: 3\)"),
    ("files empty", {"samples.top.files": []}, r"samples\.top\.files: .*at least 1 item"),
    ("file missing", {"samples.top.files": ["/nope/x.root"]}, r"samples\.top\.files: /nope/x\.root: no such file"),
    ("glob without a match", {"samples.top.files": ["/nope/*.root"]}, r"samples\.top\.files: .*matches no file"),
    ("glob **", {"samples.top.files": ["deep/**/*.root"]}, ""),
    ("home", {"samples.top.files": ["~/top.root"]}, ""),
    ("variable", {"samples.top.files": ["$HOME/top.root"]}, ""),
    ("variable not set", {"samples.top.files": ["$NOT_SET_HERE/x.root"]}, r"the variable NOT_SET_HERE is not set"),
    ("file twice", {"samples.top.files": ["data/top.root", "data/top.root"]}, r"samples\.top\.files: .*listed twice"),
    ("two spellings", {"samples.top.files": ["data/top.root", "data/../data/top.root"]}, r"listed twice"),
    (
        "file in two roles",
        {"samples.sig.files": ["data/top.root"]},
        r"samples\.sig\.files: .*also a file of samples\.top",
    ),
    ("glob of both", {"samples.top.files": ["data/*.root"]}, r"samples\.sig\.files: .*also a file of samples\.top"),
    ("no data file", {"samples.top.files": ["my.yaml"]}, r"samples\.top\.files: my\.yaml does not end in \.root"),
    ("braces", {"samples.top.files": ["data/{top,other}.root"]}, ""),
    ("one axis", {"samples.sig.m_phi": GONE}, ""),
    ("own axes", {"samples.sig.point": {"m_dark": 20, "alpha": 0.3}}, ""),
    ("names alone", {"samples.sig.m_phi": GONE, "samples.sig.r_inv": GONE}, ""),
    (
        "an axis too few",
        {"samples.sig2": {"kind": "signal", "files": ["data/other.root"], "m_phi": 1000}},
        r"signals: sig2 has no r_inv, and sig has; give it under samples\.sig2\.point",
    ),
    (
        "no axis where others have some",
        {"samples.sig2": {"kind": "signal", "files": ["data/other.root"]}},
        r"signals: sig2 has no m_phi, and sig has; give it under samples\.sig2\.point",
    ),
    (
        "an axis twice",
        {"samples.sig.point": {"m_phi": 3000}},
        r"samples\.sig: point\.m_phi: 3000: the sample has m_phi",
    ),
    ("axis with a unit", {"samples.sig.point": {"m_dark": "20 GeV"}}, r"samples\.sig\.point\.m_dark: .*valid number"),
    ("axis with a sign", {"samples.sig.point": {"m-dark": 20}}, r"samples\.sig\.point: the axis 'm-dark': its name is"),
    ("axis of a column", {"samples.sig.point": {"auc": 1}}, r"the axis 'auc' has the name of a column of the tables"),
    (
        "heatmap of another axis",
        {"samples.sig.point": {"m_dark": 20}, "heatmap": {"x": "m_drak"}},
        r"heatmap\.x: there is no 'm_drak'; did you mean 'm_dark'\?",
    ),
    (
        "heatmap at no signal",
        {"heatmap": {"at": {"m_phi": 1000}}},
        r"heatmap\.at\.m_phi: no signal is at 1000; there are 2000",
    ),
    (
        "heatmap of an analysis",
        {"analyses.a": {"background": ["top"], "signals": ["sig"], "heatmap": {"y": "alpha"}}},
        r"analyses\.a\.heatmap\.y: there is no 'alpha'",
    ),
    (
        "title of an axis",
        {"heatmap": {"axes": {"m_phi": {"title": "$m_$"}}}},
        r"heatmap\.axes\.m_phi: no formula stands",
    ),
    ("other parameters", {"samples.sig.m_zprime": 3500}, r"samples\.sig\.m_zprime: unknown key \(given: 3500\)"),
    (
        "two signals of one point",
        {"samples.sig2": {**BASE["samples"]["sig"], "files": ["data/other.root"]}},
        r"signals: sig and sig2 are both at m_phi 2000, r_inv 0\.3",
    ),
    ("half a grid", {"signals.m_phi": [1000]}, r"signals: m_phi without r_inv makes no signal"),
    ("the other half", {"signals.r_inv": [0.1]}, r"signals: r_inv without m_phi makes no signal"),
    ("a mass twice", {"signals": {"m_phi": [1000, 1000], "r_inv": [0.1]}}, r"signals: m_phi: 1000 stands twice"),
    ("six digits", {"signals": {"m_phi": [1000], "r_inv": [0.1234567, 0.1234568]}}, r"r_inv: 0\.123457 stands twice"),
    ("six digits of GeV", {"signals": {"m_phi": [2000.001, 2000.002], "r_inv": [0.1]}}, r"m_phi: 2000 stands twice"),
    (
        "six digits of two samples",
        {"samples.sig2": {**BASE["samples"]["sig"], "files": ["data/other.root"], "m_phi": 2000.0001}},
        r"signals: sig and sig2 are both at m_phi 2000, r_inv 0\.3 \(to six digits\); move one",
    ),
    ("r_inv above 1", {"samples.sig.r_inv": 1.5}, r"samples\.sig\.r_inv: .*less than or equal to 1 \(given: 1\.5\)"),
    ("per cent", {"samples.sig.r_inv": "30%"}, r"samples\.sig\.r_inv: .*valid number.* \(given: '30%'\)"),
    ("negative mass", {"samples.sig.m_phi": -2000}, r"samples\.sig\.m_phi: .*greater than 0"),
    ("mass with a unit", {"samples.sig.m_phi": "2 TeV"}, r"samples\.sig\.m_phi: .*valid number.* \(given: '2 TeV'\)"),
    ("mass in quotes", {"samples.sig.m_phi": "2000"}, ""),
    (
        "one cross section of two",
        {"samples.qcd": {**TOP, "cross_section": 3.0}},
        r"samples\.top: no cross_section, but other background samples have one",
    ),
    ("cross section 0", {"samples.top.cross_section": 0}, r"samples\.top\.cross_section: .*greater than 0"),
    ("cross section with a unit", {"samples.top.cross_section": "831.8 pb"}, r"samples\.top\.cross_section: .*number"),
    ("negative weight", {"samples.top.weight": -1}, r"samples\.top\.weight: .*greater than 0"),
    ("weight a branch", {"samples.top.weight": "puWeight"}, r"samples\.top\.weight: .*number.* \(given: 'puWeight'\)"),
    ("selection", {"samples.top.selection": "MET_pt > 200"}, r"samples\.top\.selection: keys with values are wanted"),
    ("trigger", {"features.trigger": "HLT_PFHT1050"}, r"features\.trigger: unknown key"),
    ("golden JSON", {"features.golden_json": "x.json"}, r"features\.golden_json: unknown key"),
    ("JEC", {"features.jec": "Summer19UL18"}, r"features\.jec: unknown key"),
    ("match", {"samples.sig.require_match": "darkquark"}, r"require_match: .*; did you mean 'dark_quark'\?"),
    ("match Z", {"samples.sig.require_match": "z"}, r"samples\.sig\.require_match: Input should be 'none'"),
    ("unknown feature", {"features.features": ["tau2", "tau23"]}, r"features: features: there is no 'tau23'; did you"),
    ("a feature as a word", {"features.features": "tau2", "dataset": {"features": ["tau2"], "log_floors": {}}}, ""),
    ("feature not computed", {"dataset.features": ["tau2", "tau32"]}, r"dataset\.features: 'tau32' is not among what"),
    ("feature twice", {"features.features": ["tau2", "tau2"]}, r"features: features are named more than once: tau2"),
    ("no feature", {"features.features": []}, r"features\.features: .*at least 1 item"),
    ("no feature of the dataset", {"dataset.features": []}, r"dataset\.features: .*at least 1 item"),
    (
        "feature alone",
        {"methods.x": {"kind": "feature", "feature": "multiplicty"}},
        r"methods\.x\.feature: there is no",
    ),
    ("feature in both", {"features.features": ["tau32"], "dataset": {"features": ["tau32"], "log_floors": {}}}, ""),
    ("PCA", {"methods.x": {"kind": "pca", "components": 8}}, r"methods\.x\.components: 8 components of 8 features"),
    ("pt_min above pt_max", {"features": {"pt_min": 1500, "pt_max": 1000}}, r"features: pt_max \(1000.*above pt_min"),
    ("pt_min a word", {"features.pt_min": "five hundred"}, r"features\.pt_min: .*valid number"),
    ("radius 15", {"features.radius": 15}, r"features\.radius: .*less than or equal to 1\.5"),
    ("eta_max negative", {"features.eta_max": -2.4}, r"features\.eta_max: .*greater than 0"),
    (
        "fractions 1.1",
        {"dataset.fractions": {"train": 0.7, "validation": 0.2, "test": 0.2}},
        r"the three fractions must",
    ),
    ("two fractions", {"dataset.fractions": {"train": 0.7, "validation": 0.2}}, r"dataset\.fractions: .*add up to 1"),
    ("epochs 0", {"methods.wnae.training.epochs": 0}, r"methods\.wnae\.training\.epochs: .*greater than or equal to 1"),
    ("epochs 3.5", {"methods.wnae.training.epochs": 3.5}, r"methods\.wnae\.training\.epochs: .*integer"),
    ("epochs in quotes", {"methods.wnae.training.epochs": "100"}, ""),
    ("a word for a rate", {"methods.wnae.training.learning_rate": "1e-3"}, ""),
    ("negative rate", {"methods.wnae.training.learning_rate": -1e-3}, r"training\.learning_rate: .*greater than 0"),
    ("lr", {"methods.wnae.training.lr": 1e-3}, r"methods\.wnae\.training\.lr: unknown key"),
    ("optimizer", {"methods.wnae.training.optimizer": "sgd"}, r"training\.optimizer: unknown key \(given: 'sgd'\)"),
    ("scheduler", {"methods.wnae.training.scheduler": "cosine"}, r"training\.scheduler: unknown key"),
    ("hidden outside network", {"methods.wnae.hidden": [32, 32]}, r"methods\.wnae\.hidden: unknown key"),
    ("width 0", {"methods.wnae.network.hidden": [0]}, r"methods\.wnae\.network: hidden: every width is at least 1"),
    ("activation", {"methods.wnae.network.activation": "gelu"}, r"network\.activation: .*did you mean 'elu'\?"),
    ("ae with a chain", {"methods.x": {"kind": "ae", "chain": {}}}, r"methods\.x: kind ae has no negatives"),
    ("baseline with training", {"methods.mahalanobis.training": {}}, r"methods\.mahalanobis\.training: unknown key"),
    ("baseline typo", {"methods.x": {"kind": "pca", "component": 3}}, r"methods\.x\.component: unknown key"),
    ("ensemble of itself", {"methods.e": {"kind": "mean", "of": ["e"]}}, r"methods\.e\.of: a mean of itself"),
    ("ensemble of nobody", {"methods.e": {"kind": "mean", "of": "wnea"}}, r"methods\.e\.of: 'wnea' is no method"),
    ("ensemble without of", {"methods.e": {"kind": "mean"}}, r"methods\.e\.of: Field required"),
    ("contamination of nobody", {"contamination.methods": ["nope"]}, r"contamination\.methods: there is no 'nope'"),
    ("contamination by nobody", {"contamination.signals": ["sgi"]}, r"contamination\.signals: .*did you mean 'sig'\?"),
    ("contamination by background", {"contamination.signals": ["top"]}, r"contamination\.signals: there is no 'top'"),
    ("a blank in a name", {"methods": {"my wnae": {"kind": "wnae"}}}, r"methods: the name 'my wnae' may hold"),
    ("an umlaut in a name", {"methods": {"größe": {"kind": "wnae"}}}, r"methods: the name 'größe' may hold"),
    ("a slash in a name", {"methods": {"a/b": {"kind": "wnae"}}}, r"methods: the name 'a/b' may hold"),
    ("a sign in a name", {"samples.t¯op": TOP}, r"samples: the name 't¯op' may hold"),
    ("names that are numbers", {"samples.2018": TOP, "methods.1": {"kind": "ae"}}, ""),
    ("names that YAML reads", {"samples.no": TOP, "methods.yes": {"kind": "ae"}}, ""),
    ("seeds a number", {"seeds": 3}, r"seeds: a list is wanted, as in \[3\] \(given: 3\)"),
    ("seeds empty", {"seeds": []}, r"seeds: .*at least 1 item"),
    ("seed twice", {"seeds": [1, 1]}, r"seeds: \[1, 1\] holds a seed twice"),
    ("seed negative", {"seeds": [-1]}, r"seeds\.0: .*greater than or equal to 0"),
    ("no seed a job", {"seeds_per_job": 0}, r"seeds_per_job: .*greater than 0"),
    ("label with signs", {"label": "CMS, √s = 13 TeV, $138\\,fb^{-1}$"}, ""),
    ("label that is no formula", {"label": "$\\foo$"}, r"label: no formula stands between \$ and \$: .*foo"),
    ("label with one dollar", {"label": "5 $"}, ""),
    ("label a number", {"label": 2018}, ""),
    ("section null", {"features": None}, r"features: keys with values are wanted; leave it out to have the defaults"),
    ("nan", {"features.pt_min": float("nan")}, r"features\.pt_min: .*finite number \(given: nan\)"),
    ("inf", {"features.pt_max": float("inf")}, r"features\.pt_max: .*finite number \(given: inf\)"),
    ("truth for a number", {"features.radius": True}, r"features\.radius: a number is wanted, not true or false"),
    ("truth for a seed", {"seeds": [2, True]}, r"seeds\.1: a number is wanted, not true or false"),
    ("truth for epochs", {"methods.wnae.training": {"epochs": True}}, r"methods\.wnae\.training\.epochs: a number is"),
    ("a range of seeds", {"seeds": "1-10"}, r"fit:\n  seeds\.0: .*integer.* \(given: '1-10'\)$"),
    ("huge seed of a model", {"seeds": [10**20]}, r"seeds\.0: .*less than 9223372036854775808"),
    ("entry empty", {"samples.top.files": [""]}, r"samples\.top\.files: an entry is empty"),
    ("entry blank", {"samples.top.files": " "}, r"samples\.top\.files: an entry is empty"),
    (
        "file for files",
        {"samples.top": {"kind": "background", "file": "data/top.root"}},
        r"\.top\.files: Field required\n",
    ),
    ("a name that is a file of ours", {"samples": {"cutflow.json": TOP}}, r"'cutflow\.json' .*does not end as a file"),
    ("a name that is the report", {"analyses": {"report.html": {}}}, r"'report\.html' .*does not end as a file"),
    (
        "a name that is a folder of ours",
        {"analyses": {"variations": {}}},
        r"'variations' is that of a folder of results",
    ),
    ("a name of 300 letters", {"methods": {"x" * 300: {"kind": "ae"}}}, r"methods: the name 'x+' .*at most 100"),
    ("label of two lines", {"label": "CMS\nPreliminary"}, r"label: one line of text is wanted"),
    (
        "both couplings",
        {"signals": {"m_phi": [1000], "r_inv": [0.1], "alpha": "low", "lambda_dark": 3}},
        r"svj: give a",
    ),
    (
        "a copy in two roles",
        {"samples.sig.files": ["copies/b.root"], "samples.top.files": ["copies/a.root"]},
        r"samples\.sig\.files: copies/b\.root is a copy of copies/a\.root, a file of samples\.top",
    ),
    ("huge seed", {"seed": 10**23}, r"seed: .*less than 9223372036854775808"),
    ("process typo", {"samples.q": {**SVJ, "process": {"name": "qcdd"}}}, r"samples\.q\.process: .*'top_pairs', 'qcd'"),
    ("files and a process", {"samples.top.process": {"name": "qcd"}}, r"samples\.top\.process: unknown key"),
    (
        "signal of QCD",
        {"samples.q": {**SVJ, "process": {"name": "qcd"}}},
        r"signals: q has no m_phi, and sig has",
    ),
    ("no events of a grid", {"signals": {**GRID, "events": 0}}, r"fit:\n  signals\.events: .*than 0 \(given: 0\)\Z"),
    ("events a text", {"signals": {**GRID, "events": "x"}}, r"fit:\n  .*events: .* integer, .*\(given: 'x'\)\Z"),
    ("a number for a list", {"signals": {**GRID, "events": {2000: 5}}}, r"fit:\n  .*2000: a list .*\(given: 5\)\Z"),
    ("no events at a point", {"signals": {**GRID, "events": {2000: [0]}}}, r"fit:\n  .*2000\.0: .*\(given: 0\)\Z"),
    ("parts above events", {"samples.q": {**SVJ, "parts": 11}}, r"samples\.q: parts: 11 files cannot share 10 events"),
    ("manifest missing", {"features.checksums": "sums.txt"}, r"features\.checksums: sums\.txt: no such file"),
    ("home of a manifest", {"features.checksums": "~/top.root"}, ""),
    (
        "variable of a manifest",
        {"features.checksums": "$NOT_SET_HERE/s"},
        r"features\.checksums: .*NOT_SET_HERE is not",
    ),
    ("a kept branch as a word", {"features.keep": "MET_pt"}, ""),
    ("a range of files", {"samples.top.files": "copies/{a..b}.root"}, r"copies/\{a\.\.b\}\.root: no such file"),
    ("ignore", {"features.on_bad_file": "ignore"}, r"features\.on_bad_file: Input should be 'fail' or 'skip'"),
    ("PFNano", {"features.layout": "PFNano"}, r"features\.layout: .*; did you mean 'pfnano'\?"),
    ("momentum of adam", {"methods.wnae.training.momentum": 0.5}, r"momentum is 0\.5, which only optimiser: sgd reads"),
    ("fall of no rate", {"methods.wnae.training.learning_rate_factor": 0.5}, r"only learning_rate_patience reads"),
    ("weight beyond float32", {"samples.top.weight": 1e40}, r"samples\.top\.weight: Input should be less than"),
    ("formula of nothing", {"methods.wnae.title": "$x_$"}, r"no formula stands between \$ and \$: .{1,130}\n*$"),
    ("fractions in percent", {"dataset.fractions": {"train": 50, "test": 25}}, r"fractions\.train: .*less than 1"),
    ("seeds as a range", {"seeds": "1-5"}, r"seeds\.0: Input should be a valid integer.*'1-5'"),
    ("signal of itself", {"analyses.a": {"background": ["top"], "signals": ["top"]}}, r"top is background too"),
    ("analysis of a folder", {"analyses.tables": {"background": ["top"]}}, r"'tables' is that of a folder of results"),
    (
        "mean of a mean",
        {"methods.a": {"kind": "mean", "of": "b"}, "methods.b": {"kind": "mean", "of": "wnae"}},
        r"'b' is a mean",
    ),
    ("device of one card", {"methods.wnae.training.device": "cuda:0"}, r"'auto', 'cpu' or 'cuda'; did you mean 'cuda'"),
    ("dataset of CMS", {"samples.top.files": ["/TTToHadronic/RunII-v1/NANOAODSIM"]}, r"dasgoclient --query"),
    ("one slash", {"samples.top.files": ["root:/host//x.root"]}, r"an address has two slashes: root://host//x\.root"),
    ("bucket", {"samples.top.files": ["s3://bucket/x.root"]}, r"no such kind of address is read"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("data/top.root", "data/sig.root", "data/other.root", "deep/er/x.root", "top.root"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "copies").mkdir()
    for name in "ab":
        (tmp_path / f"copies/{name}.root").write_bytes(b"root" + bytes(3 << 20) + b"end")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("changes", "message"), [slip[1:] for slip in SLIPS], ids=[slip[0] for slip in SLIPS])
def test_a_slip_is_told_before_the_first_job(folder, changes, message):
    given = copy.deepcopy(BASE)
    for path, value in changes.items():
        *parents, last = path.split(".")
        section = given
        for part in parents:
            section = section.setdefault(part, {})
        section.pop(last, None)
        if value is not GONE:
            section[last] = value
    path = folder / "my.yaml"
    path.write_text(yaml.safe_dump(given, allow_unicode=True, sort_keys=False))

    def check() -> None:
        listed_files(load_config(read_configuration([path])))

    if not message:
        check()
        return
    with pytest.raises(OddjetError) as told:
        check()
    assert re.search(message, str(told.value)), str(told.value)
    # A line a slip, and none of them of a library.
    assert not re.search(r"Traceback|valid tuple|instance of|pydantic", str(told.value))


def test_there_are_a_hundred_and_one():
    assert len(SLIPS) >= 101
    assert len({slip[0] for slip in SLIPS}) == len(SLIPS)
