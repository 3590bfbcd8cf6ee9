"""Normal numbers from uniform ones, in an arithmetic that is written down to the last bit.

torch and the C library have a logarithm and a sine for each kind of processor, which differ in the last bit, and a
training carries that to the second digit. Box and Muller's transformation needs no more than 24 bits of each.
"""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Singles
from oddjet.kernels import kernel
from oddjet.lanes import fused

F = np.float32

# Coefficients of Moshier's Cephes library, single precision: log(1 + x) from x^3 on, sine and cosine to pi / 4.
L0, L1, L2 = F(7.0376836292e-2), F(-1.1514610310e-1), F(1.1676998740e-1)
L3, L4, L5 = F(-1.2420140846e-1), F(1.4249322787e-1), F(-1.6668057665e-1)
L6, L7, L8 = F(2.0000714765e-1), F(-2.4999993993e-1), F(3.3333331174e-1)
S0, S1, S2 = F(-1.9515295891e-4), F(8.3321608736e-3), F(-1.6666654611e-1)
C0, C1, C2 = F(2.443315711809948e-5), F(-1.388731625493765e-3), F(4.166664568298827e-2)
LOG_2, ROOT_HALF, QUARTER_TURN = F(np.log(2.0)), F(np.sqrt(0.5)), F(np.pi / 2)
HALF, ONE, TWO, FOUR = F(0.5), F(1.0), F(2.0), F(4.0)
MANTISSA, BIAS, SHIFT = np.int32(0x007FFFFF), np.int32(0x3F000000), np.int32(23)
ONE_STEP, EXPONENT_OF_HALF = np.int32(1), np.int32(126)


@kernel
def log_of(x: np.float32) -> np.float32:
    """Natural logarithm of a normal number > 0, to two units in the last place."""
    bits = np.float32(x).view(np.int32)
    exponent = np.int32((bits >> SHIFT) - EXPONENT_OF_HALF)
    mantissa: np.float32 = np.int32((bits & MANTISSA) | BIAS).view(np.float32)
    small = mantissa < ROOT_HALF
    y = (mantissa + mantissa if small else mantissa) - ONE
    power = F(np.int32(exponent - ONE_STEP) if small else exponent)
    series = fused(fused(fused(fused(L0, y, L1), y, L2), y, L3), y, L4)
    series = fused(fused(fused(fused(series, y, L5), y, L6), y, L7), y, L8)
    square = y * y
    tail = fused(series * y, square, -HALF * square)
    result: np.float32 = fused(power, LOG_2, y + tail)
    return result


@kernel
def fill_normal(uniforms: Singles, numbers: Singles) -> None:
    """Turn uniform numbers in [0, 1), shape (2, n), into independent N(0, 1) numbers of the same shape."""
    for k in range(uniforms.shape[1]):
        # 1 - u is exact, and never 0.
        radius = np.sqrt(-TWO * log_of(ONE - uniforms[0, k]))
        turns = FOUR * uniforms[1, k]
        quarter = np.int32(turns + HALF)
        angle = (turns - F(quarter)) * QUARTER_TURN
        square = angle * angle
        sine = fused(fused(fused(S0, square, S1), square, S2) * square, angle, angle)
        cosine = fused(fused(fused(C0, square, C1), square, C2), square * square, fused(-HALF, square, ONE))
        swapped = (quarter & np.int32(1)) != 0
        first, second = sine if swapped else cosine, cosine if swapped else sine
        first = -first if ((quarter + np.int32(1)) & np.int32(2)) != 0 else first
        second = -second if (quarter & np.int32(2)) != 0 else second
        numbers[0, k] = radius * first
        numbers[1, k] = radius * second
