"""Score background test rows and every signal with the detector of a method of any kind."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

from oddjet.detectors.opening import add_arguments, given_of, open_detector
from oddjet.evaluation.scores import score_samples
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.signals import files_of, parse_files, parse_signals
from oddjet.io.atomic import write_text
from oddjet.io.origin import write_origin
from oddjet.io.weights import sample_factors
from oddjet.program import LOGGER, execute, parser, read_settings
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/score.py --method ae --settings '{"kind": "ae"}' \\
      --models results/jets/models/ae/seeds-1-2/model.pt --background results/jets/dataset/test.h5 \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5 --output scores.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    add_arguments(arguments)
    arguments.add_argument("--evaluation", metavar="JSON", help="settings of the evaluation (default: built-in)")
    arguments.add_argument(
        "--signals", nargs="*", default=[], metavar="NAME=FILE[,FILE]", help="rows of each signal; may be none"
    )
    for name, what in (("test-backgrounds", "samples that train nothing"), ("data", "in no figure of merit")):
        arguments.add_argument(f"--{name}", nargs="*", default=[], metavar="NAME=FILE[,FILE]", help=what)
    arguments.add_argument("--points", metavar="JSON", help="name to {axis: value}, where a name says none")
    arguments.add_argument("--cross-sections", type=json.loads, default={}, metavar="JSON", help="sample to pb")
    arguments.add_argument("--record", type=Path, nargs="?", help="what was chosen, to write (JSON)")
    arguments.add_argument(
        "--output", type=Path, nargs="+", required=True, help="score table to write (HDF5); of several methods one each"
    )
    options = arguments.parse_args()
    given = given_of(options)
    evaluation = read_settings(options.evaluation, EvaluationSettings, "--evaluation") if given.rows == "jets" else None
    signals, data = parse_signals(options.signals, options.points), parse_files("--data", options.data)
    others = parse_files("--test-backgrounds", options.test_backgrounds)
    opened = open_detector(given)
    if opened.record:
        LOGGER.info("%s: %s", given.method, dict(opened.record))
    tested = files_of(signals) | others
    settings, inputs = given.settings.model_dump_json(), [*given.files, *chain(*(tested | data).values())]
    record = attributes("score", settings, inputs, *opened.modules)
    record["cross_sections"] = json.dumps(options.cross_sections)
    factors = sample_factors(tested, options.cross_sections)
    score_samples(opened, given.background, signals, options.output, evaluation, record, factors, data, others)
    if options.record is not None:
        write_text(options.record, json.dumps(opened.record, indent=1) + "\n")
        write_origin("score", settings, inputs, [options.record], opened.modules)


if __name__ == "__main__":
    execute(main)
