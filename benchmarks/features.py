"""Measure the feature stage: against the straightforward route, part by part, on two cores, and its memory.

The straightforward route is fastjet's awkward interface for clustering, N-subjettiness, C2 and soft drop, EnergyFlow's
batch EFP and numpy for the axes. Both routes start from the same candidates in memory and end with the same eight
features (compared before anything is timed). Times are processor times of one core, the best of several.

Example: python benchmarks/features.py --events 400
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import awkward as ak
import fastjet
import numpy as np
import uproot

from oddjet.io.candidates import Particles
from oddjet.io.root import read_candidates
from oddjet.jets import grooming, substructure
from oddjet.jets.clustering import Jets, cartesian, cluster, rapidity, trees
from oddjet.jets.cutflow import Cutflow
from oddjet.jets.extract import extract_features, select
from oddjet.jets.features import C2_BETA, Substructure, chosen_features
from oddjet.jets.njettiness import njettiness
from oddjet.jets.recombination import CAMBRIDGE_AACHEN, KT
from oddjet.jets.settings import EIGHT_FEATURES, FeatureSettings
from oddjet.simulation.generate import simulate_sample
from oddjet.simulation.settings import Process, SimulationSettings
from timing import least

SETTINGS = FeatureSettings()
PROCESSES = {"top": {"name": "top_pairs"}, "svj": {"name": "svj", "m_phi": 2000, "r_inv": 0.3}}
WHOLE_JET = 1000.0
REPEATS = 5
COPIES = 6


def simulate(folder: Path, events: int) -> dict[str, Path]:
    paths = {}
    for name, process in PROCESSES.items():
        paths[name] = folder / f"{name}.root"
        model = Process.model_validate(process)
        simulate_sample(
            paths[name], model, SimulationSettings(), sample=name, part=0, events=events, seed=1, attributes={}
        )
    return paths


def in_fastjet(particles: Particles) -> ak.Array:
    columns = [ak.contents.NumpyArray(np.ascontiguousarray(column)) for column in cartesian(particles).T]
    record = ak.contents.RecordArray(columns, ["px", "py", "pz", "E"])
    return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(particles.offsets), record))


class Straightforward:
    """The same features with what the packages offer; each step keeps its result for the next."""

    def __init__(self, candidates: Particles) -> None:
        self.candidates = candidates

    def cluster(self) -> None:
        """Find jets, select those in the window, and make each the event of a new clustering."""
        definition = fastjet.JetDefinition(fastjet.antikt_algorithm, SETTINGS.radius)
        sequence = fastjet.ClusterSequence(in_fastjet(self.candidates), definition)
        jets = sequence.inclusive_jets(min_pt=SETTINGS.cluster_pt_min)
        indices = sequence.constituent_index(min_pt=SETTINGS.cluster_pt_min)
        pt = np.hypot(jets.px, jets.py)
        eta = np.arcsinh(jets.pz / pt)
        keep = (pt > SETTINGS.pt_min) & (pt < SETTINGS.pt_max) & (abs(eta) < SETTINGS.eta_max)
        flat = ak.flatten(indices[keep])
        first = np.repeat(self.candidates.offsets[:-1], ak.to_numpy(ak.sum(keep, axis=1)))
        members = ak.to_numpy(ak.flatten(flat + first))
        self.jets = self.candidates.take(ak.to_numpy(ak.num(flat)), members)
        self.sequence = fastjet.ClusterSequence(
            in_fastjet(self.jets), fastjet.JetDefinition(fastjet.cambridge_algorithm, WHOLE_JET)
        )

    def n_subjettiness(self) -> np.ndarray:
        """Give tau2 and tau3, shape (2, jets)."""
        return ak.to_numpy(
            self.sequence.njettiness(
                measure_definition="NormalizedMeasure",
                axes_definition="OnePass_KT_Axes",
                njets=[2, 3],
                beta=1.0,
                R0=SETTINGS.radius,
            )
        ).T

    def soft_drop(self) -> np.ndarray:
        """Give the soft drop mass, shape (jets,)."""
        groomed = self.sequence.exclusive_jets_softdrop_grooming(
            njets=1, beta=0.0, symmetry_cut=0.1, R0=SETTINGS.radius
        )
        return ak.to_numpy(groomed.msoftdrop).ravel()

    def c2(self) -> np.ndarray:
        """Give C2, shape (jets,)."""
        values = self.sequence.exclusive_jets_energy_correlator(njets=1, beta=C2_BETA, npoint=2, func="c2")
        return ak.to_numpy(values).ravel()

    def efp1(self) -> np.ndarray:
        """Give the polynomial of the single edge, shape (jets,)."""
        import energyflow

        efp = energyflow.EFP([(0, 1)], measure="hadr", beta=1, normed=True, coords="ptyphim")
        y = rapidity(self.jets)
        events = np.split(np.stack([self.jets.pt, y, self.jets.phi], axis=1), self.jets.offsets[1:-1])
        return efp.batch_compute(events, n_jobs=1)

    def axes_and_ptd(self) -> np.ndarray:
        """Give axis major, axis minor and pTD, shape (3, jets)."""
        result = []
        for a, b in zip(self.jets.offsets[:-1], self.jets.offsets[1:], strict=True):
            pt, phi = self.jets.pt[a:b], self.jets.phi[a:b]
            points = np.stack([self.jets.eta[a:b], np.angle(np.exp(1j * (phi - phi[0])))])
            values = np.linalg.eigvalsh(np.cov(points, aweights=pt**2, bias=True))
            result.append((np.sqrt(values[1]), np.sqrt(max(values[0], 0.0)), np.sqrt((pt**2).sum()) / pt.sum()))
        return np.array(result).T


def selected(candidates: Particles) -> Jets:
    jets = cluster(candidates, SETTINGS.radius, SETTINGS.cluster_pt_min)
    return jets.where(select(jets, SETTINGS, Cutflow()))


def all_eight(jets: Jets) -> dict[str, np.ndarray]:
    shared = Substructure(jets, SETTINGS)
    return {feature.name: feature.compute(shared) for feature in chosen_features(EIGHT_FEATURES)}


def parts_of_ours(jets: Jets) -> dict[str, Callable[[], object]]:
    c = jets.constituents
    return {
        "N-subjettiness": lambda: njettiness(c, trees(c, KT), (2, 3), SETTINGS.radius),
        "soft drop": lambda: grooming.soft_drop_mass(trees(c, CAMBRIDGE_AACHEN), 0.1, 0.0, SETTINGS.radius),
        "EFP1 and C2": lambda: substructure.correlators(c, rapidity(c), C2_BETA),
        "axes and pTD": lambda: substructure.shape(c),
    }


def check_same(ours: dict[str, np.ndarray], theirs: Straightforward) -> None:
    """Compare jet by jet, after sorting (fastjet's jets are not); the rare other tie or minimum may differ."""
    columns = {"softdrop_mass": theirs.soft_drop(), "c2": theirs.c2(), "efp1": theirs.efp1()}
    columns["tau2"], columns["tau3"] = theirs.n_subjettiness()
    columns["axis_major"], columns["axis_minor"], columns["ptd"] = theirs.axes_and_ptd()
    for name, values in columns.items():
        assert len(values) == len(ours[name])
        # One particle left: fastjet gives its own mass, we give 0.
        pairs = [np.sort(np.where(x < 0.2, 0, x) if name == "softdrop_mass" else x) for x in (values, ours[name])]
        assert np.mean(np.isclose(*pairs, rtol=1e-4, atol=1e-6)) > 0.99, name


def compare(name: str, path: Path) -> None:
    record = next(iter(read_candidates(path, chunk_size=1_000_000)))
    candidates = record.candidates
    theirs = Straightforward(candidates)
    theirs.cluster()
    jets = selected(candidates)
    check_same(all_eight(jets), theirs)
    steps = {"clustering": theirs.cluster, "N-subjettiness": theirs.n_subjettiness, "soft drop": theirs.soft_drop}
    steps |= {"C2": theirs.c2, "EFP1": theirs.efp1, "axes and pTD": theirs.axes_and_ptd}
    their_times = {step: least(action, 2) for step, action in steps.items()}
    our_steps = {"clustering": lambda: selected(candidates), **parts_of_ours(jets)}
    our_times = {step: least(action, REPEATS) for step, action in our_steps.items()}
    # As many events as in a file of the default run: opening a file costs as much as reading 100.
    longer = repeated(path, path.with_name(f"longer_{name}.root"), COPIES, 1000)
    reading = least(lambda: list(read_candidates(longer)), REPEATS) / COPIES
    whole = least(lambda: all_eight(selected(candidates)), REPEATS)
    print(f"{name}: {len(record)} events, {len(jets)} jets of {np.mean(jets.constituents.counts()):.0f} constituents")
    their_times["EFP1 and C2"] = their_times.pop("EFP1") + their_times.pop("C2")
    print(f"  {'microseconds a jet':<18} {'ours':>8} {'straightforward':>16}")
    for step, seconds in our_times.items():
        print(f"  {step:<18} {1e6 * seconds / len(jets):8.1f} {1e6 * their_times[step] / len(jets):16.1f}")
    print(f"  {'reading the file':<18} {1e6 * reading / len(jets):8.1f}")
    print(
        f"  {len(jets) / whole:.0f} jets/s and core from candidates, {len(jets) / (whole + reading):.0f} from the file"
    )
    print(f"ratio features_{name} {sum(their_times.values()) / whole:.2f}")
    print(f"ratio clustering_{name} {their_times['clustering'] / our_times['clustering']:.2f}")
    print(f"ratio njettiness_{name} {their_times['N-subjettiness'] / our_times['N-subjettiness']:.2f}")


def extract_part(arguments: tuple[str, str]) -> None:
    extract_features(arguments[0], Path(arguments[1]), SETTINGS)


def spin(_: int) -> int:
    """Arithmetic that shares nothing with anybody."""
    return sum(number * number for number in range(2_000_000))


def two_cores(folder: Path, path: Path, copies: int = 6) -> None:
    """Wall time of the parts of a sample one after another over that on two cores, in turns; the workers are warm.

    A loop of arithmetic is timed in the same way: it says what the machine has to give beside its other work.
    """
    parts = [(str(path), str(folder / f"part{number}.h5")) for number in range(copies)]
    walls: dict[tuple[str, int], list[float]] = {}
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(1) as one, spawn.Pool(2) as two:
        for turn in range(REPEATS + 1):
            for workers, pool in ((1, one), (2, two)):
                for what, action, items in (("files", extract_part, parts), ("loop", spin, range(copies))):
                    start = time.perf_counter()
                    pool.map(action, items, chunksize=1)
                    if turn:  # the first one compiles and imports
                        walls.setdefault((what, workers), []).append(time.perf_counter() - start)
    gain = {what: min(walls[what, 1]) / min(walls[what, 2]) for what in ("files", "loop")}
    print(f"{copies} files: {min(walls['files', 1]):.2f} s on one core, {min(walls['files', 2]):.2f} s on two")
    print(f"a loop of arithmetic gains {gain['loop']:.2f} from the second core, now and here")
    print(f"ratio features_two_cores {gain['files']:.2f}")


def peak_of(path: Path, folder: Path) -> float:
    """Peak memory in MB of a process that extracts one file."""
    code = (
        "import sys; from pathlib import Path; from oddjet.jets.extract import extract_features;"
        "from oddjet.jets.settings import FeatureSettings;"
        "extract_features(sys.argv[1], Path(sys.argv[2]), FeatureSettings(chunk_size=100));"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code, str(path), str(folder / "peak.h5")], capture_output=True, text=True, check=True
    )
    # Not ru_maxrss: a child inherits that of its parent.
    return int(done.stdout.split()[-2]) / 1024


