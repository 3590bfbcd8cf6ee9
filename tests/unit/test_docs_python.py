"""The Python of the pages, run as it stands there: what it reads is made first, small."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from doc_blocks import blocks_of
from oddjet.io.tables import Column, write_table


def run(page: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run the only Python block of a page with some names known; return all names afterwards."""
    (block,) = [one.code for one in blocks_of(page) if one.language == "python"]
    exec(compile(block, page, "exec"), names)
    return names


def test_a_detector_in_python(small_analysis: Path, top_root: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = Path("results/jets/models/wnae/seeds-1-2/model.pt")
    model.parent.mkdir(parents=True)
    shutil.copy(small_analysis / "models/ae/model.pt", model)
    names = ("pt", "eta", "phi", "mass")
    with uproot.open(top_root) as root:
        stored = root["Events"].arrays([f"PFCands_{name}" for name in names])
    candidates = ak.zip({name: stored[f"PFCands_{name}"] for name in names})
    jets = run("docs/command.md", {"candidates": candidates})["jets"]
    assert len(jets) > 100
    assert np.isfinite(jets["mean_score"]).all()


def test_images_in_python(tmp_path: Path, monkeypatch) -> None:
    from oddjet.images.store import JET_COLUMNS, ImageWriter
    from oddjet.transport.sparse import SparseImages

    monkeypatch.chdir(tmp_path)
    path = Path("results/images/tables/qcd/test.h5")
    path.parent.mkdir(parents=True)
    jets = np.zeros(3, dtype=[(column.name, column.dtype) for column in JET_COLUMNS])
    jets["event"], jets["pt"] = np.arange(3), 500
    with ImageWriter(path, 40, 3.2, {}) as writer:
        bounds, pixels = np.arange(4), np.array([0, 41, 1599], np.uint16)
        writer.append_images(jets, bounds.astype(np.int64), pixels, np.ones(3, np.float32))
        writer.finish()
    batch = run("docs/images.md", {})["batch"]
    assert batch.dense().shape == (3, 40, 40)
    assert isinstance(batch.sparse, SparseImages)
    assert batch.dense()[1, 1, 1] == 1.0


def test_shares_of_backgrounds_in_python(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("results/jets/scores/wnae_minimum/mean.h5")
    path.parent.mkdir(parents=True)
    columns = [Column("sample", "i2", "1", "sample"), Column("score", "(1,)f8", "1", "score")]
    rows = np.zeros(8, dtype=[(column.name, column.dtype) for column in columns])
    # Four jets of the background that is trained on, none beyond 1.28; four of another one, of which a half is.
    rows["sample"], rows["score"][:, 0] = [0] * 4 + [2] * 4, [-1, 0, 0.5, 1.2, 0, 1.2, 1.3, 2]
    write_table(path, columns, rows, {"backgrounds": json.dumps([["top", 0, None], ["qcd", 2, None]])})
    run("docs/backgrounds.md", {})
    assert capsys.readouterr().out == "top 0.0\nqcd 0.5\n"


def test_exact_transport_in_python() -> None:
    import torch

    torch.manual_seed(1)
    images, weights, made = torch.rand(2, 5, 5), torch.rand(2, 4), torch.rand(2, 4)
    scale = torch.ones(5, 5, requires_grad=True)
    names = {"images": images, "network": lambda pixels: pixels * scale, "weights": weights, "made": made}
    run("docs/vae.md", {**names, "points": torch.rand(4, 2)})
    assert scale.grad is not None
    assert torch.isfinite(scale.grad).all()
