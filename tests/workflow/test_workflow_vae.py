"""The VAE's part of the target `images`: files, the numbers in them, and which training a changed key repeats."""

import csv

import pytest

from oddjet.images.vae_results import LatentRow, VaeAucRow
from oddjet.io.csv import read_rows

TARGET = "images"

pytestmark = pytest.mark.slow


def test_vaes_are_trained_scored_and_drawn(made):
    folder = made.folder / "results/images"
    rows = read_rows(folder / "vae.csv", VaeAucRow)
    trained = {(row.training_metric, row.depth, row.beta) for row in rows if row.labelled == "none"}
    assert trained == {("mse", 2, 0.0), ("mse", 2, 1e-7), ("wass1", 3, 1e-7)}
    assert {row.signal for row in rows} == {"top", "w"}
    assert {(row.labelled, row.signal) for row in rows if row.training_metric == "supervised"} == {
        (trained_on, signal) for trained_on in ("top", "w") for signal in ("top", "w")
    }
    # One beta of each is chosen, by the lowest validation loss among the histories.
    for metric, depth in (("mse", 2), ("wass1", 3)):
        losses = {}
        for path in (folder / f"vae/{metric}/depth-{depth}").glob("seed-1/beta-*/history.csv"):
            with path.open(newline="") as file:
                losses[float(path.parent.name.removeprefix("beta-"))] = min(
                    float(row["loss_validation"]) for row in csv.DictReader(file)
                )
        chosen = {row.beta for row in rows if (row.training_metric, row.depth, row.chosen) == (metric, depth, 1)}
        assert chosen == {min(losses, key=losses.get)}
    assert "(0.83)" in (folder / "vae.md").read_text()
    layers = {row.layer for row in read_rows(folder / "vae/latent.csv", LatentRow) if row.depth == 3}
    assert layers == {"block-1", "block-2", "block-3", "latent"}
    for name in ("vae_losses", "vae_scan", "vae_latent"):
        assert (made.folder / f"results/images/figures/{name}.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("key", "value", "rules"),
    [
        ("test_jets", 12, {"score_vae"}),
        ("training.learning_rate", 0.002, {"train_vae", "train_cnn"}),
        ("trainings.mse.epochs", 3, {"train_vae"}),
        ("cnn.epochs", 3, {"train_cnn"}),
        ("correlation_jets", 15, {"correlate_vae"}),
    ],
)
def test_a_key_repeats_what_reads_it(made, configured, key, value, rules):
    found = made.planned("images", *configured({f"images.vae.{key}": value}))
    # Each metric and depth has a rule of its own.
    planned = {"score_vae" if rule.startswith("score_vae") else rule: count for rule, count in found.items()}
    repeated = {"train_vae", "train_cnn", "score_vae", "correlate_vae"} & set(planned)
    after = {"train_vae": {"score_vae", "correlate_vae"}}
    assert repeated == rules.union(*(after.get(rule, set()) for rule in rules))
    assert "make_images" not in planned
    if key == "trainings.mse.epochs":
        assert planned["train_vae"] == 2
