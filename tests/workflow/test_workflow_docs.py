"""The commands of the tutorials, typed one by one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import uproot

from doc_blocks import blocks_of, commands
from oddjet.io.tables import read_table


def typed(command: str, folder: Path) -> str:
    """Run a command of a page in a folder; return what it printed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, command + done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_commands_of_getting_started_work(finished, tmp_path):
    # What the page's run would make is there already, for other tests need it too.
    folder = type(finished)(tmp_path / "repository", origin=finished.folder).folder
    (folder / "tiny").mkdir()
    for name in ("results", ".snakemake"):
        (folder / name).rename(folder / "tiny" / name)
    run, tables, _, change = (typed(command, folder) for command in commands("docs/getting-started.md"))
    assert "Nothing to be done" in run
    assert "WNAE" in tables
    rules = set(re.findall(r"^(\w+) +\d+$", change.split("Job stats:")[1], re.MULTILINE)) - {"total", "all"}
    assert rules == {name for name in rules if re.match("plot|write_report", name)}
    assert {"plot_comparison", "plot_methods_jets"} <= rules
    assert (folder / "tiny/results/report.html").is_file()
    assert (folder / "tiny/tiny.zip").is_file()


def test_the_commands_of_own_files_work(workspace, simulate, small_analysis, tmp_path):
    """The page's configuration and commands on small files; a detector of other tests stands in for the run's."""
    data, scratch = tmp_path / "data", tmp_path / "scratch"
    processes = {
        "ttbar/first.root": ("top", {"name": "top_pairs", "pthat_min": 450}),
        "qcd/a.root": ("qcd_of_page", {"name": "qcd", "pthat_min": 450}),
        "svj_2000_03.root": ("svj", {"name": "svj", "m_phi": 2000, "r_inv": 0.3}),
    }
    for name, (sample, process) in processes.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(simulate(sample, process, 150), data / name)
    shutil.copy(data / "ttbar/first.root", data / "new.root")
    model = scratch / "mine/results/jets/models/mahalanobis/seeds-1-2/model.pt"
    here = lambda text: text.replace("/data/", f"{data}/").replace("/scratch/", f"{scratch}/")  # noqa: E731
    block, _ = [one.code for one in blocks_of("docs/own-files.md") if one.language == "yaml"]
    (workspace.folder / "config/my.yaml").write_text(here(block))
    check, features, plan, score = (here(command) for command in commands("docs/own-files.md"))
    assert "fits: 1 background, 1 test background, 1 signal samples" in typed(check, workspace.folder)
    typed(features, workspace.folder)
    assert len(read_table(workspace.folder / "jets.h5")) > 100
    assert f" {model.relative_to(scratch / 'mine')}" in typed(plan, workspace.folder)
    model.parent.mkdir(parents=True)
    shutil.copy(small_analysis / "models/mahalanobis/model.pt", model)
    typed(score, workspace.folder)
    with uproot.open(workspace.folder / "scores.root") as scores:
        assert scores["oddjet"].num_entries == 150


def test_the_commands_of_a_new_analysis_are_planned(workspace):
    examples = [one.code for one in blocks_of("docs/new-analysis.md") if one.language == "yaml"]
    (command,) = commands("docs/new-analysis.md")
    (workspace.folder / "config/my.yaml").write_text(examples[0])
    plan = typed(command, workspace.folder)
    assert re.search(r"^plot_comparison +1$", plan, re.MULTILINE)
    assert "write_report" not in plan
    assert re.search(r"^train_model +1$", plan, re.MULTILINE)
    assert re.search(r"^fit_baseline +1$", plan, re.MULTILINE)
    # The page's second example is the first one with a scan in the place of its columns.
    (workspace.folder / "config/my.yaml").write_text(examples[0].split("analyses:")[0] + examples[1])
    assert re.search(r"^train_model +3$", typed(command, workspace.folder), re.MULTILINE)
