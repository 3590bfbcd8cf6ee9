"""A results folder knows the configuration that it belongs to; an edit of that one is no other one."""

from types import SimpleNamespace

import pytest

from oddjet.clusters import HTCONDOR, HTCONDOR_SECONDS, check_slurm, set_up_htcondor
from oddjet.errors import ResultsError
from oddjet.run_record import check_start, file_names, other_configuration, remember

DEFAULT = (["config/config.yaml"], {"seed": 1, "methods": {"wnae": {"kind": "wnae"}}})
EDITED = {"seed": 2, "methods": {"wnae": {"kind": "wnae"}}}


@pytest.fixture
def results(tmp_path):
    remember(tmp_path / "results", DEFAULT[1], DEFAULT[0])
    return tmp_path / "results"


def test_another_configuration_is_refused_by_what_differs_and_then_allowed(results):
    with pytest.raises(ResultsError, match=r"config/config\.yaml, which differs from my\.yaml in seed: its results"):
        check_start(results, EDITED, ["my.yaml"], "fail")
    assert other_configuration(results, *DEFAULT[::-1]) is None
    check_start(results, EDITED, ["my.yaml"], "overwrite")
    # From now on it belongs to the other one.
    check_start(results, EDITED, ["my.yaml"], "fail")
    with pytest.raises(ResultsError, match=r"my\.yaml, which differs from config/config\.yaml"):
        check_start(results, DEFAULT[1], DEFAULT[0], "fail")


def test_an_edit_a_copy_and_a_folder_that_remembers_nothing_are_no_other_configuration(results, tmp_path):
    check_start(results, EDITED, DEFAULT[0], "fail")
    check_start(results, EDITED, ["copy.yaml"], "fail")
    check_start(tmp_path / "new", DEFAULT[1], ["my.yaml"], "fail")
    assert (tmp_path / "new/run.json").is_file()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3}', '{"files": "a.yaml", "configuration": {}}', "<<<<<<<"])
def test_a_folder_whose_memory_is_damaged_may_be_that_of_another_one(results, text):
    (results / "run.json").write_text(text)
    with pytest.raises(ResultsError, match=r"run\.json is damaged, .*overwritten\. Run in a folder of its own"):
        check_start(results, DEFAULT[1], ["my.yaml"], "fail")
    check_start(results, DEFAULT[1], ["my.yaml"], "overwrite")
    check_start(results, DEFAULT[1], ["my.yaml"], "fail")


def test_results_that_are_no_folder_are_named(tmp_path):
    (tmp_path / "link").symlink_to("/nowhere/results")
    (tmp_path / "file").touch()
    for name, what in (("link", r"a link to /nowhere/results, which is not there\. Mount"), ("file", "no folder")):
        with pytest.raises(ResultsError, match=rf"{name}: is {what}"):
            check_start(tmp_path / name, *DEFAULT[::-1], "fail")


def test_files_are_named_as_seen_from_the_run_folder(tmp_path):
    inside, outside = tmp_path / "run/config/my.yaml", tmp_path / "other.yaml"
    assert file_names([inside, outside], tmp_path / "run") == ["config/my.yaml", str(outside)]


def test_what_is_missing_of_slurm_is_named(tmp_path):
    def commands(*names: str) -> None:
        for name in names:
            (tmp_path / name).touch(0o755)

    with pytest.raises(ResultsError, match="no sbatch, squeue, sacct among the commands; load the module"):
        check_slurm("squeue", account=False, path=str(tmp_path))
    commands("sbatch", "squeue")
    with pytest.raises(ResultsError, match="no sacct among the commands; give slurm_account"):
        check_slurm("squeue", account=False, path=str(tmp_path))
    check_slurm("squeue", account=True, path=str(tmp_path))
    with pytest.raises(ResultsError, match="no sacct among the commands; load the module"):
        check_slurm("sacct", account=True, path=str(tmp_path))
    commands("sacct")
    check_slurm("sacct", account=False, path=str(tmp_path))


def test_the_plugin_for_htcondor_looks_at_its_jobs_only_when_it_is_set_up():
    """Its thread began beside that; where it was first, it ended, and the run waited for its first job for ever."""
    plugin = SimpleNamespace(common_settings=SimpleNamespace(init_seconds_before_status_checks=0))
    set_up_htcondor({HTCONDOR: plugin})
    assert plugin.common_settings.init_seconds_before_status_checks == HTCONDOR_SECONDS
    set_up_htcondor({})