def repeated(path: Path, longer: Path, copies: int, step: int) -> Path:
    """Write the events of a file several times, `step` a basket."""
    with uproot.open(path) as source, uproot.recreate(longer, compression=uproot.ZSTD(3)) as file:
        names = [n for n in source["Events"].keys() if n.startswith(("PFCands_", "GenPart_"))]  # noqa: SIM118
        names += ["run", "luminosityBlock", "event", "genWeight"]
        chunks = list(source["Events"].iterate(names, step_size=step, library="ak"))
        columns = {n: chunks[0][n] for n in names}
        kinds = {n: v.type.content if v.ndim == 1 else v.type for n, v in columns.items()}
        tree = file.mktree("Events", {n: str(k) if columns[n].ndim == 1 else k for n, k in kinds.items()})
        for _ in range(copies):
            for chunk in chunks:
                tree.extend({n: chunk[n] for n in names})
    return longer


def memory(folder: Path, path: Path, times: int = 10) -> None:
    """Peak memory on a file and on one that is ten times as large, with the same clusters of baskets."""
    sizes = {}
    for copies in (1, times):
        longer = repeated(path, folder / f"times{copies}.root", copies, 200)
        sizes[copies] = statistics.median(peak_of(longer, folder) for _ in range(3))
    print(f"peak memory {sizes[1]:.0f} MB on a file, {sizes[times]:.0f} MB on one {times} times as large")
    print(f"ratio features_memory {sizes[1] / sizes[times]:.2f}")


