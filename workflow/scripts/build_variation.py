"""Write the background's test jets under a variation: those events alone that the dataset tests on."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.dataset.build import write_test_jets
from oddjet.dataset.settings import DatasetSettings
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/build_variation.py --test results/jets/variations/jec_up/test.h5 \\
      --inputs results/variations/jec_up/top/0000.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--inputs", type=Path, nargs="+", required=True, help="feature tables of the background")
    arguments.add_argument("--test", type=Path, required=True, help="table to write")
    arguments.add_argument("--cross-sections", default="{}", help="JSON of sample to cross section in pb")
    arguments.add_argument("--of-signal", action="store_true", help="the background is kept for dark quarks")
    given = arguments.parse_args()
    settings = read_settings(given.settings, DatasetSettings)
    write_test_jets(
        given.inputs,
        given.test,
        settings,
        attributes("build_variation", settings.model_dump_json(), given.inputs),
        json.loads(given.cross_sections),
        of_signal=given.of_signal,
    )


if __name__ == "__main__":
    execute(main)
