"""Payloads of correctionlib, made as those of CMS are: energy and resolution of jets, and weights for pile-up."""

from __future__ import annotations

import gzip
from pathlib import Path

import correctionlib.schemav2 as cs


def _correction(name: str, inputs: dict[str, str], data: object) -> cs.Correction:
    variables = [cs.Variable(name=one, type=kind) for one, kind in inputs.items()]
    return cs.Correction(
        name=name, version=1, inputs=variables, output=cs.Variable(name="value", type="real"), data=data
    )


def _binning(variable: str, edges: list[float], content: list[object], flow: str = "error") -> cs.Binning:
    return cs.Binning(nodetype="binning", input=variable, edges=edges, content=content, flow=flow)


def _words(variable: str, values: dict[str, object]) -> cs.Category:
    items = [{"key": key, "value": value} for key, value in values.items()]
    return cs.Category(nodetype="category", input=variable, content=items)


def _formula(expression: str, *variables: str) -> cs.Formula:
    return cs.Formula(nodetype="formula", expression=expression, parser="TFormula", variables=list(variables))


def write_payload(path: Path) -> str:
    """Write corrections whose values can be computed by hand; give the path as a text.

    jec: 1.2 within abs(eta) 1, 1.1 beyond, times 1 - Rho / 1000. jec_uncertainty: 2 % below 600 GeV, 5 % above.
    resolution: 10 %. scale_factor: 1.25, up 1.5, down 0.9. pileup: 0.5, 1 and 2 in steps of ten, varied by 20 %.
    """
    factors = [_formula(f"{factor}*(1-x/1000)", "Rho") for factor in (1.1, 1.2, 1.1)]
    pile_up = {"nominal": [0.5, 1.0, 2.0], "up": [0.6, 1.0, 2.4], "down": [0.4, 1.0, 1.6]}
    edges = [0.0, 10.0, 20.0, 30.0]
    corrections = [
        _correction(
            "jec", {"JetEta": "real", "JetPt": "real", "Rho": "real"}, _binning("JetEta", [-5.0, -1, 1, 5], factors)
        ),
        _correction("jec_uncertainty", {"JetPt": "real"}, _binning("JetPt", [0.0, 600, 13000], [0.02, 0.05])),
        _correction("resolution", {"JetPt": "real"}, _binning("JetPt", [0.0, 13000], [0.1])),
        _correction(
            "scale_factor",
            {"JetEta": "real", "systematic": "string"},
            _binning("JetEta", [-5.0, 5], [_words("systematic", {"nom": 1.25, "up": 1.5, "down": 0.9})]),
        ),
        _correction(
            "pileup",
            {"NumTrueInteractions": "real", "weights": "string"},
            _words("weights", {word: _binning("NumTrueInteractions", edges, list(v)) for word, v in pile_up.items()}),
        ),
    ]
    content = cs.CorrectionSet(schema_version=2, corrections=corrections)
    with gzip.open(path, "wt") as file:
        file.write(content.model_dump_json(exclude_unset=True))
    return str(path)
