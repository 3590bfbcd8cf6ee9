"""Numbers of arXiv:2110.06948 (Fraser, Homiller, Mishra, Ostdiek, Schwartz) that our tables stand beside."""

from __future__ import annotations

# Mean and standard deviation of the number of pixels above 1 % of the pT (section 2).
PIXELS_ABOVE = {"qcd": (10.4, 5.3), "top": (13.5, 4.3), "w": (10.1, 3.3)}

# Pearson correlation of MAE and Wass(1) between QCD jets (section 5).
PEARSON = {("mae", "wass1"): 0.87}

# AUC of table 2: (reference, metric, combination, signal) to number of medoids (0 is the average image) to AUC.
TABLE_2: dict[tuple[str, str, str, str], dict[int, float]] = {
    ("qcd", "wass1", "min", "top"): {0: 0.81, 1: 0.83, 3: 0.85, 5: 0.87, 7: 0.87},
    ("qcd", "wass1", "min", "w"): {0: 0.62, 1: 0.66, 3: 0.68, 5: 0.60, 7: 0.61},
    ("qcd", "wass5", "min", "top"): {0: 0.53, 1: 0.68, 3: 0.66, 4: 0.67, 5: 0.71},
    ("qcd", "wass5", "min", "w"): {0: 0.60, 1: 0.36, 3: 0.41, 4: 0.41, 5: 0.43},
    ("qcd", "mae", "min", "top"): {0: 0.83, 1: 0.82, 3: 0.82, 5: 0.83, 7: 0.83},
    ("qcd", "mae", "min", "w"): {0: 0.71, 1: 0.71, 3: 0.61, 5: 0.67, 7: 0.65},
    ("top", "wass1", "min", "top"): {0: 0.69, 1: 0.58, 3: 0.32, 5: 0.45, 7: 0.49},
    ("top", "wass1", "min", "w"): {0: 0.69, 1: 0.79, 3: 0.79, 5: 0.84, 7: 0.83},
    ("top", "wass5", "min", "top"): {0: 0.72, 1: 0.53, 2: 0.72, 3: 0.66, 5: 0.61},
    ("top", "wass5", "min", "w"): {0: 0.40, 1: 0.52, 2: 0.70, 3: 0.61, 5: 0.54},
    ("top", "wass5", "sum", "top"): {3: 0.66, 5: 0.73, 7: 0.75},
    ("top", "wass5", "sum", "w"): {3: 0.66, 5: 0.58, 7: 0.60},
    ("top", "mae", "min", "top"): {0: 0.48, 1: 0.29, 3: 0.25, 5: 0.32},
    ("top", "mae", "min", "w"): {0: 0.57, 1: 0.64, 3: 0.36, 5: 0.58},
}
# Elbows that the paper marks.
ELBOWS = {("qcd", "wass1"): 3, ("qcd", "wass5"): 4, ("qcd", "mae"): 3}
