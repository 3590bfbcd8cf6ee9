"""Settings of the dataset stage refuse what cannot work."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from oddjet.dataset.settings import DatasetSettings


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"fractions": {"train": 0.6, "validation": 0.3, "test": 0.3}}, "is 1.2; the three fractions must add up to 1"),
        ({"fractions": {"train": 1.0, "validation": 0.0, "test": 0.0}}, "less than 1"),
        ({"features": ["tau2", "tau2"]}, "tau2.*more than once"),
        ({"features": []}, "at least 1 item"),
        ({"log_floors": {"tau9": 1.0}}, "log_floors names .*tau9"),
        ({"log_floors": {"softdrop_mass": 0.0}}, "above 0"),
        ({"range": [3, -3]}, "ascending"),
        ({"sead": 2}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DatasetSettings.model_validate(content)


def test_features_without_the_groomed_mass_need_no_other_edit() -> None:
    settings = DatasetSettings.model_validate({"features": ["tau2", "tau3"]})
    assert DatasetSettings.model_validate_json(settings.model_dump_json()) == settings
