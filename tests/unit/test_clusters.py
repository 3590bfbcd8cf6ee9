"""A job of a batch system parses the rules of its own batches alone."""

from oddjet.batches import batches_of
from oddjet.clusters import without_other_jobs


def parts(number: int) -> list[str]:
    return [f"{part:04d}" for part in range(number)]


def test_a_job_gets_the_rules_of_its_own_batches_and_the_main_process_all():
    batches = batches_of({"top": parts(12)}, 4)
    left = lambda *words, main=False: [  # noqa: E731
        batch.name for batch in without_other_jobs(batches, "extract_features", words, main_process=main)
    ]
    allowed = ("--allowed-rules", "extract_features_top_0004", "extract_features_top_0008", "--cores", "all")
    assert left(*allowed) == ["top_0004", "top_0008"]
    assert left("--allowed-rules", "train_model", "--cores", "all", "extract_features_top_0004") == []
    assert left("--allowed-rules", "simulate_sample_top_0000") == []
    assert left("--cores", "all") == left(*allowed, main=True) == ["top_0000", "top_0004", "top_0008"]
