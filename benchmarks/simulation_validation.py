"""Print the validation numbers of docs/simulation.md: simulate every process, measure cost, dark sector and jets.

Example: python benchmarks/simulation_validation.py --events 300
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import awkward as ak
import fastjet
import numpy as np
import uproot
import vector

from oddjet.simulation.generate import simulate_sample
from oddjet.simulation.settings import Process, SimulationSettings

vector.register_awkward()

SVJ = [(2000, r_inv) for r_inv in (0, 0.1, 0.3, 0.5, 0.7, 1)] + [(1000, 0.3), (3000, 0.3)]
PROCESSES = [{"name": name} for name in ("top_pairs", "qcd", "hadronic_w")]
PROCESSES += [{"name": "svj", "m_phi": m_phi, "r_inv": r_inv} for m_phi, r_inv in SVJ]
# Name of the process: code and status of the particle that its jets are matched to.
TRUTH = {"top_pairs": (6, 62), "hadronic_w": (24, 62), "svj": (4900101, 23)}
# Process: number of quarks that a contained jet holds.
QUARKS = {"top_pairs": 3, "hadronic_w": 2}


def vectors(events: ak.Array, collection: str, chosen: ak.Array | None = None) -> ak.Array:
    fields = {name: events[f"{collection}_{name}"] for name in ("pt", "eta", "phi", "mass")}
    if chosen is not None:
        fields = {name: values[chosen] for name, values in fields.items()}
    return ak.zip(fields, with_name="Momentum4D")


def simulate(
    folder: Path, process: dict[str, object], events: int, seed: int, settings: SimulationSettings
) -> tuple[ak.Array, float]:
    """Simulate; give the events and the processor time of one of them in milliseconds, without the start of Pythia."""
    times = []
    for count in (1, events + 1):
        start = time.process_time()
        model = Process.model_validate(process)
        path = folder / "x.root"
        simulate_sample(path, model, settings, sample="x", part=0, events=count, seed=seed, attributes={})
        times.append(time.process_time() - start)
    with uproot.open(path) as file:
        return file["Events"].arrays(), 1000 * (times[1] - times[0]) / events


def anti_kt_jets(events: ak.Array) -> ak.Array:
    """Cluster candidates; keep jets of radius 0.8 with 500 < pT < 1000 GeV and |eta| < 2.4."""
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, 0.8)
    jets = fastjet.ClusterSequence(vectors(events, "PFCands"), definition).inclusive_jets(min_pt=500)
    return jets[(jets.pt < 1000) & (abs(jets.eta) < 2.4)]


def jet_numbers(events: ak.Array, name: str) -> str:
    """Count jets an event (all, matched); give the mass of those that hold all quarks."""
    jets = anti_kt_jets(events)
    text = f"{ak.sum(ak.num(jets.pt)) / len(events):.3f} |"
    if name in TRUTH:
        code, status = TRUTH[name]
        truth = vectors(events, "GenPart", (abs(events.GenPart_pdgId) == code) & (events.GenPart_status == status))
        matched = ak.fill_none(ak.min(jets[:, :, None].deltaR(truth[:, None, :]), axis=2) < 0.8, False)
        text += f" {ak.sum(matched) / len(events):.3f}"
    text += " |"
    if name in QUARKS:
        chosen = (events.GenPart_status == 23) & (abs(events.GenPart_pdgId) <= 5)
        inside = ak.sum(jets[:, :, None].deltaR(vectors(events, "GenPart", chosen)[:, None, :]) < 0.6, axis=2)
        masses = ak.to_numpy(ak.flatten(jets.mass[matched & (inside == QUARKS[name])]), allow_missing=False)
        text += f" {np.median(masses):.1f} ({len(masses)})"
    return text


def dark_numbers(events: ak.Array) -> str:
    """Give the number of dark hadrons an event and the fraction of them that is invisible."""
    total = ak.sum(events.nDarkHadrons)
    if total == 0:
        return " | "
    fraction = ak.sum(events.nDarkHadrons * events.invisibleFraction) / total
    error = np.sqrt(max(fraction * (1 - fraction), 0) / total)
    return f"{total / len(events):.1f} | {fraction:.3f} ± {error:.3f}"


def soft_share(events: ak.Array) -> str:
    """Give the share of the jets that stem from events whose hard top quark has less than the usual cut of 450 GeV."""
    hard = events.GenPart_pt[(abs(events.GenPart_pdgId) == 6) & (events.GenPart_status == 22)]
    jets = ak.num(anti_kt_jets(events).pt)
    soft = jets * (hard[:, 0] < 450)
    share = ak.sum(soft) / ak.sum(jets)
    # Both jets of an event are soft or hard together: the events, not the jets, are independent.
    error = np.sqrt(ak.sum((soft - share * jets) ** 2)) / ak.sum(jets)
    return f"{share:.2f} ± {error:.2f}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=100, help="events a process")
    arguments.add_argument("--seed", type=int, default=1, help="seed of all samples")
    given = arguments.parse_args()
    count, seed = given.events, given.seed
    rows = [
        "| process | ms/event | no MPI | candidates | MET | dark hadrons | invisible | jets | matched | jet mass |",
        "|---" * 10 + "|",
    ]
    for process in PROCESSES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _, bare = simulate(folder, process, count // 3, seed, SimulationSettings(multiparton_interactions=False))
            events, cost = simulate(folder, process, count, seed, SimulationSettings())
        label = " ".join(str(value) for value in process.values())
        met = f"{ak.mean(events.MET_pt):.0f} ± {ak.std(events.MET_pt) / np.sqrt(len(events)):.0f}"
        rows.append(
            f"| {label} | {cost:.1f} | {bare:.1f} | {ak.mean(events.nPFCands):.0f} | {met} "
            f"| {dark_numbers(events)} | {jet_numbers(events, str(process['name']))} |"
        )
    with tempfile.TemporaryDirectory() as name:
        softer = {"name": "top_pairs", "pthat_min": 300}
        events, _ = simulate(Path(name), softer, 3 * count, seed, SimulationSettings())
    rows.append(f"\nshare of the top sample's jets that pthat_min = 450 GeV loses: {soft_share(events)}")
    print("\n".join(rows))  # at the end: fastjet writes its banner to standard output


if __name__ == "__main__":
    main()
