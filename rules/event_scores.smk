# Scores of whole events by optimal transport, their tables and figures; part of `snakemake events`.


# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    compare_event_scores,
    tabulate_events,
    plot_event_curves,
    plot_event_latency,


rule score_event_distances:
    input:
        references=EVENTS.table("background_train"),
        background=EVENTS.table("background_test"),
        signals=EVENTS.signal_tables(),
    output:
        scores=EVENTS.scores(EVENTS.settings.protocol.distances.methods()),
        agreement="results/events/choices/linearised.json",
    log:
        "results/logs/score_event_distances.log",
    benchmark:
        "results/benchmarks/score_event_distances.tsv"
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        **grown(2000, 60),
    params:
        settings=EVENTS.protocol("sets", "distances"),
        signals=EVENTS.signal_arguments(),
        folder=lambda wildcards, output: str(Path(output.scores[0]).parent),
        code=code_digest("score_event_distances"),
    message:
        "Score whole events by transport distances"
    shell:
        'python "$ODDJET"/workflow/scripts/score_event_distances.py --settings {params.settings:q} --references {input.references:q}'
        " --background {input.background:q} --signals {params.signals:q} --threads {threads}"
        " --output-dir {params.folder:q} --agreement {output.agreement:q} > {log:q} 2>&1"


rule score_event_neighbours:
    input:
        training=EVENTS.table("background_train"),
        background=EVENTS.table("background_test"),
        signals=EVENTS.signal_tables(),
    output:
        scores=EVENTS.scores(NEIGHBOUR_METHODS),
        choice="results/events/choices/neighbours.json",
    log:
        "results/logs/score_event_neighbours.log",
    benchmark:
        "results/benchmarks/score_event_neighbours.tsv"
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        **grown(2000, 60),
    params:
        # `distances` says how many events the references take before these.
        settings=EVENTS.protocol("seed", "sets", "distances", "neighbours"),
        signals=EVENTS.signal_arguments(),
        folder=lambda wildcards, output: str(Path(output.scores[0]).parent),
        objects=EVENTS.settings.objects.model_dump_json(),
        code=code_digest("score_event_neighbours"),
    message:
        "Score whole events by neighbours among augmented ones"
    shell:
        'python "$ODDJET"/workflow/scripts/score_event_neighbours.py --settings {params.settings:q}'
        " --objects {params.objects:q} --training {input.training:q}"
        " --background {input.background:q} --signals {params.signals:q} --threads {threads}"
        " --output-dir {params.folder:q} --choice {output.choice:q} > {log:q} 2>&1"


rule score_event_svm:
    input:
        training=EVENTS.table("background_train"),
        validation=EVENTS.table("background_validation"),
        background=EVENTS.table("background_test"),
        signals=EVENTS.signal_tables(),
    output:
        scores=EVENTS.scores(SUPPORT_VECTOR_METHODS),
        choice="results/events/choices/svm.json",
    log:
        "results/logs/score_event_svm.log",
    benchmark:
        "results/benchmarks/score_event_svm.tsv"
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        **grown(3000, 120),
    params:
        settings=EVENTS.protocol("seed", "sets", "support_vectors"),
        signals=EVENTS.signal_arguments(),
        folder=lambda wildcards, output: str(Path(output.scores[0]).parent),
        objects=EVENTS.settings.objects.model_dump_json(),
        code=code_digest("score_event_svm"),
    message:
        "Score whole events by support vectors on the transport kernel"
    shell:
        'python "$ODDJET"/workflow/scripts/score_event_svm.py --settings {params.settings:q}'
        " --objects {params.objects:q} --training {input.training:q}"
        " --validation {input.validation:q} --background {input.background:q} --signals {params.signals:q}"
        " --threads {threads} --output-dir {params.folder:q} --choice {output.choice:q} > {log:q} 2>&1"


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
        "../envs/dataset.yaml"
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
        "../envs/dataset.yaml"
    resources:
        **grown(1000, 10),
    params:
        folder=lambda wildcards, output: str(Path(output.tables[0]).parent),
        code=code_digest("tabulate_events"),
    message:
        "Tables of whole events"
    shell:
        'python "$ODDJET"/workflow/scripts/tabulate_events.py --merit {input.merit:q} --classification {input.classification:q}'
        " --output-dir {params.folder:q} > {log:q} 2>&1"


rule measure_event_latency:
    input:
        training=EVENTS.table("background_train"),
        validation=EVENTS.table("background_validation"),
        test=EVENTS.table("background_test"),
        models=[
            EVENTS.models(method, EVENT_GROUPS)[0]
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
        code=code_digest("measure_event_latency"),
    message:
        "Cost of the scores of whole events on one core"
    shell:
        'python "$ODDJET"/workflow/scripts/measure_event_latency.py --settings {params.settings:q}'
        " --objects {params.objects:q} --training {input.training:q}"
        " --validation {input.validation:q} --test {input.test:q} --models {input.models:q} --merit {input.merit:q}"
        " --table {output.table:q} --page {output.page:q} > {log:q} 2>&1"


rule plot_event_curves:
    input:
        curves="results/events/curves.csv",
        merit="results/events/merit.csv",
    output:
        pdf="results/events/figures/{kind}.pdf",
        png="results/events/figures/{kind}.png",
    log:
        "results/logs/plot_event_curves/{kind}.log",
    wildcard_constraints:
        kind="roc|si",
    conda:
        "../envs/figures.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        code=code_digest("plot_event_curves"),
    message:
        "Curves of whole events: {wildcards.kind}"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_event_curves.py --curves {input.curves:q} --merit {input.merit:q}'
        " --kind {wildcards.kind} --label {params.label:q} --output-pdf {output.pdf:q} --output-png {output.png:q}"
        " > {log:q} 2>&1"


rule plot_event_latency:
    input:
        latency="results/events/latency.csv",
        merit="results/events/merit.csv",
    output:
        pdf="results/events/figures/latency.pdf",
        png="results/events/figures/latency.png",
    log:
        "results/logs/plot_event_latency.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        code=code_digest("plot_event_latency"),
    message:
        "AUC of whole events against cost"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_event_latency.py --latency {input.latency:q} --merit {input.merit:q}'
        " --label {params.label:q} --output-pdf {output.pdf:q} --output-png {output.png:q} > {log:q} 2>&1"
