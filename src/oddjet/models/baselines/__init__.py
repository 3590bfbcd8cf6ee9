"""Baselines: estimators of scikit-learn and single features, on the same jets as the networks."""
