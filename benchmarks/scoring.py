"""Processor time of `oddjet score` against the feature stage alone, on the same jets of a ROOT file.

python benchmarks/scoring.py EVENTS.root MODEL.pt
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from oddjet.jets.extract import extract_features
from oddjet.tagging.files import score_files
from oddjet.tagging.tagger import Tagger, load

REPEATS = 5


def seconds(tagger: Tagger, events: str, folder: Path) -> tuple[float, float]:
    """Return processor seconds of both; the feature stage without its comparison with fastjet, and with all jets."""
    every = {"pt_min": tagger.settings.cluster_pt_min, "pt_max": 1e9, "eta_max": 1e9, "check_jets": 0}
    start = time.process_time()
    extract_features(events, folder / "features.h5", tagger.settings.model_copy(update=every))
    middle = time.process_time()
    score_files(tagger, [events], folder / "scores.h5")
    return middle - start, time.process_time() - middle


def main() -> None:
    """Measure in turns, after one that compiles."""
    if len(sys.argv) != 3:
        print("no file and detector given; usage: python benchmarks/scoring.py EVENTS.root MODEL.pt")
        return
    events, tagger = sys.argv[1], load(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds(tagger, events, folder)
        measured = [seconds(tagger, events, folder) for _ in range(REPEATS)]
    alone, scored = (statistics.median(column) for column in zip(*measured, strict=True))
    print(f"features {alone:.3f} s, scores {scored:.3f} s of processor time: ratio {scored / alone:.3f}")


if __name__ == "__main__":
    main()
