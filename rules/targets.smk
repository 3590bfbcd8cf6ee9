# What can be asked for by name, beside the default run: `snakemake TARGET --cores all`.
rule simulate:
    input:
        [path for name in CONFIG.all_samples() for path in simulated_files(name)],


rule features:
    input:
        [path for name in CONFIG.all_samples() for path in feature_tables(name)],


rule models:
    input:
        [path for method in CONFIG.with_models() for path in models_of(method)],


rule figures:
    input:
        expand("results/jets/figures/auc_heatmap_{method}.pdf", method=CONFIG.methods),
        expand("results/jets/figures/training_{method}.pdf", method=CONFIG.trained()),
        "results/jets/figures/leaderboard.pdf",
        paper_figures,


rule contamination:
    input:
        "results/jets/contamination.csv",
        "results/jets/contamination.md",
        "results/jets/figures/contamination.pdf",


rule images:
    input:
        IMAGE_RESULTS,


rule image_scores:
    input:
        IMAGE_SCORES,


rule events:
    input:
        expand("results/events/scores/{method}.h5", method=EVENTS.methods),
        lambda wildcards: event_results(),
