"""Images of the feature tables' jets, and scores by their distance to medoids of training jets."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform

from oddjet.detectors.medoids import MedoidMethod
from oddjet.detectors.opening import Given, open_detector
from oddjet.errors import ImageError, InputFileError, TransportError
from oddjet.images.gather import gather_images
from oddjet.images.grid import make_grid_images
from oddjet.images.settings import ImageJetSettings
from oddjet.images.store import JET_COLUMNS, ImageLibrary, ImageWriter, read_images
from oddjet.io.tables import Column, read_table, write_table
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings
from oddjet.simulation.generate import simulate_sample
from oddjet.simulation.settings import Process, SimulationSettings
from oddjet.transport.images import cross, metric_of, pairwise
from oddjet.transport.medoids import find_medoids
from oddjet.transport.sparse import concatenated

FEATURES = FeatureSettings(features=("ptd",), chunk_size=30)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A file of top jets, its feature table and its images."""
    folder = tmp_path_factory.mktemp("grid")
    process = Process.model_validate({"name": "top_pairs", "pthat_min": 500})
    settings = SimulationSettings(multiparton_interactions=False)
    simulate_sample(folder / "top.root", process, settings, sample="t", part=0, events=80, seed=1, attributes={})
    extract_features(folder / "top.root", folder / "features.h5", FEATURES, require_match="top")
    options = {"require_match": "top", "attributes": {}}
    make_grid_images(str(folder / "top.root"), folder / "images.h5", FEATURES, ImageJetSettings(), **options)
    return read_table(folder / "features.h5"), folder / "images.h5"


def test_the_images_are_those_of_the_tables_jets(made):
    jets, path = made
    batch = read_images(path)
    assert len(jets) == len(batch) > 30
    for name in ("run", "luminosityBlock", "event", "jet_rank", "pt", "eta", "phi", "mass", "n_constituents"):
        np.testing.assert_array_equal(batch.jets[name], jets[name])
    # A jet of radius 0.8 fills as much of its image as one of radius 1 does of 3.2.
    assert batch.side == pytest.approx(2.56)
    assert (batch.jets["inside"] > 0.95).all()


@pytest.fixture
def scorer(made, tmp_path):
    """Give a function: a method that is made from training jets, as a function from jets to scores."""

    def open_method(train, method, *seeds):
        columns = [Column(name, train.dtype[name].str.lstrip("<|"), "1", "value") for name in train.dtype.names]
        write_table(tmp_path / "train.h5", columns, train, {})
        given = Given("m", method, tmp_path / "train.h5", seeds, train=tmp_path / "train.h5", images=(made[1],))
        opened = open_detector(given)
        assert opened.methods == (("m", seeds, (1,) * len(seeds)),)
        return lambda jets: opened.score(jets)[0]

    return open_method


def test_scores_are_distances_to_medoids_of_training_jets(made, scorer):
    jets, path = made
    train, test = jets[:25], jets[25:][::-1]
    images = read_images(path).sparse
    metric = metric_of("wass1")
    for combination in ("min", "sum"):
        method = MedoidMethod(kind="medoids", medoids=3, jets=1000, combination=combination, restarts=0)
        scores = scorer(train, method, 1, 2)(test)
        assert scores.shape == (len(test), 2)
        # All training jets are drawn, so the seeds agree.
        np.testing.assert_array_equal(scores[:, 0], scores[:, 1])
        training = images.take(np.arange(25))
        members = training.take(
            find_medoids(squareform(pairwise(training, metric)), 3, weights=train["weight"])[-1].members
        )
        expected = getattr(cross(images.take(np.arange(25, len(jets))), members, metric), combination)(axis=1)
        np.testing.assert_allclose(scores[::-1, 0], expected, atol=1e-12)


