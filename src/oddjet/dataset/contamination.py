"""Training tables with signal in them: the one place where signal jets enter a training, to see what that costs.

Nothing of the analysis reads these tables; they lie in a folder of their own and say in their names what they hold.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.dataset.jet_settings import passed_on
from oddjet.dataset.settings import ContaminationSettings
from oddjet.dataset.split import event_uniform
from oddjet.errors import DatasetError, TableError
from oddjet.io.cutflow import where_jets_went
from oddjet.io.tables import Column, read_columns, read_table, write_table
from oddjet.weighted import check_weights

LOGGER = logging.getLogger("oddjet")

# The column of the training table that no feature table has.
SOURCE = "source"


def contaminate(
    train: Path,
    signals: Mapping[str, Sequence[Path]],
    mixed: Mapping[float, Path],
    held_out: Mapping[str, Path],
    settings: ContaminationSettings,
    attributes: Mapping[str, str],
) -> dict[float, int]:
    """Write a training table for each share of signal, and the signal jets that are left to test on.

    The number of training jets stays the same: for each signal jet that comes in, a background jet, drawn at random,
    leaves. The share is one of jets and of weights: every signal counts by its number of jets, whatever the unit of
    its weights, and their weights are brought to the scale of the background's, so that a training that draws by
    weight draws that share. A larger share holds the signal jets of the smaller ones. Signal events are divided by a
    hash, so that both jets of an event are on one side, and no jet is trained on in one table and tested on with
    another.

    Parameters
    ----------
    train : Path
        Background training table.
    signals : mapping of str to sequence of Path
        Feature tables of every signal, by name.
    mixed : mapping of float to Path
        Share of signal to the table to write.
    held_out : mapping of str to Path
        Signal to the table of its test jets to write.
    settings : ContaminationSettings
        Which signals are mixed in, division of the events, smallest number of test jets.
    attributes : mapping of str to str
        Provenance, stored in all tables.

    Returns
    -------
    dict of float to int
        Signal jets in each training table.

    Raises
    ------
    DatasetError
        If a named signal does not exist, there are too few signal jets for the largest share, or too few to test on.
        If the weights of a signal, or of the jets that come into a table, do not add up to more than 0.
    TableError
        If a table cannot be read or lacks a column of the training table.
    """
    unknown = sorted(set(settings.signals) - set(signals))
    if unknown:
        raise DatasetError(
            f"contamination.signals: there is no signal {unknown[0]}; the signals are {', '.join(signals)}"
        )
    background, columns = read_table(train, needed=["run", "luminosityBlock", "event", "weight"]), read_columns(train)
    sources = {}
    for name, files in signals.items():
        trained, tested = _divide(name, files, columns, settings)
        write_table(held_out[name], columns, tested, {**attributes, "signal": name})
        if not settings.signals or name in settings.signals:
            sources[name] = _of_mean_one(name, trained)
    generator = np.random.default_rng(settings.seed)
    pool = generator.permutation(np.concatenate(list(sources.values())))
    background = generator.permutation(background)
    counts = {share: round(share * len(background)) for share in mixed}
    largest = max(counts, key=lambda share: counts[share])
    if counts[largest] > len(pool):
        raise DatasetError(
            f"{largest:g} of {len(background)} training jets are {counts[largest]} signal jets, but {len(pool)} may "
            "train; lower contamination.fractions, raise contamination.signal_share or give more signal"
        )
    for share, path in mixed.items():
        count = counts[share]
        mixed_in = _scaled(pool[:count], background[count:], share)
        jets = generator.permutation(np.concatenate([mixed_in, background[count:]]))
        own = {"signal_jets": str(count), "signals": ",".join(sources)}
        write_table(path, columns, jets, {**attributes, **passed_on(train), **own})
        LOGGER.info("%s: %d of %d jets are signal", path, count, len(jets))
    return counts


def _of_mean_one(name: str, jets: NDArray[np.void]) -> NDArray[np.void]:
    """Return jets (n,) with weights of the mean 1."""
    check_weights(jets["weight"], f"signal {name}")
    jets = jets.copy()
    jets["weight"] /= jets["weight"].mean(dtype=np.float64)
    return jets


def _scaled(signal: NDArray[np.void], background: NDArray[np.void], share: float) -> NDArray[np.void]:
    """Return signal jets whose weights are `share` of those of signal and background together."""
    if not len(signal):
        return signal
    check_weights(signal["weight"], f"{share:g} of signal")
    check_weights(background["weight"], "the background training jets")
    # The share that there are jets for: of 1000 jets and 0.0015 it is 0.002.
    of_jets = len(signal) / (len(signal) + len(background))
    wanted = of_jets / (1 - of_jets) * float(background["weight"].sum(dtype=np.float64))
    signal = signal.copy()
    signal["weight"] *= wanted / signal["weight"].sum(dtype=np.float64)
    return signal


def _divide(
    name: str, files: Sequence[Path], columns: Sequence[Column], settings: ContaminationSettings
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Give the jets of a signal that may train and those that are tested on, with the columns of the training table."""
    dtype = np.dtype([(column.name, column.dtype) for column in columns])
    parts = []
    for number, path in enumerate(files):
        try:
            jets = read_table(path, [column.name for column in columns if column.name != SOURCE])
        except TableError as error:
            raise TableError(f"signal {name}: {error}") from error
        part = np.empty(len(jets), dtype)
        for column in jets.dtype.names or ():
            part[column] = jets[column]
        # Within a signal its files tell events apart.
        if SOURCE in (dtype.names or ()):
            part[SOURCE] = number
        parts.append(part)
    signal = np.concatenate(parts)
    trains = event_uniform(signal, settings.seed) < settings.signal_share
    tested = int(np.count_nonzero(~trains))
    if tested < settings.minimum_signal_jets:
        raise DatasetError(
            f"signal {name}: {tested} of {len(signal)} jets are left to test on, contamination.minimum_signal_jets is "
            f"{settings.minimum_signal_jets}. {where_jets_went(files)}Give more events or files, or lower "
            "contamination.signal_share or the minimum"
        )
    return signal[trains], signal[~trains]
