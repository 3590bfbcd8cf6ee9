"""What each part of a sample gets: its share of the events, the seed of its job, and the run number of its events.

Seed and run number are hashes, so that adding a sample or a part changes no other job's events, and no event of one
sample is taken for one of another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

SEED_MAX = 900_000_000  # the largest that Pythia takes
RUN_MAX = 2**31 - 1  # fits an unsigned and a signed integer of 32 bits


def events_of_file(events: int, files: int, number: int) -> int:
    """Share the events of a sample among its files; return those of one, of which the first ones take what is over."""
    return events // files + (number < events % files)


def derive_seed(config_seed: int, sample: str, part: int) -> int:
    """Return the seed of a job: 1 to 900,000,000, a hash of the config's seed, the sample's name and the part."""
    digest = hashlib.sha256(f"{config_seed}/{sample}/{part}".encode()).digest()
    return 1 + int.from_bytes(digest[:8], "big") % SEED_MAX


def run_number(config_seed: int, sample: str) -> int:
    """Return the run number of a sample's events: 1 to 2^31 - 1, a hash of the config's seed and the sample's name.

    Together with the luminosity block (the part) and the event's number it tells every simulated event apart, also from
    those of the same sample made with another seed.
    """
    digest = hashlib.sha256(f"run/{config_seed}/{sample}".encode()).digest()
    return 1 + int.from_bytes(digest[:8], "big") % RUN_MAX


def shared_run(config_seed: int, samples: Iterable[str]) -> tuple[str, str] | None:
    """Return the first two samples whose run numbers are the same, or None: one in 20 million for ten samples."""
    seen: dict[int, str] = {}
    for sample in samples:
        other = seen.setdefault(run_number(config_seed, sample), sample)
        if other != sample:
            return other, sample
    return None
