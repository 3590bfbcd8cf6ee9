"""The files of `snakemake images`: samples, tables, distances, reference jets, models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from oddjet.batches import Batch, batches_of
from oddjet.detectors.vae.settings import VaeMethod
from oddjet.images.settings import READ, ImagesSettings
from oddjet.io.kept import Kept, find_kept
from oddjet.jets.settings import FeatureSettings
from oddjet.program import options_of
from oddjet.samples import Listed, Simulated
from oddjet.sources import Found, refuse_shared

# Names of metrics, as a regular expression.
METRIC = r"mae|mse|wass\d+(p\d+)?"
FIGURES = ("pdf", "png")


def listed_images(settings: ImagesSettings, features: FeatureSettings) -> dict[str, Found]:
    """Find the files of the image samples that lie in files; raise `SourceError` for one that cannot be found."""
    samples = {
        name: Kept(
            sample.files,
            tuple(Path(_table(name, split)) for split in ("train", "validation", "test")),
            options_of(["--settings", settings.jets.model_dump_json(), *making(sample, features)]),
        )
        for name, sample in settings.samples.items()
        if isinstance(sample, Listed)
    }
    found = find_kept(samples, "images.samples")
    refuse_shared({f"images.samples.{name}": list(one.parts.values()) for name, one in found.items()})
    return found


def making(sample: Simulated | Listed, features: FeatureSettings) -> list[str]:
    """Return the options of `make_images` for a sample: how its files are read, its cuts, corrections and weight."""
    return [
        *("--features", features.model_dump_json(include=READ)),
        *("--selection", sample.own_selection().model_dump_json()),
        *(["--corrections", sample.corrections.model_dump_json()] if sample.corrections is not None else []),
        *("--require-match", sample.require_match, "--weight", str(sample.weight)),
    ]


def _table(sample: str, split: str) -> str:
    return f"results/images/tables/{sample}/{split}.h5"


@dataclass(frozen=True)
class ImagePlan:
    """Paths and lists of files of the images."""

    settings: ImagesSettings
    features: FeatureSettings
    found: Mapping[str, Found]

    def candidates(self, sample: str) -> list[str]:
        """Return the ROOT files of a sample, or their addresses."""
        own = self.settings.samples[sample]
        if isinstance(own, Listed):
            return list(self.found[sample].parts.values())
        return [f"results/images/samples/{sample}/{number:04d}.root" for number in range(own.parts)]

    def payloads(self, sample: str) -> list[str]:
        """Return the files of a sample's corrections."""
        own = self.settings.samples[sample].corrections
        return [] if own is None else list(own.files())

    def making(self, sample: str) -> list[str]:
        """Return the options of the job that makes the images of a sample."""
        return making(self.settings.samples[sample], self.features)

    def batches(self, size: int) -> list[Batch]:
        """Return the files that Pythia makes by the job that does, of at most `size` files."""
        files = {
            name: [f"{number:04d}" for number in range(sample.parts)]
            for name, sample in self.settings.samples.items()
            if isinstance(sample, Simulated)
        }
        return batches_of(files, size)

    def table(self, sample: str, split: str) -> str:
        """Return the images of a split of a sample."""
        return _table(sample, split)

    def tables(self, split: str) -> list[str]:
        """Return the images of a split of every sample."""
        return [self.table(sample, split) for sample in self.settings.samples]

    def arguments(self, split: str, samples: Iterable[str] | None = None) -> list[str]:
        """Return `NAME=FILE` for the images of a split of each sample."""
        return [f"{name}={self.table(name, split)}" for name in samples or self.settings.samples]

    def of_references(self, folder: str, suffix: str) -> list[str]:
        """Return a file of every reference sample and metric, in one order."""
        ensembles = self.settings.ensembles
        return [
            f"results/images/{folder}/{sample}/{metric}.{suffix}"
            for sample in ensembles.references
            for metric in ensembles.metrics
        ]

    def compared_distances(self) -> list[str]:
        """Return the distances between test jets of the background, by each metric that is compared."""
        folder = f"results/images/distances/{self.settings.background}/test"
        return [f"{folder}/{metric}.h5" for metric in self.settings.ensembles.compared]

    @cached_property
    def trainings(self) -> dict[str, Any]:
        """The trainings of the VAE by metric."""
        return {str(metric): run for metric, run in self.settings.vae.trainings.items()}

    @property
    def labelled(self) -> list[str]:
        """The samples of the VAE: the background first, by which the programs tell it from the signals."""
        return [self.settings.background, *self.settings.signals()]

    @cached_property
    def betas(self) -> dict[str, float]:
        """Names of folders to beta."""
        return {f"beta-{beta:g}": beta for run in self.trainings.values() for beta in run.betas}

    def vae_settings(self, metric: str, own: Mapping[str, Any], **others: object) -> str:
        """Return the JSON of what a training reads, so that another beta, depth or number of tests trains nothing."""
        unread = {"test_jets", "correlation_jets", "cnn", "trainings"}
        common = self.settings.vae.model_dump(mode="json", exclude=unread)
        return json.dumps({**common, **others, "trainings": {metric: own}})

    def vae_training(self, metric: str, seed: int) -> str:
        """Return the settings of the trainings with a metric and a seed."""
        kept = {"train_jets", "epochs", "batch_size"}
        return self.vae_settings(metric, self.trainings[metric].model_dump(include=kept), seeds=[seed])

    def cnn_training(self) -> str:
        """Return the JSON of what a supervised network reads."""
        unread: dict[str, Any] = {"cnn": {"depths"}}
        unread |= dict.fromkeys(("test_jets", "correlation_jets", "trainings", "transport", "sinkhorn"), True)
        vae = self.settings.vae
        return json.dumps({**vae.model_dump(mode="json", exclude=unread), "seeds": vae.seeds[:1]})

    def vae_models(self, metric: str, depths: Sequence[str | int] | None = None) -> list[str]:
        """Return the models of every depth, seed and beta of a metric."""
        run = self.trainings[metric]
        return [
            f"results/images/vae/{metric}/depth-{depth}/seed-{seed}/beta-{beta:g}/model.pt"
            for depth in depths or run.depths
            for seed in self.settings.vae.seeds
            for beta in run.betas
        ]

    def vae_histories(self, metric: str, depths: Sequence[str | int]) -> list[str]:
        """Return the histories of the trainings of these models."""
        return [str(Path(model).parent / "history.csv") for model in self.vae_models(metric, depths)]

    def all_vae_histories(self) -> list[str]:
        """Return the histories of the trainings of every metric."""
        return [path for metric, run in self.trainings.items() for path in self.vae_histories(metric, run.depths)]

    def vae_scan(self) -> str:
        """Return the settings with which the betas of a metric and depth are scored."""
        return json.dumps({"kind": "vae_scan", "jets": self.settings.vae.test_jets})

    def vae_scores(self, metric: str, depth: str | int) -> list[str]:
        """Return the score tables of a metric and depth: of every beta, then of the chosen one's anomaly metrics."""
        betas = sorted(self.trainings[metric].betas)
        names = [
            *(f"beta-{beta:g}" for beta in betas),
            *(name for name in self.settings.vae.anomaly_metrics if name != "loss"),
        ]
        return [f"results/images/scores/vae_{metric}_{depth}/{name}.h5" for name in names]

    def vae_record(self, metric: str, depth: str | int) -> str:
        """Return the file that says what these score tables are of."""
        return f"results/images/choices/vae_{metric}_{depth}.json"

    def scans(self) -> list[tuple[str, int]]:
        """Return metric and depth of all trainings."""
        return [(metric, depth) for metric, run in self.trainings.items() for depth in run.depths]

    def cnn_auc(self) -> list[str]:
        """Return the AUC tables of the supervised networks."""
        depths = self.settings.vae.cnn.depths
        return [f"results/images/cnn/{name}/depth-{d}/auc.csv" for name in self.settings.signals() for d in depths]

    def method_training(self, method: VaeMethod, seed: int) -> str:
        """Return the settings of a training of a VAE among the methods of an analysis."""
        own = method.model_dump(include={"train_jets", "epochs", "batch_size"})
        return self.vae_settings(method.metric, own, seeds=[seed])

    def results(self) -> list[str]:
        """Return what `snakemake images` makes."""
        ensembles = self.settings.ensembles
        references = [
            f"references_{sample}_{metric}" for sample in ensembles.references for metric in ensembles.metrics[:1]
        ]
        return [
            *(f"results/images/{name}" for name in ("summary.md", "vae.md")),
            *(f"results/images/figures/{name}.{suffix}" for name in references for suffix in FIGURES),
            *(f"results/images/figures/{name}.pdf" for name in ("vae_losses", "vae_scan", "vae_latent")),
        ]
