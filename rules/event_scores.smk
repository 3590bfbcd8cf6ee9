# Scores of whole events by optimal transport, their tables and figures; part of `snakemake events`.


# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    compare_event_scores,
    tabulate_events,
    plot_event_curves,
    plot_event_latency,


# All seeds that train together in one table.
use rule score as score_event_networks with:
    input:
        models="results/events/models/{method}/{group}/model.pt",
        train=[],
        validation=[],
        images=[],
        background=EVENTS.table("background_test"),
        signals=EVENTS.signal_tables(),
        data=[],
        test_backgrounds=[],
        cutflow=[],
    output:
        "results/events/scores/{method}/{group}.h5",
    log:
        "results/logs/score_event_networks/{method}/{group}.log",
    benchmark:
        "results/benchmarks/score_event_networks/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(EVENTS.settings.methods),
        group=any_of(EVENTS.groups),
    threads: 1
    resources:
        **grown(3000, 60),
    params:
        settings=lambda wildcards: EVENTS.settings.methods[
            wildcards.method
        ].model_dump_json(),
        rows="events",
        seeds=lambda wildcards: EVENTS.groups[wildcards.group],
        evaluation="{}",
        signals=EVENTS.signal_arguments(),
        data=[],
        test_backgrounds=[],
        points="{}",
        cross_sections="{}",
        code=lambda wildcards: code_digest(
            "score", *EVENTS.opened_modules(wildcards.method)
        ),
    message:
        "Score whole events with {wildcards.method}, {wildcards.group}"


# Methods that share their work, and so a job: all transport distances, the neighbours, the support vector machines.
for family in EVENTS.families():

    rule:
        name:
            f"score_{family}"
        input:
            **EVENTS.opened_from(family),
            background=EVENTS.table("background_test"),
            signals=EVENTS.signal_tables(),
        output:
            scores=EVENTS.scores(EVENTS.families()[family]),
            record=EVENTS.record(family),
        log:
            f"results/logs/score_{family}.log",
        benchmark:
            f"results/benchmarks/score_{family}.tsv"
        conda:
            "../envs/train.yaml"
        threads: 2
        resources:
            **grown(3000, 120),
        params:
            method=family,
            settings=EVENTS.family_settings(family),
            signals=EVENTS.signal_arguments(),
            code=code_digest("score", *EVENTS.opened_modules(family)),
        message:
            f"Score whole events by {family}"
        shell:
            'python "$ODDJET"/workflow/scripts/score.py --settings {params.settings:q} --method {params.method} --rows events'
            " --train {input.train:q} --validation {input.validation:q} --background {input.background:q}"
            " --signals {params.signals:q} --threads {threads} --record {output.record:q}"
            " --output {output.scores:q} > {log:q} 2>&1"


rule classify_events:
    input:
        background=EVENTS.table("background_test"),
        signals=EVENTS.signal_tables(),
    output:
        "results/events/classification.csv",
    log:
        "results/logs/classify_events.log",
    benchmark:
        "results/benchmarks/classify_events.tsv"
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        **grown(2000, 60),
    params:
        settings=EVENTS.protocol("seed", "classification"),
        signals=EVENTS.signal_arguments(),
        code=code_digest("classify_events"),
    message:
        "Supervised neighbours of whole events"
    shell:
        'python "$ODDJET"/workflow/scripts/classify_events.py --settings {params.settings:q} --background {input.background:q}'
        " --signals {params.signals:q} --threads {threads} --output {output:q} > {log:q} 2>&1"


rule compare_event_scores:
    input:
        EVENTS.scores(EVENTS.methods()),
    output:
        merit="results/events/merit.csv",
        curves="results/events/curves.csv",
    log:
        "results/logs/compare_event_scores.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 30),
    params:
        settings=EVENTS.settings.protocol.model_dump_json(include={"sets"}),
        code=code_digest("compare_event_scores"),
    message:
        "Figures of merit of all scores of whole events"
    shell:
        'python "$ODDJET"/workflow/scripts/compare_event_scores.py --settings {params.settings:q} --scores {input:q}'
        " --merit {output.merit:q} --curves {output.curves:q} > {log:q} 2>&1"


rule tabulate_events:
    input:
        merit="results/events/merit.csv",
        classification="results/events/classification.csv",
    output:
        tables=expand(
            "results/events/{name}.csv",
            name=["table1", "table2", "table3", "ablations"],
        ),
        page="results/events/tables.md",
    log:
        "results/logs/tabulate_events.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        folder=lambda wildcards, output: str(Path(output.tables[0]).parent),
        titles=event_titles,
        code=code_digest("tabulate_events"),
    message:
        "Tables of whole events"
    shell:
        'python "$ODDJET"/workflow/scripts/tabulate_events.py --titles {params.titles:q} --merit {input.merit:q} --classification {input.classification:q}'
        " --output-dir {params.folder:q} > {log:q} 2>&1"


rule measure_event_latency:
    input:
        training=EVENTS.table("background_train"),
        validation=EVENTS.table("background_validation"),
        test=EVENTS.table("background_test"),
        models=[
            f"results/events/models/{method}/{next(iter(EVENTS.groups))}/model.pt"
            for method in EVENTS.settings.methods
        ],
        merit="results/events/merit.csv",
    output:
        table="results/events/latency.csv",
        page="results/events/latency.md",
    log:
        "results/logs/measure_event_latency.log",
    benchmark:
        "results/benchmarks/measure_event_latency.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **grown(3000, 60),
    params:
        settings=EVENTS.protocol(
            "seed", "distances", "neighbours", "support_vectors", "latency"
        ),
        objects=EVENTS.settings.objects.model_dump_json(),
        titles=event_titles,
        code=code_digest("measure_event_latency"),
    message:
        "Cost of the scores of whole events on one core"
    shell:
        'python "$ODDJET"/workflow/scripts/measure_event_latency.py --titles {params.titles:q} --settings {params.settings:q}'
        " --objects {params.objects:q} --training {input.training:q}"
        " --validation {input.validation:q} --test {input.test:q} --models {input.models:q} --merit {input.merit:q}"
        " --table {output.table:q} --page {output.page:q} > {log:q} 2>&1"


rule plot_event_curves:
    input:
        curves="results/events/curves.csv",
        merit="results/events/merit.csv",
    output:
        pdf="results/events/figures/{kind}.pdf",
        png=reported(
            "results/events/figures/{kind}.png",
            "events",
            "events",
            "curves: {kind}",
        ),
    log:
        "results/logs/plot_event_curves/{kind}.log",
    wildcard_constraints:
        kind="roc|si",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        titles=event_titles,
        code=code_digest("plot_event_curves"),
    message:
        "Curves of whole events: {wildcards.kind}"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_event_curves.py --titles {params.titles:q} --curves {input.curves:q} --merit {input.merit:q}'
        " --kind {wildcards.kind} --label {params.label:q} --output {output:q}"
        " > {log:q} 2>&1"


rule plot_event_latency:
    input:
        latency="results/events/latency.csv",
        merit="results/events/merit.csv",
    output:
        pdf="results/events/figures/latency.pdf",
        png=reported(
            "results/events/figures/latency.png",
            "events",
            "events",
            "AUC against cost",
        ),
    log:
        "results/logs/plot_event_latency.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        titles=event_titles,
        code=code_digest("plot_event_latency"),
    message:
        "AUC of whole events against cost"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_event_latency.py --titles {params.titles:q} --latency {input.latency:q} --merit {input.merit:q}'
        " --label {params.label:q} --output {output:q} > {log:q} 2>&1"
