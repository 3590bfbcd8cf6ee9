"""Compare fits of one and of several bins of the score with the limit of a Gaussian, which large counts must give.

The background of several bins has a common rate uncertainty, and in each bin the error of the simulated events: as
`limits.bins` has it (a channel a bin, its error log-normal), as pyhf's `staterror` or as its `shapesys`. The ratio is
the median expected limit over 1.96 standard deviations of the signal strength (arXiv:1007.1727): 1 is right. Last comes
what the shape would bring: the Gaussian limit of the tightest bin alone over that of all bins.

Example: python benchmarks/limit_bins.py --cases 4
"""

from __future__ import annotations

import argparse
import contextlib
import io
import warnings

import numpy as np
import pyhf
from pyhf.infer.intervals.upper_limits import upper_limit

from oddjet.arrays import Floats
from oddjet.evaluation.limits import background_workspace, expected_limits

SHARES = np.array([0.5, 0.3, 0.1, 0.05, 0.03, 0.02])
DEVIATIONS = 1.96


def gaussian(background: Floats, errors: Floats, signal: Floats, rate: float) -> float:
    """Return the standard deviation of the strength of a signal, without a fit."""
    covariance = np.diag(background + errors**2) + np.outer(rate * background, rate * background)
    return float(1.0 / np.sqrt(signal @ np.linalg.solve(covariance, signal)))


def several_bins(background: Floats, errors: Floats, signal: Floats, rate: float, kind: str) -> float:
    """Return the median expected limit of all bins together."""
    modifiers = [
        {"name": "background_rate", "type": "normsys", "data": {"hi": 1 + rate, "lo": 1 / (1 + rate)}},
        {"name": "simulated_events", "type": kind, "data": errors.tolist()},
    ]
    strength = [{"name": "mu", "type": "normfactor", "data": None}]
    samples = [
        {"name": "background", "data": background.tolist(), "modifiers": modifiers},
        {"name": "signal", "data": signal.tolist(), "modifiers": strength},
    ]
    model = pyhf.Model({"channels": [{"name": "score", "samples": samples}]}, poi_name="mu")
    _, expected = upper_limit([*background.tolist(), *model.config.auxdata], model, level=0.05)
    return float(expected[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=4, help="of random counts (default: %(default)s)")
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    for case in range(parser.parse_args().cases):
        background = SHARES * 10 ** rng.uniform(3.5, 6.0)
        errors = background / np.sqrt(SHARES * 10 ** rng.uniform(2.9, 4.3))
        rate, signal = float(rng.choice([0.02, 0.1, 0.3])), rng.dirichlet(np.full(6, 2.0))
        # Near its limit, so that the search for it begins at 1.
        signal *= 2.0 * gaussian(background, errors, signal, rate)
        last = gaussian(background[-1:], errors[-1:], signal[-1:], rate)
        one = expected_limits(background_workspace(background[-1], errors[-1], rate), signal[-1])[2]
        words = [f"one bin {one / last / DEVIATIONS:.3f}"]
        bins = expected_limits(background_workspace(background, errors, rate), signal)[2]
        words.append(f"limits.bins {bins / gaussian(background, errors, signal, rate) / DEVIATIONS:.3f}")
        for kind in ("staterror", "shapesys"):
            try:
                with contextlib.redirect_stderr(io.StringIO()):
                    found = several_bins(background, errors, signal, rate, kind)
                words.append(f"{kind} {found / gaussian(background, errors, signal, rate) / DEVIATIONS:.3f}")
            except (ValueError, pyhf.exceptions.FailedMinimization) as error:
                words.append(f"{kind} fails ({type(error).__name__})")
        gain = last / gaussian(background, errors, signal, rate)
        print(f"case {case}, {background.sum():.0f} events, rate {rate:g}: {', '.join(words)}; shape {gain:.1f}")


if __name__ == "__main__":
    main()
