"""From files of images to the table of AUCs by the distance to reference jets."""

import csv
import json

import numpy as np
import pytest

from markdown_cells import cells_of
from oddjet.errors import ImageError, TableError
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.images.distances import compute_distances, read_distances
from oddjet.images.ensembles import measure_ensembles, read_ensembles
from oddjet.images.reference_jets import find_references, read_references, write_references
from oddjet.images.settings import DistanceSettings, MedoidSettings
from oddjet.images.store import JET_COLUMNS, ImageWriter, read_images
from oddjet.images.tables import ensemble_rows, pixels_above, summarize_images
from oddjet.transport.images import cross, metric_of

PIXELS, SIDE = 10, 1.0
SPREADS = {"qcd": 0.5, "top": 3.0, "w": 1.4}
MEDOIDS = MedoidSettings(largest=5, draws=3, drawn=2, bins=10)


def write_images(path, n, spread, seed, weights=1.0, repeat=1):
    """Images of ten points about the centre; `repeat` writes each so many times, one after the other."""
    rng = np.random.default_rng(seed)
    jets = np.zeros(n, [(column.name, column.dtype) for column in JET_COLUMNS])
    jets["event"], jets["pt"], jets["mass"], jets["weight"] = np.arange(n), 500, 80, weights
    pixel, value = [], []
    for _ in range(n):
        where = np.clip(rng.normal(PIXELS / 2, spread, (10, 2)).astype(int), 0, PIXELS - 1)
        image = np.zeros(PIXELS**2)
        np.add.at(image, where[:, 0] * PIXELS + where[:, 1], rng.exponential(size=10))
        occupied = np.flatnonzero(image)
        pixel.append(occupied.astype(np.uint16))
        value.append((image[occupied] / image.sum()).astype(np.float32))
    rows = np.repeat(np.arange(n), repeat)
    pixel, value = ([part[row] for row in rows] for part in (pixel, value))
    indptr = np.concatenate([[0], np.cumsum([len(one) for one in pixel])])
    with ImageWriter(path, PIXELS, SIDE, {}) as writer:
        writer.append_images(jets[rows], indptr, np.concatenate(pixel), np.concatenate(value))
        writer.finish()
    return path


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Everything from images to distances, for QCD and top references."""
    folder = tmp_path_factory.mktemp("ensembles")
    tests = {
        name: write_images(folder / f"{name}_test.h5", 60, spread, seed)
        for seed, (name, spread) in enumerate(SPREADS.items())
    }
    files = {}
    for name in ("qcd", "top"):
        train = write_images(folder / f"{name}_train.h5", 50, SPREADS[name], 10 + len(name))
        compute_distances(train, folder / f"{name}.h5", "wass1", DistanceSettings(jets=40), 2, {})
        write_references(folder / f"{name}.json", find_references(read_distances(folder / f"{name}.h5"), MEDOIDS))
        output = folder / f"{name}_ensembles.h5"
        options = {"reference": name, "root": True, "threads": 1, "attributes": {}}
        measure_ensembles(folder / f"{name}.json", train, tests, output, **options)
        files[name] = {"train": train, "table": folder / f"{name}.h5", "json": folder / f"{name}.json", "out": output}
    return tests, files


def test_distances_are_kept_with_their_jets(measured):
    _, files = measured
    table = read_distances(files["qcd"]["table"])
    images = read_images(files["qcd"]["train"], 0, 40).sparse
    np.testing.assert_allclose(table.matrix(), cross(images, images, metric_of("wass1")), atol=1e-12)
    assert (table.metric, len(table.jets)) == ("wass1", 40)
    with pytest.raises(TableError, match="holds no distances"):
        read_distances(files["qcd"]["train"])
    with pytest.raises(ImageError, match="3 jets are too few"):
        compute_distances(files["qcd"]["train"], files["qcd"]["table"], "mae", DistanceSettings(jets=3), 1, {})


def test_the_first_medoid_is_that_of_the_distances(measured):
    _, files = measured
    references = read_references(files["qcd"]["json"])
    matrix = read_distances(files["qcd"]["table"]).matrix()
    assert references.medoids[0] == [int(np.argmin(matrix.sum(axis=0)))]
    assert references.costs == sorted(references.costs, reverse=True)
    assert [len(one) for one in references.medoids] == [1, 2, 3, 4, 5]
    assert [sum(counts) for counts in references.histograms] == [40] * 5
    assert [len(set(draw)) for draw in references.random] == [2, 2, 2]
    assert 2 <= references.breaking <= 4
    assert 0 <= references.chance <= 1
    assert references.elbow is None or 2 <= references.elbow <= 4


def test_auc_is_that_of_the_nearest_medoid_with_the_stated_sign(measured):
    tests, files = measured
    for reference, sign in (("qcd", 1), ("top", -1)):
        chosen = read_references(files[reference]["json"])
        rows = ensemble_rows(read_ensembles(files[reference]["out"]), chosen, "qcd")
        members = read_images(files[reference]["train"]).sparse.take(np.array(chosen.medoids[2]))
        to = {name: cross(read_images(path).sparse, members, metric_of("wass1")) for name, path in tests.items()}
        for combination in ("min", "sum"):
            scores = {name: sign * getattr(values, combination)(axis=1) for name, values in to.items()}
            expected = compute_auc(SampleScores("qcd", scores["qcd"]), SampleScores("top", scores["top"]))
            (row,) = [
                row
                for row in rows
                if (row.signal, row.combination, row.members) == ("top", combination, 3) and row.references == "medoids"
            ]
            assert (row.auc, row.auc_error) == pytest.approx(expected)
            assert (row.n_signal, row.n_background) == (60, 60)
        # Wide images are far from narrow ones, and near wide ones. 20 draws of all images: 1 by QCD in every one,
        # 0.871 +- 0.035 by top.
        (average,) = [row for row in rows if row.references == "average" and row.signal == "top"]
        assert average.auc > (0.95 if reference == "qcd" else 0.69)
        assert {row.members for row in rows if row.elbow} == {chosen.elbow} - {None}
        (random,) = [row for row in rows if row.references == "random" and row.signal == "w"]
        assert random.spread > 0


def test_the_paper_is_beside_ours(measured, tmp_path):
    tests, files = measured
    summarize_images(
        tests,
        [files[name]["out"] for name in files],
        [files[name]["json"] for name in files],
        [files["qcd"]["table"], files["top"]["table"]],
        background="qcd",
        table=tmp_path / "t.csv",
        summary=tmp_path / "t.md",
    )
    page = (tmp_path / "t.md").read_text()
    table = cells_of(page)
    assert "10.4 ± 5.3" in next(row for row in table if row[0] == "qcd")
    line = next(row for row in table if row[:3] == ["qcd", "wass1", "min"] and row[4] == "top")
    assert any("(0.81)" in cell for cell in line)
    assert any("(0.85)" in cell for cell in line)
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    printed = {(row["reference"], row["references"], row["members"], row["signal"]): row["paper"] for row in rows}
    assert printed["qcd", "average", "0", "w"] == "0.62"
    assert printed["top", "medoids", "5", "w"] in ("0.84", "")
    # 2 references, 2 signals, average + 5 medoids by min + 4 by sum + random.
    assert len(rows) == 2 * 2 * (1 + 5 + 4 + 1)


def test_pixels_above_a_share(measured):
    batch = read_images(measured[0]["qcd"])
    dense = batch.dense().reshape(len(batch), -1)
    np.testing.assert_array_equal(pixels_above(batch, 0.05), (dense > 0.05).sum(axis=1))


def test_files_of_another_kind_are_refused(measured, tmp_path):
    with pytest.raises(TableError, match="measure_ensembles"):
        read_ensembles(measured[1]["qcd"]["table"])
    (tmp_path / "no.json").write_text(json.dumps({"metric": "mae"}))
    with pytest.raises(ImageError, match="holds no reference jets"):
        read_references(tmp_path / "no.json")
    with pytest.raises(ImageError, match="too few"):
        find_references(read_distances(measured[1]["qcd"]["table"]), MedoidSettings(largest=50))


def test_a_weight_counts_as_so_many_jets(tmp_path):
    """Medoids, average image, elbow and AUC of weighted jets are those of jets written as often as they weigh."""
    counts = np.random.default_rng(1).integers(1, 4, 30)
    rows = {}
    for kind in ("weighted", "repeated"):
        given = {"weights": counts} if kind == "weighted" else {"repeat": counts}
        folder = tmp_path / kind
        folder.mkdir()
        train = write_images(folder / "train.h5", 30, 1.0, 5, **given)
        tests = {name: write_images(folder / f"{name}.h5", 30, SPREADS[name], 7, **given) for name in ("qcd", "top")}
        compute_distances(train, folder / "distances.h5", "wass1", DistanceSettings(), 1, {})
        chosen = find_references(read_distances(folder / "distances.h5"), MEDOIDS.model_copy(update={"restarts": 20}))
        write_references(folder / "medoids.json", chosen)
        options = {"reference": "qcd", "root": True, "threads": 1, "attributes": {}}
        measure_ensembles(folder / "medoids.json", train, tests, folder / "measured.h5", **options)
        found = ensemble_rows(read_ensembles(folder / "measured.h5"), chosen, "qcd")
        rows[kind] = [row for row in found if row.references != "random"], chosen
    for weighted, repeated in zip(rows["weighted"][0], rows["repeated"][0], strict=True):
        assert (weighted.references, weighted.members) == (repeated.references, repeated.members)
        assert weighted.auc == pytest.approx(repeated.auc, abs=1e-9)
    for name in ("costs", "peaks", "elbow"):
        assert getattr(rows["weighted"][1], name) == pytest.approx(getattr(rows["repeated"][1], name))


def test_random_references_are_jets_with_a_weight(tmp_path):
    weights = np.zeros(30)
    weights[[3, 8, 21]] = 1.0, -1.0, 2.0
    write_images(tmp_path / "train.h5", 30, 1.0, 5, weights=weights)
    compute_distances(tmp_path / "train.h5", tmp_path / "distances.h5", "mae", DistanceSettings(), 1, {})
    chosen = find_references(read_distances(tmp_path / "distances.h5"), MEDOIDS)
    assert {jet for draw in chosen.random for jet in draw} <= {3, 8, 21}
    with pytest.raises(ImageError, match="fewer than 4 of 30 jets have a weight"):
        find_references(read_distances(tmp_path / "distances.h5"), MEDOIDS.model_copy(update={"drawn": 4}))
