"""Count the programs that one edit reruns, by definition and by module, over all definitions of the package.

Each function, class and value at the top of a module is edited on paper: a program reruns by definition if its script
can reach it, and by module if its script imports the module, directly or not. A program that imports a module by name
counts with all that it may import. Also timed: the digests of all programs, with nothing kept, and as a later process
has them.

Example: python benchmarks/reruns.py --worst 10
"""

from __future__ import annotations

import argparse
import statistics
import time

from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.baseline_settings import Baseline
from oddjet.detectors.registry import kinds
from oddjet.provenance import digest
from oddjet.provenance.parsed import DIGESTS, NAME
from oddjet.provenance.reach import UNCOUNTED

# What programs import by name, as the rules say: all losses, all baselines, all that opens a detector for scoring.
IMPORTING = {
    "train_model": "losses",
    "fit_baseline": "baselines",
    "monitor_training": "baselines",
    "score": "scores",
    "measure_fit": "baselines",
}


def programs() -> list[tuple[str, ...]]:
    """List all scripts, each with the modules that it may import by name."""
    found: dict[str, set[str]] = {"losses": set(), "baselines": set(), "scores": set()}
    for kind in kinds().values():
        found["scores"].add(kind.settings.opener)
        if issubclass(kind.settings, MethodSettings):
            found["losses"].add(kind.module)
        elif issubclass(kind.settings, Baseline):
            found["baselines"].add(kind.module)
            found["scores"].add(kind.module)
    scripts = sorted(path.stem for path in digest.SCRIPTS_FOLDER.glob("*.py"))
    return [(script, *sorted(found[IMPORTING[script]] if script in IMPORTING else ())) for script in scripts]


def modules() -> list[str]:
    """List the modules of the package but those that count for none."""
    parts = [
        path.relative_to(digest.PACKAGE_FOLDER).with_suffix("").parts for path in digest.PACKAGE_FOLDER.rglob("*.py")
    ]
    names = [".".join((digest.PACKAGE, *part)) for part in sorted(parts) if "/".join(part) not in UNCOUNTED]
    return [name.removesuffix(".__init__") for name in names]


def seconds(*, kept: bool) -> float:
    """Time the digests of all programs in CPU seconds: as a later process has them, or with nothing kept."""
    for name in () if kept else (NAME, DIGESTS):
        (digest.PACKAGE_FOLDER / "__pycache__" / name).unlink(missing_ok=True)
    digest.forget()
    start = time.process_time()
    for program in programs():
        digest.code_digest(*program)
    return time.process_time() - start


def reruns() -> dict[str, tuple[int, int]]:
    """Count for each definition the programs that an edit of it reruns: by definition, and by module."""
    reached = [digest.reached_definitions(*program) for program in programs()]
    imported = [digest.imported_modules(*program) for program in programs()]
    return {
        f"{module}.{name}": (sum(f"{module}.{name}" in one for one in reached), sum(module in one for one in imported))
        for module in modules()
        for name in digest.defined_names(module)
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--worst", type=int, default=0, help="also print this many of the definitions with most")
    worst = arguments.parse_args().worst
    counts = reruns()
    by_definition, by_module = zip(*counts.values(), strict=True)
    print(f"programs {len(programs())}, definitions {len(counts)}")
    print(f"reruns for one edit, by module: mean {statistics.mean(by_module):.2f}")
    print(f"reruns for one edit, by definition: mean {statistics.mean(by_definition):.2f}")
    print(f"ratio reruns {statistics.mean(by_module) / statistics.mean(by_definition):.2f}")
    print(f"edits that rerun more by definition: {sum(new > old for new, old in counts.values())}")
    print(f"digests of all programs, CPU: {seconds(kept=False):.2f} s, a later process {seconds(kept=True):.3f} s")
    for name, (new, old) in sorted(counts.items(), key=lambda item: -item[1][0])[:worst]:
        print(f"{new:4} of {old:4}  {name}")


if __name__ == "__main__":
    main()
