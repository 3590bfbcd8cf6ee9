"""Compiled kernels older than an edit are forgotten, the others stay."""

import os
from pathlib import Path

from oddjet.provenance.kernels import forget_old_kernels


def test_kernels_older_than_the_newest_module_go(tmp_path: Path) -> None:
    cache = tmp_path / "models/__pycache__"
    cache.mkdir(parents=True)
    for name, time in (("models/energy.py", 200), ("models/__pycache__/chain.nbi", 100), ("energy.nbi", 300)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    assert forget_old_kernels(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.rglob("*.nbi")) == ["energy.nbi"]
    assert forget_old_kernels(tmp_path) == 0
