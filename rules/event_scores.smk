# Scores of whole events by optimal transport, their tables and figures; part of `snakemake events`.
include: "event_score_inputs.smk"


# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    compare_event_scores,
    tabulate_events,
    plot_event_curves,
    plot_event_latency,


rule score_event_distances:
    input:
        references=event_input("background_train"),
        background=EVENT_TEST,
        signals=EVENT_TEST_FILES,
    output:
        scores=event_scores(EVENT_DISTANCE_METHODS),
        agreement="results/events/choices/linearised.json",
    log:
        "results/logs/score_event_distances.log",
    benchmark:
        "results/benchmarks/score_event_distances.tsv"
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        mem_mb=grown(2000),
        runtime=grown(60),
    params:
        settings=protocol("sets", "distances"),
        signals=EVENT_TEST_ARGUMENTS,
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
        training=event_input("background_train"),
        background=EVENT_TEST,
        signals=EVENT_TEST_FILES,
    output:
        scores=event_scores(NEIGHBOUR_METHODS),
        choice="results/events/choices/neighbours.json",
    log:
        "results/logs/score_event_neighbours.log",
    benchmark:
        "results/benchmarks/score_event_neighbours.tsv"
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        mem_mb=grown(2000),
        runtime=grown(60),
    params:
        # `distances` says how many events the references take before these.
        settings=protocol("seed", "sets", "distances", "neighbours"),
        signals=EVENT_TEST_ARGUMENTS,
        folder=lambda wildcards, output: str(Path(output.scores[0]).parent),
        objects=EVENT_OBJECTS,
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
        training=event_input("background_train"),
        validation=event_input("background_validation"),
        background=EVENT_TEST,
        signals=EVENT_TEST_FILES,
    output:
        scores=event_scores(SUPPORT_VECTOR_METHODS),
        choice="results/events/choices/svm.json",
    log:
        "results/logs/score_event_svm.log",
    benchmark:
        "results/benchmarks/score_event_svm.tsv"
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        mem_mb=grown(3000),
        runtime=grown(120),
    params:
        settings=protocol("seed", "sets", "support_vectors"),
        signals=EVENT_TEST_ARGUMENTS,
        folder=lambda wildcards, output: str(Path(output.scores[0]).parent),
        objects=EVENT_OBJECTS,
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
        background=EVENT_TEST,
        signals=EVENT_TEST_FILES,
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
        mem_mb=grown(2000),
        runtime=grown(60),
    params:
        settings=protocol("seed", "classification"),
        signals=EVENT_TEST_ARGUMENTS,
        code=code_digest("classify_events"),
    message:
        "Supervised neighbours of whole events"
    shell:
        'python "$ODDJET"/workflow/scripts/classify_events.py --settings {params.settings:q} --background {input.background:q}'
        " --signals {params.signals:q} --threads {threads} --output {output:q} > {log:q} 2>&1"


rule compare_event_scores:
    input:
        event_scores(EVENT_METHODS),
    output:
        merit="results/events/merit.csv",
        curves="results/events/curves.csv",
    log:
        "results/logs/compare_event_scores.log",
    benchmark:
        "results/benchmarks/compare_event_scores.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(30),
    params:
        settings=PROTOCOL.model_dump_json(include={"sets"}),
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
    benchmark:
        "results/benchmarks/tabulate_events.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
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
        training=event_input("background_train"),
        validation=event_input("background_validation"),
        test=EVENT_TEST,
        models=[event_models(method)[0] for method in EVENTS.methods],
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
    threads: 1
    resources:
        mem_mb=grown(3000),
        runtime=grown(60),
    params:
        settings=protocol(
            "seed", "distances", "neighbours", "support_vectors", "latency"
        ),
        objects=EVENT_OBJECTS,
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
    benchmark:
        "results/benchmarks/plot_event_curves/{kind}.tsv"
    wildcard_constraints:
        kind="roc|si",
    conda:
        "../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        label=lambda wildcards: CONFIG.label,
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
    benchmark:
        "results/benchmarks/plot_event_latency.tsv"
    conda:
        "../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        label=lambda wildcards: CONFIG.label,
        code=code_digest("plot_event_latency"),
    message:
        "AUC of whole events against cost"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_event_latency.py --latency {input.latency:q} --merit {input.merit:q}'
        " --label {params.label:q} --output-pdf {output.pdf:q} --output-png {output.png:q} > {log:q} 2>&1"
