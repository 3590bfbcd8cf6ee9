"""The registry as the command line and the docs show it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from oddjet.jets.columns import RECONSTRUCTED
from oddjet.jets.features import REGISTRY, registry_table
from oddjet.jets.settings import COLUMNS, EIGHT_FEATURES, FEATURES, FeatureSettings

REPOSITORY = Path(__file__).resolve().parents[2]


def test_docs_hold_the_registry() -> None:
    assert registry_table() in (REPOSITORY / "docs" / "features.md").read_text(encoding="utf-8")


def test_list_prints_each_feature_with_definition_unit_range_and_source() -> None:
    script = REPOSITORY / "workflow" / "scripts" / "extract_features.py"
    done = subprocess.run([sys.executable, str(script), "--list"], capture_output=True, text=True, check=True)
    for feature in REGISTRY.values():
        entry = f"{feature.name} [{feature.unit}], range {feature.interval}\n    {feature.definition}\n"
        assert f"{entry}    Source: {feature.source}\n" in done.stdout


def test_default_run_computes_the_eight() -> None:
    assert FeatureSettings().features == EIGHT_FEATURES == tuple(list(REGISTRY)[:8])


def test_names_that_are_checked_before_the_first_job_are_those_of_the_registry_and_the_tables() -> None:
    assert set(FEATURES) == set(REGISTRY)
    assert tuple(column.name for column in RECONSTRUCTED) == COLUMNS