def test_a_training_jet_counts_with_its_weight(made, scorer):
    jets, path = made
    images, metric = read_images(path).sparse, metric_of("wass1")
    for heavy in (2, 7):
        train = jets[:25].copy()
        train["weight"] = np.where(np.arange(25) == heavy, 1e6, 1.0)
        scores = scorer(train, MedoidMethod(kind="medoids", medoids=1), 1)(jets)
        expected = cross(images, images.take(np.array([heavy])), metric)[:, 0]
        np.testing.assert_allclose(scores[:, 0], expected, atol=1e-12)


def test_seeds_draw_their_own_training_jets(made, scorer):
    jets, _ = made
    scores = scorer(jets, MedoidMethod(kind="medoids", metric="mae", medoids=2, jets=8), 1, 2)(jets)
    assert (scores[:, 0] != scores[:, 1]).any()


def test_a_jet_without_an_image_is_named(made, scorer):
    jets, _ = made
    other = jets.copy()
    other["pt"][3] += 1
    with pytest.raises(ImageError, match=f"event {jets['run'][3]}:1:{jets['event'][3]} has no image"):
        scorer(jets, MedoidMethod(kind="medoids", medoids=2, jets=5), 1)(other)
    with pytest.raises(ImageError, match="too few"):
        scorer(jets[:3], MedoidMethod(kind="medoids", medoids=5), 1)


def test_images_of_a_dataset_are_gathered_in_another_order(made, tmp_path):
    jets, path = made
    copied = tmp_path / "table.h5"
    columns = [column for column in JET_COLUMNS if column.name != "inside"]
    rows = np.empty(20, [(column.name, column.dtype) for column in columns])
    for column in columns:
        rows[column.name] = jets[column.name][:20]
    # As the dataset weights them, with a cross section.
    rows["weight"] = np.arange(20) + 0.5
    write_table(copied, columns, rows, {})
    library = ImageLibrary([path])
    assert gather_images(library, copied, tmp_path / "gathered.h5", 1) == 20
    gathered = read_images(tmp_path / "gathered.h5")
    assert (gathered.side, gathered.sparse.pixels) == (library.side, library.pixels) == (pytest.approx(2.56), 40)
    # All of them, each with its own image, and not in the order of the table.
    assert gathered.jets["pt"].tolist() != rows["pt"].tolist()
    assert sorted(gathered.jets[["pt", "weight"]].tolist()) == sorted(rows[["pt", "weight"]].tolist())
    np.testing.assert_allclose(gathered.dense(), library.of(gathered.jets).dense(), atol=1e-7)
    gather_images(library, copied, tmp_path / "again.h5", 1)
    np.testing.assert_array_equal(read_images(tmp_path / "again.h5").dense(), gathered.dense())


def test_a_bad_file_is_skipped_where_the_features_skip_it(tmp_path):
    (tmp_path / "bad.root").write_bytes(b"no ROOT file")
    options = {"require_match": "none", "attributes": {}}
    with pytest.raises(InputFileError):
        make_grid_images(str(tmp_path / "bad.root"), tmp_path / "a.h5", FEATURES, ImageJetSettings(), **options)
    assert not (tmp_path / "a.h5").exists()
    skipping = FEATURES.model_copy(update={"on_bad_file": "skip"})
    make_grid_images(str(tmp_path / "bad.root"), tmp_path / "b.h5", skipping, ImageJetSettings(), **options)
    assert len(read_images(tmp_path / "b.h5")) == 0


def test_images_of_two_sizes_are_not_put_together(made, tmp_path):
    with ImageWriter(tmp_path / "small.h5", 8, 1.0, {}) as writer:
        row = np.zeros(1, [(column.name, column.dtype) for column in JET_COLUMNS])
        writer.append_images(row, np.array([0, 1]), np.array([3], np.uint16), np.array([1.0], np.float32))
        writer.finish()
    parts = [read_images(path).sparse for path in (made[1], tmp_path / "small.h5")]
    with pytest.raises(TransportError, match="2 different sizes"):
        concatenated(parts)
    np.testing.assert_array_equal(concatenated([parts[0], parts[0]]).dense()[len(parts[0]) :], parts[0].dense())
