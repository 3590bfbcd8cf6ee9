# Which figure of CMS-MLG-24-002 shows what: numbers as in the analysis summary.

# Figure to method, by the program that draws it.
PAPER_EPOCHS = {
    "2a": "ae",
    "3a": "nae",
    "3b": "nae",
    "5": "nae_logcosh",
    "7a": "nae_logcosh",
    "9a": "wnae",
    "9b": "wnae",
    "13": "wnae",
}
PAPER_HISTOGRAMS = {"4": "nae", "11": "wnae", "12": "wnae"}
# Figure to AUC table and title.
PAPER_HEATMAPS = {
    "2b": ("ae", "results/jets/auc/ae.csv", "AE"),
    "7b": (
        "nae_logcosh",
        "results/jets/auc_at/nae_logcosh_lowest_w.csv",
        "NAE (log cosh), lowest W",
    ),
    "7c": (
        "nae_logcosh",
        "results/jets/auc_at/nae_logcosh_last.csv",
        "NAE (log cosh), last epoch",
    ),
    "10": ("wnae", "results/jets/auc/wnae.csv", "WNAE"),
}
PAPER_SKETCHES = ("1", "6", "8")
# What they show of one training alone: the divergence comes at another epoch for each seed.
ONE_SEED = {"3a", "3b"}
MEASURED = {"2a", "9a"}
# Methods that the paper's figures are about, of those in the config; a baseline has no snapshots.
PAPER_METHODS = [
    method
    for method in ("ae", "nae", "nae_logcosh", "wnae")
    if method in CONFIG.trained()
]
# Figure 13: trained on samples of kind `reversed`.
REVERSED = "results/reversed"
REVERSED_TABLES = [
    path for name in CONFIG.of_kind("reversed") for path in feature_tables(name)
]


def paper_signal():
    """The signal of the paper's figures, m_phi 2000 GeV and r_inv 0.3, or the nearest on the grid."""
    points = {name: SAMPLES[name].grid_point() for name in CONFIG.of_kind("signal")}
    name = min(
        points,
        key=lambda name: (
            abs(points[name][0] / 2000 - 1),
            abs(points[name][1] - 0.3),
        ),
    )
    return name


def paper_signal_argument():
    return f"{paper_signal()}={','.join(feature_tables(paper_signal()))}"


def paper_signal_point():
    return json.dumps({paper_signal(): SAMPLES[paper_signal()].grid_point()})


def reversed_figures():
    if "wnae" not in CONFIG.trained() or not REVERSED_TABLES:
        logger.warning(
            "The configuration has no sample of kind reversed, or no method wnae: the paper's figure 13 is left out."
            " config/reproduction.yaml has both."
        )
        return []
    return ["13"]


def of_groups(method, file):
    return [f"results/jets/models/{method}/{group}/{file}" for group in GROUPS]


def tables_of(figure, file):
    """Tables of the training that a figure by epoch shows; in figure 13 the roles are reversed."""
    if figure == "13":
        return [f"{REVERSED}/wnae/{group}/{file}" for group in GROUPS]
    return of_groups(PAPER_EPOCHS[figure], file)


def paper_figures(wildcards):
    methods = {
        **{figure: of for figure, of in PAPER_EPOCHS.items() if figure != "13"},
        **PAPER_HISTOGRAMS,
        **{figure: row[0] for figure, row in PAPER_HEATMAPS.items()},
    }
    for method in sorted(set(methods.values()) - set(PAPER_METHODS)):
        numbers = ", ".join(figure for figure in methods if methods[figure] == method)
        logger.warning(
            f"The configuration has no method {method}: the paper's figures {numbers} are left out."
            " config/reproduction.yaml has all of its methods."
        )
    drawn = [figure for figure in methods if methods[figure] in PAPER_METHODS]
    drawn += reversed_figures()
    return [
        f"results/jets/figures/paper/figure_{figure}.{suffix}"
        for figure in (*PAPER_SKETCHES, *drawn)
        for suffix in ("pdf", "png")
    ] + (["results/jets/epoch_choice.md"] if PAPER_METHODS else [])
