"""The report of a run, from its tables: every number stands in one of them."""

from __future__ import annotations

from dataclasses import replace

from oddjet.report.figure_sections import figure_sections
from oddjet.report.findings import Findings, Run
from oddjet.report.html import Page, Section, Text
from oddjet.report.overview import matrix_section, overview_sections, part_of
from oddjet.report.results_sections import NOTES, READ_ME, results_sections
from oddjet.report.run_sections import input_section, run_sections


def report_page(run: Run) -> Page:
    """Return the page of a run: of its one analysis, or of several with what they share before and behind them.

    Raises
    ------
    EvaluationError
        Methods rest on different jets, or rows are missing.
    """
    version = run.analyses[0].record.get("oddjet_version", "unknown")
    names = [findings.analysis for findings in run.analyses]
    if len(names) == 1:
        title, subtitle = f"oddjet: {names[0]}", f"Report of the analysis {names[0]}, oddjet {version}"
        return Page(title, subtitle, _of_one(run))
    title = f"oddjet: {len(names)} analyses"
    subtitle = f"Report of the analyses {', '.join(names[:-1])} and {names[-1]}, oddjet {version}"
    return Page(title, subtitle, _of_several(run))


def _of_one(run: Run) -> list[Section]:
    (findings,) = run.analyses
    summary, *results = results_sections(findings, NOTES)
    note = Text([READ_ME], "note")
    first = replace(summary, blocks=[*summary.blocks, note])
    return [
        first,
        *results,
        *matrix_section(run),
        input_section(run),
        *figure_sections(findings),
        *run_sections(run),
    ]


def _of_several(run: Run) -> list[Section]:
    parts = [Section(part_of(findings), findings.analysis, sections=_named(findings)) for findings in run.analyses]
    overview = Section("overview", "All analyses", sections=[*overview_sections(run), *matrix_section(run)])
    return [overview, *parts, Section("run", "The run", sections=[input_section(run), *run_sections(run)])]


def _named(findings: Findings) -> list[Section]:
    """Return the sections of an analysis under names of its own: no name of an analysis has a slash."""
    sections = [*results_sections(findings), *figure_sections(findings)]
    return [replace(section, anchor=f"{findings.analysis}/{section.anchor}") for section in sections]