def seconds_with(path: Path, folder: Path, jets: int) -> float:
    """Processor time of a process that extracts one file and compares its first jets with fastjet, imports included."""
    code = (
        "import sys, time; from pathlib import Path; from oddjet.jets.extract import extract_features;"
        "from oddjet.jets.settings import FeatureSettings;"
        "extract_features(sys.argv[1], Path(sys.argv[2]), FeatureSettings(check_jets=int(sys.argv[3])));"
        "print(time.process_time())"
    )
    command = [sys.executable, "-c", code, str(path), str(folder / "checked.h5"), str(jets)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    return float(done.stdout.split()[-1])


def check(folder: Path, path: Path) -> None:
    """Time a file with and without the comparison of its first jets with fastjet."""
    jets = FeatureSettings().check_jets
    times = {number: min(seconds_with(path, folder, number) for _ in range(REPEATS)) for number in (0, jets)}
    print(f"one file: {times[0]:.2f} s, {times[jets]:.2f} s with {jets} jets compared with fastjet")
    print(f"ratio features_check {times[0] / times[jets]:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400, help="events of each sample (default: 400)")
    given = parser.parse_args()
    if find_spec("energyflow") is None:
        print("EnergyFlow is not installed: there is nothing to compare with")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = simulate(folder, given.events)
        for sample, path in paths.items():
            compare(sample, path)
        two_cores(folder, paths["top"])
        check(folder, paths["top"])
        memory(folder, paths["top"])


if __name__ == "__main__":
    main()
