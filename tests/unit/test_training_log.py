"""What a training says while it runs: plain lines in a log, a bar on a terminal; and the coordinates it trains in."""

from __future__ import annotations

import io
import logging
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from oddjet.dataset.scaler_file import Inputs, method_scaler, read_scaler, write_scaler
from oddjet.dataset.scaling import fit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.file import load
from oddjet.io.tables import Column, read_table, write_table
from oddjet.training.loop import fit
from oddjet.training.state import TrainingState
from programs import run_program

FEATURES = ("tau2", "softdrop_mass")


class Terminal(io.StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def trained(kind: str, **training: object) -> TrainingState:
    settings = {"kind": kind, "training": {"epochs": 4, "batch_size": 32, **training}}
    method = MethodSettings.model_validate(settings)
    jets = torch.randn(64, 8, generator=torch.Generator().manual_seed(1))
    return fit(AutoencoderGroup(method, (1, 2), BackgroundJets(jets, jets[:20])), method.training)


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_log_has_a_line_an_epoch_with_the_numbers_of_the_history(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "oddjet"):
        state = trained("wnae", validate_every=2)
    floor, *lines = lines_of(caplog)
    assert len(lines) == 4
    (value,) = {row["wasserstein_floor_validation"] for row in state.history if row["epoch"] != 3}
    assert floor == (
        f"validation W: 4 draws of 5 jets and as many negatives; two draws of jets are {value:.4g} apart (floor)"
    )
    for epoch, line in enumerate(lines, start=1):
        rows = [row for row in state.history if row["epoch"] == epoch]
        losses = " ".join(f"{row['loss_train']:.4g}" for row in rows)
        expected = f"wnae epoch {epoch}/4: loss {losses}"
        # Validated in the first epoch and in every second one.
        if epoch in (1, 2, 4):
            values = " ".join(f"{row['wasserstein_validation']:.4g}" for row in rows)
            expected += f", wasserstein_validation {values}"
        assert line == expected


def test_the_autoencoders_line_names_its_own_metric(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "oddjet"):
        trained("ae")
    assert all(
        re.fullmatch(r"ae epoch \d/4: loss \S+ \S+, positive_energy_validation \S+ \S+", line)
        for line in lines_of(caplog)
    )


def test_a_terminal_gets_a_bar_and_no_line_an_epoch(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with caplog.at_level(logging.INFO, "oddjet"):
        trained("ae")
    assert lines_of(caplog) == []
    assert "training ae" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> Inputs:
    columns = [Column(name, "f4", "1", "value") for name in (*FEATURES, "weight")]
    jets = np.ones(200, dtype=[(column.name, column.dtype) for column in columns])
    generator = np.random.default_rng(1)
    for name in FEATURES:
        jets[name] = generator.gamma(4.0, 20.0, 200)
    for part in ("train", "validation"):
        write_table(tmp_path / f"{part}.h5", columns, jets, {})
    write_scaler(tmp_path / "scaler.json", fit_scaler(jets, DatasetSettings(features=FEATURES)))
    return Inputs(tmp_path / "train.h5", tmp_path / "validation.h5", tmp_path / "scaler.json")


def test_a_method_may_have_coordinates_of_its_own(files: Inputs) -> None:
    jets, datasets = read_table(files.train), read_scaler(files.scaler)
    assert method_scaler("dataset", files.scaler, files.train) == datasets
    for scaling in ("min_max", "standard", "power", "quantile"):
        expected = fit_scaler(jets, DatasetSettings(features=FEATURES, scaling=scaling))
        assert method_scaler(scaling, files.scaler, files.train) == expected
    assert method_scaler("min_max", files.scaler, files.train).transform(jets) == pytest.approx(
        datasets.transform(jets)
    )


def test_the_program_writes_plain_lines_and_keeps_its_coordinates_in_the_model(files: Inputs) -> None:
    settings = '{"kind": "ae", "scaling": "quantile", "training": {"epochs": 3}}'
    words = ["workflow/scripts/train_model.py", "--method", "ae_quantile", "--settings", settings]
    for name, path in (("train", files.train), ("validation", files.validation), ("scaler", files.scaler)):
        words += [f"--{name}", str(path)]
    output = files.train.parent / "ae"
    command = [*words, "--seeds", "1", "--output-dir", str(output)]
    done = run_program(command)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d INFO ", line) for line in lines)
    assert "ae_quantile: seeds [1] on cpu, 200 training and 200 validation jets" in lines[0]
    assert [line.split("INFO ")[1].split(":")[0] for line in lines[1:]] == [f"ae epoch {n}/3" for n in (1, 2, 3)]
    assert "\x1b" not in done.stderr
    assert load(output / "model.pt").card.scaler.scaling == "quantile"
