"""The pages: their YAML is a configuration, every error has a way out, and the site builds without a warning."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from doc_blocks import blocks_of
from oddjet import errors
from oddjet.config import load_config
from oddjet.configfile import read_configuration

ROOT = Path(__file__).parents[2]


CONFIGURATIONS = ("README.md", *(f"docs/{name}.md" for name in ("own-files", "new-analysis", "command", "features")))

# The test that runs the blocks of a page that are in one language.
RUN_BY = {
    **{(page, "yaml"): "unit/test_docs.py" for page in CONFIGURATIONS},
    ("docs/selection.md", "yaml"): "unit/test_selection_settings.py",
    ("docs/formats.md", "yaml"): "unit/test_io_declared_layouts.py",
    ("docs/corrections.md", "yaml"): "unit/test_jets_corrections.py",
    ("docs/extending.md", "yaml"): "unit/test_jobs.py",
    ("docs/extending.md", "toml"): "unit/test_detectors_registry.py",
    ("docs/extending.md", "python"): "unit/test_detectors_registry.py",
    **{
        (f"docs/{name}.md", "python"): "unit/test_docs_python.py"
        for name in ("command", "images", "backgrounds", "vae")
    },
    **{
        (f"docs/{name}.md", "bash"): "workflow/test_workflow_docs.py"
        for name in ("getting-started", "own-files", "new-analysis")
    },
}
TUTORIALS = ("getting-started", "own-files", "new-analysis", "extending", "cluster", "htcondor")


def test_every_block_is_run_or_says_why_not():
    for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]:
        page = str(path.relative_to(ROOT))
        for block in blocks_of(page):
            if block.mark != "not run":
                test = RUN_BY.get((page, block.language))
                assert test is not None, (
                    f"{page}: run this {block.language or 'block'}, or write above why not: {block}"
                )
                assert page.rsplit("/", 1)[-1].removesuffix(".md") in (ROOT / "tests" / test).read_text()
        # None is overlooked: every fence is one of a block, and a tutorial has no other blocks than fenced ones.
        text = path.read_text(encoding="utf-8")
        assert text.count("```") == 2 * len(blocks_of(page)), page
        if path.stem in TUTORIALS:
            outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
            assert not re.search(r"^(?: {4}|\t)[^-*\d|<\s]", outside, re.MULTILINE), page


@pytest.mark.parametrize("page", CONFIGURATIONS)
def test_the_configurations_of_a_page_fit(page, tmp_path):
    shutil.copy(ROOT / "config/config.yaml", tmp_path)
    blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        values = yaml.safe_load(block)
        # A block without `extends` is the part of a configuration that is spoken of; analyses read the page's samples.
        samples = next((yaml.safe_load(text)["samples"] for text in blocks if "samples" in text), {})
        file = tmp_path / "my.yaml"
        given = {"extends": "config.yaml", "samples": samples, **values}
        file.write_text(yaml.safe_dump(given))
        assert load_config(read_configuration([file])).all_samples().keys() >= given["samples"].keys()


def test_every_error_has_a_way_out():
    named = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
    classes = [name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)]
    assert sorted(named) == sorted(classes)


def test_the_site_builds_without_a_warning(tmp_path):
    if shutil.which("mkdocs") is None:
        pytest.skip("mkdocs is not installed (the extra `docs`)")
    command = ["mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pt_min" in (tmp_path / "site/reference/configuration.html").read_text()
    assert "dark_quark" in (tmp_path / "site/glossary.html").read_text()


def test_the_readme_is_short_and_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 80
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_what_an_analysis_has_lies_in_its_folder_on_the_pages_too():
    own = {"dataset", "models", "scores", "auc", "merit", "figures", "limits", "leaderboard", "summary"}
    for path in [ROOT / "README.md", ROOT / "results/README.md", *sorted(ROOT.glob("docs/**/*.md"))]:
        for found in re.findall(r"\bresults/([\w{},-]+)", path.read_text()):
            assert own.isdisjoint(re.findall(r"\w+", found)), f"{path.name}: results/{found}"
