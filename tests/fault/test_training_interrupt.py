"""A training that is told to stop (SIGTERM, SIGUSR1) keeps the epoch it is in, and goes on from there."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from oddjet.io.tables import Column, write_table
from oddjet.training.checkpoint import Interruption

ROOT = Path(__file__).parents[2]


def command(folder: Path, epochs: int) -> list[str]:
    rows = np.ones(640, [("x", "f4"), ("weight", "f4")])
    rows["x"] = np.random.default_rng(1).uniform(0, 1, 640)
    columns = [Column(name, "f4", "1", "A feature.") for name in ("x", "weight")]
    for part in ("train", "validation"):
        write_table(folder / f"{part}.h5", columns, rows, {})
    feature = {"transform": "identity", "floor": None, "minimum": 0.0, "maximum": 1.0, "mean": 0.5, "deviation": 0.3}
    scaler = {"features": [{"name": "x", **feature}], "scaling": "min_max", "range": [-3.0, 3.0]}
    (folder / "scaler.json").write_text(json.dumps(scaler))
    # No checkpoint but the one that the signal asks for.
    settings = {"kind": "ae", "training": {"epochs": epochs, "batch_size": 64, "checkpoint_seconds": 3600}}
    words = [sys.executable, "workflow/scripts/train_model.py", "--settings", json.dumps(settings), "--method", "m"]
    words += ["--seeds", "1", "--train", folder / "train.h5", "--validation", folder / "validation.h5"]
    return [*words, "--scaler", folder / "scaler.json", "--output-dir", folder / "model"]


def test_the_epoch_is_kept_and_the_next_start_goes_on(tmp_path):
    words = command(tmp_path, epochs=1_000_000)
    epochs = []
    for number in (signal.SIGTERM, signal.SIGUSR1):
        with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            lines = []
            for line in process.stderr:
                lines.append(line)
                if "epoch" in line and "/1000000" in line:
                    process.send_signal(number)
            assert process.wait() == 1
        told = "".join(lines)
        assert "Traceback" not in told
        stopped = re.search(rf"^error: {number.name} received: .* after epoch (\d+)", told, re.MULTILINE)
        epochs.append(int(stopped[1]))
        assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["checkpoints", "history.csv"]
        # The history has grown with the epochs, and holds those that are kept.
        kept = (tmp_path / "model" / "history.csv").read_text().splitlines()[1:]
        assert [int(line.split(",")[2]) for line in kept] == list(range(1, epochs[-1] + 1))
    assert f"going on after epoch {epochs[0]}\n" in told
    assert 0 < epochs[0] < epochs[1]


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with Interruption() as interruption:
        assert interruption.name is None
        signal.raise_signal(signal.SIGUSR1)
        assert interruption.name == "SIGUSR1"
    assert signal.getsignal(signal.SIGTERM) is before
