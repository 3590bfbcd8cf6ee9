# What the rules of the contamination scan ask the configuration for.
CONTAMINATED = CONFIG.contamination.methods or tuple(CONFIG.baselines())
# Label in file names to share of signal.
SIGNAL_SHARES = {
    f"signal-{share:g}".replace(".", "p"): share
    for share in CONFIG.contamination.fractions
}


def held_out_tables():
    return [
        f"results/contamination/signals/{name}.h5" for name in CONFIG.of_kind("signal")
    ]


def contaminated_scores(wildcards):
    if not CONTAMINATED:
        raise WorkflowError(
            "contamination.methods: there is none to scan, for it is empty and the configuration has no baseline."
            f" Name some of {', '.join(CONFIG.with_models())}."
        )
    return [
        f"results/contamination/scores/{label}/{method}/{group}.h5"
        for label in SIGNAL_SHARES
        for method in CONTAMINATED
        for group in GROUPS
    ]
