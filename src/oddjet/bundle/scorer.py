"""Score jets with the graph beside this file; needs numpy and onnxruntime alone.

python scorer.py jets.csv > scores.csv    columns as `features` in card.json, in physical units
python scorer.py jets.npy > scores.csv    an array of these columns, or of images (jets, pixels, pixels)
python scorer.py                          compare with the scores in check_jets.csv
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
CARD = json.loads((HERE / "card.json").read_text(encoding="utf-8"))
SESSION = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])


def score(table):
    """Return the mean score (n,) of columns by name, of an array of all (n, D), or of images; larger is anomalous."""
    names = CARD["features"]
    if isinstance(table, np.ndarray) and table.dtype.names is None:
        features = np.asarray(table, dtype=np.float64).reshape(len(table), len(names))
    else:
        missing = sorted(set(names).difference(table.dtype.names if isinstance(table, np.ndarray) else table.keys()))
        if missing:
            raise ValueError(f"no column {missing[0]}; the card has {len(names)} features, {names[0]} to {names[-1]}")
        features = np.stack([np.asarray(table[name], dtype=np.float64) for name in names], axis=1)
    if not np.isfinite(features).all():
        row, place = np.argwhere(~np.isfinite(features))[0]
        raise ValueError(f"{names[place]} of jet {row} is not a finite number")
    parts = [SESSION.run(["mean"], {"features": features[i : i + 4096]})[0] for i in range(0, len(features), 4096)]
    return np.concatenate(parts) if parts else np.empty(0)


def threshold(efficiency, pt=None):
    """Return the cut of a background efficiency: over all jets, or in the pT bin (GeV) of a jet; None if unknown."""
    bins = [row for row in CARD["thresholds"] if row["efficiency"] == efficiency]
    if pt is not None:
        bins = [row for row in bins if row["pt_min"] is not None and row["pt_min"] <= pt < row["pt_max"]]
    if not bins:
        known = sorted({row["efficiency"] for row in CARD["thresholds"]})
        raise ValueError(f"no threshold for efficiency {efficiency}, pT {pt}; the card has the efficiencies {known}")
    return bins[0]["score"]


def read(file):
    """Read jets: an array, or columns by name."""
    if file.suffix == ".npy":
        return np.load(file)
    return np.atleast_1d(np.genfromtxt(file, delimiter=",", names=True, deletechars=""))


if __name__ == "__main__":
    file = Path(sys.argv[1]) if sys.argv[1:] else HERE / "check_jets.csv"
    try:
        jets = read(file)
        scores = score(jets)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {file}: {error}")
    if sys.argv[1:]:
        print("\n".join(["mean", *(repr(float(value)) for value in scores)]))
    else:
        worst = np.max(np.abs(scores - jets["mean"]) / np.maximum(np.abs(jets["mean"]), 1e-12))
        sys.exit(f"scores differ by {worst:.1e}" if worst > 1e-5 else print(f"{len(jets)} scores agree to {worst:.1e}"))
