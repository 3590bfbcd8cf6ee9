"""An analysis of one's own files from end to end: cross sections, cuts, corrections, variations, data; rows by hand."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import awkward as ak
import fastjet
import matplotlib.pyplot as plt
import numpy as np
import pytest
import uproot
import yaml
from filelock import FileLock

from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import TOGETHER
from oddjet.evaluation.variations import VariationRow
from oddjet.io.csv import read_rows
from oddjet.io.tables import read_table
from oddjet.jobs import Jobs

pytest.importorskip("correctionlib", reason="payloads need the package correctionlib (the extra `corrections`)")
from payloads import write_payload

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("own_analysis.yaml")
PROCESSES = {
    "ttbar": ({"name": "top_pairs", "pthat_min": 450}, 240),
    "qcd": ({"name": "qcd", "pthat_min": 450}, 240),
    "light": ({"name": "svj", "m_phi": 2000, "r_inv": 0.3, "m_dark": 10, "alpha": "low"}, 100),
    "heavy": ({"name": "svj", "m_phi": 2000, "r_inv": 0.3, "m_dark": 20, "alpha": "low"}, 100),
    "strong": ({"name": "svj", "m_phi": 2000, "r_inv": 0.3, "m_dark": 20, "alpha": "high"}, 100),
}
SIGNALS = ("light", "heavy", "strong")
TRIGGER = "HLT_PFHT1050"
VETO = "count(Electron_pt > 10 and abs(Electron_eta) < 2.5) == 0"
CERTIFIED = {"1": [[1, 2], [4, 4]]}


def like_cms(source: Path, target: Path, *, data: bool = False) -> None:
    """Copy simulated events with a trigger, electrons, density and pile-up; data have neither truth nor pile-up."""
    with uproot.open(source) as root:
        events = root["Events"].arrays()
    place = np.arange(len(events))
    truth = ("GenPart", "GenMET", "genWeight", "nGenPart")
    columns = {name: events[name] for name in events.fields if not name.startswith("n")}
    if data:
        columns = {name: values for name, values in columns.items() if not name.startswith(truth)}
        columns |= {"run": np.ones(len(events), np.uint32), "luminosityBlock": (place // 40 + 1).astype(np.uint32)}
    columns |= {
        TRIGGER: place % 4 != 0,
        "Electron_pt": ak.unflatten(np.where(place % 5 == 0, 30.0, 5.0).repeat(place % 2 + 1), place % 2 + 1),
        "Electron_eta": ak.unflatten(np.where(place % 3 == 0, 2.6, 1.0).repeat(place % 2 + 1), place % 2 + 1),
        "Rho": (10.0 + place % 20).astype(np.float32),
        "Pileup_nTrueInt": (place % 30).astype(np.float32),
    }
    kinds = {name: values.type if values.ndim > 1 else np.asarray(values).dtype for name, values in columns.items()}
    with uproot.recreate(target) as root:
        root.mktree("Events", kinds).extend(columns)


@pytest.fixture(scope="module")
def made(simulate, tmp_path_factory) -> Path:
    """Give the folder of a finished run of the configuration, one for all workers of a test run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "own_analysis"
    with FileLock(f"{folder}.lock"):
        if not (folder / "finished").exists():
            folder.mkdir()
            for name, (process, events) in PROCESSES.items():
                like_cms(simulate(f"own_{name}", process, events), folder / f"{name}.root")
            like_cms(simulate("own_qcd", *PROCESSES["qcd"]), folder / "jetht.root", data=True)
            write_payload(folder / "payload.json.gz")
            (folder / "golden.json").write_text(json.dumps(CERTIFIED))
            shutil.copy(CONFIG, folder / "own.yaml")
            wanted = [f"results/jets/auc/{name}.csv" for name in ("mahalanobis", "isolation_forest")]
            wanted += ["results/jets/figures/auc_heatmap_mahalanobis.png", "results/jets/merit/mahalanobis.csv"]
            command = [sys.executable, "-m", "snakemake", "--cores", "2", "--snakefile", str(ROOT / "Snakefile")]
            command += ["--directory", str(folder), "--configfile", str(folder / "own.yaml"), "--", "variations"]
            done = subprocess.run(
                [*command, "results/jets/figures/features.pdf", *wanted], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
            (folder / "finished").touch()
    return folder


class ByHand:
    """Counts of one file, made with awkward and the classic interface of fastjet, an event at a time."""

    def __init__(self, file: Path, *, data: bool, match: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.weights: list[tuple[int, float]] = []
        with uproot.open(file) as root:
            events = root["Events"].arrays()
        for place, event in enumerate(events):
            self.event(place, event, data=data, match=match)

    def event(self, place: int, event: ak.Record, *, data: bool, match: bool) -> None:
        count = self.counts
        count["events_read"] += 1
        if data and not any(first <= event.luminosityBlock <= last for first, last in CERTIFIED["1"]):
            count["events_not_certified"] += 1
        elif not event[TRIGGER]:
            count[f"events_cut: {TRIGGER}"] += 1
        elif any(pt > 10 and abs(eta) < 2.5 for pt, eta in zip(event.Electron_pt, event.Electron_eta, strict=True)):
            count[f"events_cut: {VETO}"] += 1
        else:
            passed = sum(self.jet(event, *jet, data=data, match=match) for jet in jets_of(event))
            count["events_passed" if passed else "events_without_selected_jet"] += 1
            self.weights += [(place, 1.0 if data else (0.5, 1.0, 2.0)[int(event.Pileup_nTrueInt // 10)])] * passed

    def jet(self, event: ak.Record, pt: float, eta: float, phi: float, *, data: bool, match: bool) -> bool:
        factor = 1.0 if data or abs(eta) >= 2.4 else (1.2 if abs(eta) < 1 else 1.1) * (1 - event.Rho / 1000)
        near = not match or any(
            abs(identifier) in range(4900101, 4900109)
            and status == 23
            and math.hypot(eta - one, (phi - other + math.pi) % (2 * math.pi) - math.pi) < 0.8
            for identifier, status, one, other in zip(
                event.GenPart_pdgId, event.GenPart_status, event.GenPart_eta, event.GenPart_phi, strict=True
            )
        )
        self.counts["jets_clustered"] += 1
        cuts = {
            "jets_pt_low": pt * factor <= 450,
            "jets_pt_high": pt * factor >= 1200,
            "jets_eta": abs(eta) >= 2.4,
            "jets_unmatched": not near,
        }
        name = next((name for name, fails in cuts.items() if fails), "jets_passed")
        self.counts[name] += 1
        return name == "jets_passed"


def jets_of(event: ak.Record) -> list[tuple[float, float, float]]:
    """Cluster the candidates of an event, anti-kT with R = 0.8 above 20 GeV: pT, eta, phi."""
    pt, eta, phi, mass, weight = (
        np.asarray(event[f"PFCands_{name}"], np.float64) for name in ("pt", "eta", "phi", "mass", "puppiWeight")
    )
    pt, mass = pt * weight, mass * weight
    energy = np.sqrt((pt * np.cosh(eta)) ** 2 + mass**2)
    momenta = zip(pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), energy, strict=True)
    particles = [fastjet.PseudoJet(*map(float, one)) for one in momenta]
    sequence = fastjet.ClusterSequence(particles, fastjet.JetDefinition(fastjet.antikt_algorithm, 0.8))
    return [(jet.pt(), jet.eta(), jet.phi_std()) for jet in sequence.inclusive_jets(20.0)]


@pytest.mark.parametrize("sample", [*PROCESSES, "jetht"])
def test_every_row_of_the_cutflow_is_that_by_hand(made: Path, sample: str) -> None:
    hand = ByHand(made / f"{sample}.root", data=sample == "jetht", match=sample in SIGNALS)
    told = cutflow_of(made, sample)
    for name in ("jets_rank", "events_without_candidates", "events_bad_candidate", "candidates_bad"):
        assert told.pop(name, 0) == 0
    assert (told.pop("sum_of_weights"), told.pop("sum_of_generated_weights")) == (hand.counts["events_read"],) * 2
    blocks = told.pop("luminosity_blocks_read", None), told.pop("luminosity_blocks_certified", None)
    assert blocks == ((6, 3) if sample == "jetht" else (None, None))
    assert {name: number for name, number in told.items() if number} == dict(hand.counts)
    # Weights of pile-up; the generator's are 1.
    (path,) = (made / f"results/tables/{sample}").glob("*.h5")
    table = read_table(path)
    assert sorted(zip(table["entry"].tolist(), table["weight"].tolist(), strict=True)) == sorted(hand.weights)


def cutflow_of(folder: Path, sample: str) -> dict[str, float]:
    from oddjet.io.cutflow import Cutflow
    from oddjet.io.tables import read_attributes

    (path,) = (folder / f"results/tables/{sample}").glob("*.h5")
    return Cutflow.from_json(read_attributes(path)["cutflow"]).counts()


def test_variations_are_of_nominal_detectors(made: Path) -> None:
    rows = read_rows(made / "results/jets/variations.csv", VariationRow)
    assert list(dict.fromkeys(row.variation for row in rows)) == [
        "nominal",
        "pileup_up",
        "pileup_down",
        "jec_up",
        "jec_down",
    ]
    nominal = {(row.method, row.signal): row for row in rows if row.variation == "nominal"}
    for method in ("mahalanobis", "isolation_forest"):
        rows_of = read_rows(made / f"results/jets/auc/{method}.csv", AucRow)
        together = [row for row in rows_of if row.background == TOGETHER]
        assert len(together) == 3
        for row in together:
            assert nominal[row.method, row.signal].auc == pytest.approx(row.auc, abs=1e-6)
    for row in rows:
        reference = nominal[row.method, row.signal]
        assert row.auc - reference.auc == pytest.approx(row.auc_shift, abs=1e-6)
    assert all(0 < row.background_efficiency <= 0.1 for row in nominal.values())
    # Jets that are shifted up come in at the lower edge, and jets of the qcd spectrum there are more of.
    yields = {row.variation: row.background_yield for row in rows}
    assert yields["jec_up"] > 1 > yields["jec_down"]
    # Pile-up of 30 % of 0 to 29 each: 0.6 for 0.5 and 2.4 for 2, by 20 % of what is not 1.
    assert 1 < yields["pileup_up"] < 1.2
    assert 0.8 < yields["pileup_down"] < 1
    assert (made / "results/jets/variations.md").read_text().startswith("# Systematic variations")


def test_signals_lie_on_axes_of_their_own(made: Path) -> None:
    points = {"light": (10, 0.2), "heavy": (20, 0.2), "strong": (20, 0.4)}
    rows = read_rows(made / "results/jets/auc/mahalanobis.csv", AucRow)
    assert {row.signal: (row.point["m_dark"], row.point["alpha"]) for row in rows} == points
    head = (made / "results/jets/merit/mahalanobis.csv").read_text().splitlines()[0]
    assert head == "method,seed,signal,m_dark,alpha,merit,value,error,where,background"
    # A heatmap over both, of one figure a method, against the mixture and each of its samples.
    figure = plt.imread(made / "results/jets/figures/auc_heatmap_mahalanobis.png")
    assert figure.shape[1] > 2.5 * figure.shape[0]


def test_no_variation_is_read_by_a_training(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    plan = Jobs(made / "own.yaml")

    def made_from(path: str) -> set[str]:
        found, waiting = set(), [path]
        while waiting:
            for job in plan.jobs(waiting.pop()):
                waiting += set(job.inputs) - found
                found.update(job.inputs)
        return found

    models = [f"results/jets/models/{method}/seeds-1/model.pt" for method in ("mahalanobis", "isolation_forest")]
    for path in [*models, "results/jets/dataset/train.h5", "results/jets/dataset/validation.h5"]:
        assert "results/tables/ttbar" in " ".join(made_from(path))
        assert not [name for name in made_from(path) if "variations/" in name]
    # What the same walk finds where variations are read.
    assert any("results/variations/jec_up/ttbar" in name for name in made_from("results/jets/variations.csv"))


def test_configuration_is_about_forty_lines() -> None:
    assert len(CONFIG.read_text().splitlines()) <= 46
    assert yaml.safe_load(CONFIG.read_text())["samples"].keys() == {*PROCESSES, "jetht"}
