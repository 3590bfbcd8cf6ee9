"""Write envs/requirements.lock and envs/torch-cuda.lock from pyproject.toml, with hashes, for Linux and three Pythons.

The first has everything but torch, which comes in two builds: torch-cuda.lock has the one of PyPI with the libraries
that it needs; its version is that of the build for processors alone too. Versions stay as they are unless --upgrade is
given. Needs `uv` (pip install uv).

Example: python envs/make_locks.py --upgrade
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

ENVS = Path(__file__).parent
REQUIREMENTS, TORCH = ENVS / "requirements.lock", ENVS / "torch-cuda.lock"
OF_TORCH = re.compile(r"(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==")
# Both are tested: numpy 1.26 where EnergyFlow's packages were built for it, numpy 2 on the newest Python.
CONSTRAINTS = "numpy<2; python_version < '3.13'"
# What the workflow, the Makefile and the tests need; the packages of HTCondor and TensorBoard are left to users.
EXTRAS = ("workflow", "test", "docs", "slurm", "onnx", "hepdata", "limits", "corrections")
HEAD = "# Made by `make lock`; do not edit.\n"


def main() -> None:
    """Resolve once, and split what comes out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder, "both.lock")
        both.write_text("".join(path.read_text() for path in (REQUIREMENTS, TORCH) if path.exists()))
        constraints = Path(folder, "constraints.txt")
        constraints.write_text(CONSTRAINTS)
        options = [f"--constraint={constraints}", "--universal", "--python-version=3.11", "--generate-hashes"]
        options += ["--no-annotate", "--no-header"]
        options += [f"--extra={extra}" for extra in EXTRAS]
        options += [*(["--upgrade"] if given.upgrade else [])]
        command = ["uv", "pip", "compile", "--quiet", *options, "--output-file", str(both), "pyproject.toml"]
        subprocess.run(command, check=True, cwd=ENVS.parent)  # noqa: S603 - the words are those above
        # A package is a line, and its hashes are indented below it.
        packages = re.split(r"^(?=\S)", both.read_text(), flags=re.MULTILINE)
    for path, of_torch in ((REQUIREMENTS, False), (TORCH, True)):
        path.write_text(HEAD + "".join(text for text in packages if bool(OF_TORCH.match(text)) is of_torch))


if __name__ == "__main__":
    main()
