"""Scores of whole events: augmentations, votes, support vectors, spaces, planing, figures of merit."""

import json
import math

import numpy as np
import pytest

from oddjet.errors import EventError, TableError
from oddjet.evaluation.efficiency import background_curve, event_merits
from oddjet.events.augmentations import OBJECTS, acceptances, augment, momentum, splittable, thresholds
from oddjet.events.classification import classify, plane
from oddjet.events.distances import EventDistances, linear_agreement
from oddjet.events.latency import measure_distances
from oddjet.events.layout import (
    CLASS,
    EGAMMA,
    ETA,
    JET,
    MET,
    MUON,
    PHI,
    PT,
    SLOTS,
    check_events,
    read_events,
    write_events,
)
from oddjet.events.merit_tables import Latency, SetMerit, summarise
from oddjet.events.neighbours import AugmentedNeighbours, choose_k, rank_auc, vote_shares
from oddjet.events.paper import SIGNALS, TABLE_1, TABLE_2, TABLE_3, paper_value
from oddjet.events.point_sets import missing_pt, multiplicity, sets_2d, sets_3d, sorted_pt, total_pt
from oddjet.events.settings import (
    ClassificationSettings,
    DistanceSettings,
    GroundSettings,
    LatencySettings,
    NeighbourSettings,
    ObjectSettings,
    ProtocolSettings,
    SupportVectorSettings,
    VoteSettings,
)
from oddjet.events.support_vectors import KernelMachine, TransportMachine, prepare_machine
from oddjet.io.csv import read_rows, write_rows
from oddjet.studies.event_merits import EventScores
from oddjet.transport.point_sets import distance_matrix
from programs import run_program

PLAIN = GroundSettings()
SELECTION = ObjectSettings()
# Another selection than the challenge's.
HARDER = ObjectSettings(
    trigger_pt_min=40,
    egamma_pt_min=10,
    egamma_eta_max=2.4,
    muon_pt_min=8,
    muon_eta_max=1.5,
    jet_pt_min=30,
    jet_eta_max=2.5,
)


def make_events(n: int, seed: int, scale: float = 1.0, objects: ObjectSettings = SELECTION) -> np.ndarray:
    """Events that pass the selection, with a missing momentum, objects sorted by pT: shape (n, 19, 4)."""
    rng = np.random.default_rng(seed)
    events = np.zeros((n, SLOTS, 4))
    for event in events:
        event[0] = rng.exponential(25) + 0.1, 0.0, rng.uniform(-np.pi, np.pi), 1
        for kind in OBJECTS:
            number = min(rng.poisson(3.0 if kind == JET else 0.8), kind.size)
            number = max(number, 1) if kind == EGAMMA else number
            pt = np.sort(thresholds(objects)[kind.code] + rng.exponential(20 * scale, number))[::-1]
            if kind == EGAMMA:
                pt[0] = max(pt[0], objects.trigger_pt_min + 0.5)
            edge = acceptances(objects)[kind.code]
            rows = slice(kind.start, kind.start + number)
            event[rows] = np.stack(
                [pt, rng.uniform(-edge, edge, number), rng.uniform(-np.pi, np.pi, number), np.full(number, kind.code)],
                axis=1,
            )
    return events


@pytest.fixture(scope="module")
def augmented():
    events = make_events(600, 1)
    return events, *augment(events, 3, SELECTION)


@pytest.mark.parametrize("selection", [SELECTION, HARDER])
def test_augmented_events_keep_the_layout_thresholds_and_acceptance(selection, tmp_path):
    before = make_events(600, 1, objects=selection)
    events, _ = augment(before, 3, selection)
    check_events(events, tmp_path)
    for kind in OBJECTS:
        objects = events[:, kind.slots]
        present = objects[..., PT] > 0
        assert (objects[..., PT][present] >= thresholds(selection)[kind.code] * (1 - 1e-12)).all()
        assert (np.abs(objects[..., ETA]) <= acceptances(selection)[kind.code]).all()
    assert (events[:, EGAMMA.start : MUON.stop, PT].max(1) > selection.trigger_pt_min).all()
    assert (np.abs(events[..., PHI]) <= np.pi).all()
    assert not np.shares_memory(before, events)


def test_no_augmented_event_is_the_one_that_it_was_made_of():
    """Each event differs, also full ones, those without missing momentum, and one without anything."""
    events = make_events(4000, 21)
    full = events[:200].copy()
    for kind in OBJECTS:
        full[:, kind.slots] = (0.0, 0.0, 0.0, kind.code)
        full[:, kind.slots, PT] = thresholds(SELECTION)[kind.code] * 1.5
    still = events[200:400].copy()
    still[:, MET.start] = 0.0
    lone = events[400:600].copy()
    lone[:, MET.stop :] = 0.0
    for given in (events, full, still, lone, np.zeros((50, SLOTS, 4))):
        made, kinds = augment(given, 5, SELECTION)
        assert (made != given).any(axis=(1, 2)).all()
        assert set(kinds.tolist()) <= {0, 1, 2}
    assert set(augment(full, 5, SELECTION)[1].tolist()) == {2}


def test_augmentations_are_taken_equally_often_where_they_can_be(augmented):
    before, _, kinds = augmented
    can = np.array([any(splittable(event, kind, SELECTION).size for kind in OBJECTS) for event in before])
    assert not (kinds[~can] == 1).any()
    share = np.bincount(kinds[can], minlength=3) / can.sum()
    assert np.abs(share - 1 / 3).max() < 4 * math.sqrt(2 / 9 / can.sum())


def test_more_objects_keep_the_vector_sum_and_split_ones_the_total(augmented):
    before, after, kinds = augmented
    for old, new, kind in zip(before, after, kinds, strict=True):
        if kind == 0:
            assert momentum(new) == pytest.approx(momentum(old), abs=1e-9)
            assert multiplicity(new[None]) > multiplicity(old[None])
        if kind == 1:
            assert new[MET.stop :, PT].sum() == pytest.approx(old[MET.stop :, PT].sum(), rel=1e-12)
            np.testing.assert_array_equal(new[MET.start], old[MET.start])
            assert multiplicity(new[None]) > multiplicity(old[None])
        if kind == 2:
            present = old[:, PT] > 0
            np.testing.assert_array_equal(new[:, 1:], old[:, 1:])
            factors = new[present, PT] / old[present, PT]
            assert factors[1:].std() < 1e-9
            assert 0.5 <= factors[0] < 5
            assert 1 - 1e-12 <= factors[-1] < 5
            # Either one of the two stays, or both go by the same factor.
            assert min(abs(factors[0] - 1), abs(factors[-1] - 1), abs(factors[0] - factors[-1])) < 1e-9


def test_an_event_that_cannot_be_split_is_not():
    event = np.zeros((1, SLOTS, 4))
    event[0, EGAMMA.start] = 24.0, 0.5, 1.0, EGAMMA.code  # both pieces would be below the trigger's threshold
    event[0, JET.start] = 20.0, 0.0, 0.0, JET.code
    assert all(not splittable(event[0], kind, SELECTION).size for kind in OBJECTS)
    _, kinds = augment(np.repeat(event, 200, axis=0), 1, SELECTION)
    assert set(kinds.tolist()) == {0, 2}
    event[0, EGAMMA.start, PT] = 30.0
    assert splittable(event[0], EGAMMA, SELECTION).tolist() == [EGAMMA.start]


def test_grounds_hold_what_the_paper_says():
    events = make_events(5, 2)
    in_2d, in_3d = sets_2d(events, PLAIN), sets_3d(events, PLAIN, pt_scale=10.0)
    np.testing.assert_array_equal(in_2d.counts, multiplicity(events) + 1)
    np.testing.assert_allclose(in_2d.weights.sum(1), 1, rtol=1e-12)
    np.testing.assert_array_equal(sets_2d(events, GroundSettings(met_in_2d=False)).counts, multiplicity(events))
    np.testing.assert_allclose(np.sort(in_3d.points[:, 0]), np.sort(events[..., PT]) / 10)
    np.testing.assert_allclose(in_3d.norms.max(1), (np.square(events[..., :3] / [10, 1, 1]).sum(-1)).max(1))
    np.testing.assert_allclose(sorted_pt(events).sum(1), total_pt(events))
    np.testing.assert_array_equal(missing_pt(events), events[:, 0, PT])
    turned = events.copy()
    turned[..., PHI] = np.where(events[..., PT] > 0, np.angle(np.exp(1j * (events[..., PHI] + 2.0))), 0.0)
    wrapped = GroundSettings(wrap_phi=True)
    between = distance_matrix(sets_2d(turned, wrapped), sets_2d(turned, wrapped))
    np.testing.assert_allclose(between, distance_matrix(sets_2d(events, wrapped), sets_2d(events, wrapped)), atol=1e-9)


@pytest.fixture(scope="module")
def distances():
    settings = DistanceSettings(references=60, fewer=(20, 100), medoids=(2, 10), pt_scales=(30.0,))
    return EventDistances(make_events(60, 4), settings, PLAIN)


def test_scores_by_distance_are_those_of_the_matrices(distances):
    events = make_events(15, 5, scale=2)
    scores = distances.scores(events)
    assert list(scores) == distances.settings.methods()
    matrix = np.sqrt(distance_matrix(sets_3d(events, PLAIN), distances.references_3d.sets))
    np.testing.assert_array_equal(scores["ot_3d"], matrix.min(1))
    np.testing.assert_allclose(scores["ot_3d_mean"], matrix.mean(1), rtol=1e-12)
    np.testing.assert_array_equal(scores["ot_3d_max"], matrix.max(1))
    in_2d = np.sqrt(distance_matrix(sets_2d(events, PLAIN), distances.references_2d.sets))
    np.testing.assert_array_equal(scores["ot_3d_n20"], matrix[:, :20].min(1))
    np.testing.assert_array_equal(scores["ot_2d_n20"], in_2d[:, :20].min(1))
    assert "ot_2d_n100" not in scores
    assert (scores["ot_3d_medoids2"] >= scores["ot_3d_medoids10"] - 1e-12).all()
    assert (scores["ot_3d_medoids10"] >= scores["ot_3d"]).all()
    assert (scores["ot_3d_linear"] >= scores["ot_3d"] - 1e-9).all()
    momenta = [np.sqrt(np.square(sorted_pt(events) - row).sum(1) / SLOTS) for row in distances.momenta]
    np.testing.assert_allclose(scores["sorted_pt"], np.min(momenta, axis=0), rtol=1e-12)
    assert (scores["sorted_pt"] <= scores["ot_3d"] + 1e-9).all()
    agreement = linear_agreement(distances, events)
    assert agreement["excess"] >= 0
    assert 0.9 < agreement["pairs"] <= 1


@pytest.fixture
def files(tmp_path):
    """Files of references, background and a signal by name."""
    made = {name: make_events(60, 30 + number) for number, name in enumerate(("references", "background", "signal"))}
    for name, events in made.items():
        write_events(tmp_path / f"{name}.h5", events, {})
    return tmp_path


def score(folder, **ground):
    settings = {"kind": "event_distances", "ground": ground, "sets": {"number": 1, "events": 20}}
    settings["distances"] = {"references": 20, "fewer": [7], "pt_scales": [30], "medoids": [3]}
    command = ["score", "--method", "event_distances", "--settings", json.dumps(settings), "--rows", "events"]
    command += ["--train", folder / "references.h5", "--background", folder / "background.h5"]
    command += ["--signals", f"s={folder / 'signal.h5'}", "--record", folder / "a.json", "--output"]
    methods = DistanceSettings(**settings["distances"]).methods()
    return run_program([*command, *(folder / f"scores/{name}.h5" for name in methods)])


@pytest.mark.parametrize("wrap_phi", [False, True])
def test_the_program_scores_with_phi_periodic_or_not(files, wrap_phi):
    done = score(files, wrap_phi=wrap_phi)
    assert done.returncode == 0, done.stderr
    ground = GroundSettings(wrap_phi=wrap_phi)
    events, references = (
        sets_2d(read_events(files / f"{name}.h5", 0, 20), ground) for name in ("signal", "references")
    )
    matrix = np.sqrt(distance_matrix(events, references))
    for name, number in (("ot_2d", 20), ("ot_2d_n7", 7)):
        found = EventScores(files / f"scores/{name}.h5").of("s")[:, 0]
        np.testing.assert_array_equal(found, matrix[:, :number].min(1))
    # What is linearised and compared takes phi as it is, either way.
    assert json.loads((files / "a.json").read_text())["pairs"] > 0.9


@pytest.mark.parametrize("name", ["references", "background", "signal"])
def test_an_event_without_a_point_is_named_before_the_work(files, name):
    events = make_events(60, 40)
    events[7, MET.stop :] = 0.0
    write_events(files / f"{name}.h5", events, {})
    assert score(files).returncode == 0
    done = score(files, met_in_2d=False)
    assert done.returncode == 1
    assert f"{name}.h5: row 7: the event has no object, and met_in_2d is false" in done.stderr
    events[7] = 0.0
    write_events(files / f"{name}.h5", events, {})
    assert f"{name}.h5: row 7: the event has no object and no missing momentum" in score(files).stderr


def test_events_that_are_all_alike_are_named(files):
    write_events(files / "signal.h5", np.repeat(make_events(1, 41), 60, axis=0), {})
    assert "signal.h5: rows 0 to 19 are all the same event" in score(files).stderr
    alike = np.concatenate([np.repeat(make_events(1, 42), 58, axis=0), make_events(2, 43)])
    write_events(files / "references.h5", alike, {})
    settings = ProtocolSettings(support_vectors={"events": 60, "scan_events": 50, "validation_events": 20})
    with pytest.raises(EventError, match=r"references\.h5: half of the pairs of 60 training events .* rows 0 and 1"):
        prepare_machine(files / "references.h5", files / "background.h5", settings, SELECTION)


def test_costs_are_measured_for_every_way(distances):
    rows = list(measure_distances(distances, make_events(12, 6), LatencySettings(events=12, repeats=1)))
    assert {row.method for row in rows} >= {"total_pt", "ot_2d", "ot_3d", "ot_3d_linear", "ot_3d_medoids2"}
    assert all(row.microseconds >= 0 for row in rows)
    whole = next(row for row in rows if row.method == "ot_3d" and "all" in row.what)
    assert whole.bytes == 30 * next(row for row in rows if row.method == "ot_3d_medoids2").bytes


def test_votes_count_the_nearest():
    distances = np.array([[0.0, 3.0, 1.0, 2.0], [5.0, 1.0, 1.0, 1.0]])
    labels = np.array([True, True, False, False])
    np.testing.assert_allclose(vote_shares(distances, labels, [1, 2, 4]), [[1, 0.5, 0.5], [1, 0.5, 0.5]])
    # Validation events of which only the nearest voter tells the truth.
    points, voters = np.array([0.0, 1.0]), np.array([0.0, 1.0, 1.2, 0.2])
    choice = choose_k(
        np.abs(points[:, None] - voters),
        np.array([True, False, True, False]),
        np.array([True, False]),
        VoteSettings(k_min=1, k_max=4, k_step=1),
    )
    assert choice.k == 1
    assert choice.aucs == {1: 1.0, 2: 0.5, 3: 0.5, 4: 0.5}
    assert rank_auc(np.array([0.0, 1.0]), np.array([1.0, 1.0])) == 0.75


def test_neighbours_find_what_looks_augmented_and_not_what_does_not():
    settings = NeighbourSettings(events=150, votes=VoteSettings(k_min=5, k_max=45, k_step=10))
    neighbours = AugmentedNeighbours(make_events(150, 7), make_events(150, 8), settings, PLAIN, 1, SELECTION)
    assert len(neighbours.voters) == 225
    background, hard = neighbours.scores(make_events(80, 9)), neighbours.scores(make_events(80, 10, scale=4))
    assert ((background >= 0) & (background <= 1)).all()
    # 20 draws of all events: 0.852 +- 0.040.
    assert rank_auc(background, hard) > 0.65
    assert sum(neighbours.record()["augmented"].values()) == 150


def test_a_machine_on_a_positive_kernel_is_the_plain_one():
    from sklearn.svm import OneClassSVM

    rng = np.random.default_rng(1)
    points, tests = rng.normal(size=(80, 3)), rng.normal(size=(30, 3))
    squared = np.square(points[:, None] - points).sum(-1)
    machine = KernelMachine(squared, 0.2, 0.3)
    assert not machine.spectrum.clipped
    between = np.square(tests[:, None] - points).sum(-1)
    plain = OneClassSVM(kernel="rbf", gamma=0.2, nu=0.3).fit(points)
    np.testing.assert_allclose(machine.outlyingness(between), -plain.decision_function(tests), atol=1e-6)


def test_a_kernel_with_negative_eigenvalues_is_clipped():
    rng = np.random.default_rng(2)
    squared = np.square(rng.normal(size=(40, 40)))
    squared = squared + squared.T
    np.fill_diagonal(squared, 0.0)
    machine = KernelMachine(squared, 1.0, 0.3)
    assert machine.spectrum.clipped
    assert machine.spectrum.smallest < 0
    values, vectors = np.linalg.eigh(np.exp(-squared))
    projected = np.exp(-squared) @ (vectors[:, values > 0] @ vectors[:, values > 0].T)
    # Applied to the training events themselves it is the clipped kernel, which is positive.
    assert np.linalg.eigvalsh((projected + projected.T) / 2).min() > -1e-9
    assert np.isfinite(machine.outlyingness(squared)).all()


def test_support_vectors_choose_without_signal_and_give_labels():
    settings = SupportVectorSettings(events=120, scan_events=80, validation_events=40, scales=(0.3, 3.0))
    machine = TransportMachine(
        make_events(120, 11), make_events(40, 12), make_events(40, 13), settings, PLAIN, 1, SELECTION
    )
    events = make_events(60, 14, scale=3)
    scores = machine.scores(events)
    assert machine.scale in (0.3, 3.0)
    assert machine.aucs[machine.scale] == max(machine.aucs.values())
    np.testing.assert_array_equal(scores["ot_3d_svm_labels"], scores["ot_3d_svm"] > 0)
    np.testing.assert_allclose(machine.outlying(events), scores["ot_3d_svm"], atol=1e-12)
    assert scores["ot_3d_svm"].mean() > machine.scores(make_events(60, 15))["ot_3d_svm"].mean()
    assert machine.record()["paper"]["gamma"] == 0.35


def test_planing_levels_the_total_pt():
    rng = np.random.default_rng(1)
    background, signal = rng.exponential(50, 4000), rng.exponential(100, 4000)
    rows = plane(background, signal, (50.0, 100.0), 10_000, rng)
    assert len(rows[0]) == len(rows[1]) > 500
    edges = np.linspace(50, 100, 11)
    counts = [np.histogram(values[chosen], edges)[0] for values, chosen in zip((background, signal), rows, strict=True)]
    np.testing.assert_array_equal(*counts)
    assert len(set(rows[0].tolist())) == len(rows[0])


def test_supervised_neighbours_tell_events_apart_by_folds():
    settings = ClassificationSettings(events=120, folds=3, windows=((50.0, 300.0), (1e5, 2e5)), minimum=10)
    # Signal is background of high total pT: where that is planed away, nothing is left to tell.
    many = make_events(1600, 17)
    chances = total_pt(many) ** 6
    hard = many[np.random.default_rng(17).choice(len(many), 400, replace=False, p=chances / chances.sum())]
    folds = list(classify(make_events(400, 16), hard, settings, PLAIN, seed=1))
    assert [fold.variant for fold in folds[::3]] == ["2D", "3D", "2D, planed 50 to 300 GeV", "3D, planed 50 to 300 GeV"]
    assert sum(len(fold.background) for fold in folds if fold.variant == "3D") == 120
    aucs = {
        name: np.mean([rank_auc(fold.background, fold.signal) for fold in folds if fold.variant == name])
        for name in ("3D", "3D, planed 50 to 300 GeV")
    }
    # 20 draws of all events and folds: 0.885 +- 0.025, planed 0.491 +- 0.035.
    assert aucs["3D"] > 0.75
    assert 0.31 < aucs["3D, planed 50 to 300 GeV"] < 0.67


def test_figures_of_merit_obey_their_identities():
    rng = np.random.default_rng(1)
    background, signal = rng.normal(size=1000), rng.normal(1.0, size=1000)
    found = event_merits(background, signal)
    assert found["improvement"].value == pytest.approx(0.3 * math.sqrt(found["rejection"].value), rel=1e-12)
    assert found["rejection"].value == pytest.approx(1 / found["background_efficiency"].value, rel=1e-12)
    assert found["largest_f1"].value >= 2 / 3
    assert found["largest_improvement"].value >= found["improvement"].value - 1e-9
    # The smallest eps_b that keeps all signal is that of the cut at the least signal score.
    curve = background_curve(background, signal, np.array([0.3, 1.0]))
    np.testing.assert_allclose(curve, [found["background_efficiency"].value, np.mean(background >= signal.min())])


def test_a_useless_score_gives_one_and_hard_labels_their_formula():
    rng = np.random.default_rng(2)
    same = rng.permutation(1000).astype(float)
    useless = event_merits(same, -np.sort(-same))
    assert useless["largest_f1"].value == pytest.approx(2 / 3)
    assert useless["largest_f1"].where == 1
    assert useless["largest_improvement"] == (1.0, 1.0)
    background, signal = np.arange(100) < 16, np.arange(100) < 68
    labels = event_merits(background.astype(float), signal.astype(float))
    assert labels["auc"].value == pytest.approx((1 + 0.68 - 0.16) / 2)
    assert labels["largest_improvement"] == pytest.approx((0.68 / 0.4, 0.68))


def test_tables_are_read_as_they_were_written(tmp_path):
    rows = [Latency("ae", 1.5, 20, ""), Latency("ot_3d", 2.5, 0, ", all solved")]
    write_rows(tmp_path / "a.csv", rows, Latency)
    assert read_rows(tmp_path / "a.csv", Latency) == rows
    merits = [SetMerit("ae", 1, "a_4l", n, "rejection", 10.0 + n, 0.3, 100) for n in range(2)]
    merits += [SetMerit("ae", 1, "a_4l", n, "background_efficiency", 0.1, 0.3, 100) for n in range(2)]
    write_rows(tmp_path / "b.csv", merits, SetMerit)
    found = summarise(read_rows(tmp_path / "b.csv", SetMerit))["ae", "a_4l", "rejection"]
    assert (found.mean, found.sd, found.where) == pytest.approx((10.5, math.sqrt(0.5), 0.3))
    assert found.counting == pytest.approx(10.5 * math.sqrt(0.9 / (0.1 * 200)))
    with pytest.raises(TableError, match="columns are method, microseconds"):
        read_rows(tmp_path / "a.csv", SetMerit)


def test_the_papers_numbers_stand_where_they_belong():
    assert paper_value(TABLE_1, "ot_3d", "rejection", "hpm_taunu")[:2] == (63.40, 11.01)
    assert paper_value(TABLE_2, "met", "largest_improvement", "h0_tautau")[:3] == (1.049, 0.141, 0.20)
    assert paper_value(TABLE_1, "ot_3d_svm_paper_labels", "rejection", "a_4l") is None
    assert "identical" in paper_value(TABLE_2, "total_pt", "largest_f1", "lq_taub").remark
    # Every significance improvement follows from its rejection, but for the mean of a ratio.
    for table in (TABLE_1, TABLE_2, TABLE_3):
        for method in table:
            for signal in SIGNALS:
                one, other = (paper_value(table, method, merit, signal) for merit in ("rejection", "improvement"))
                assert (one is None) == (other is None)
                if one is not None:
                    assert 0.3 * math.sqrt(one.mean) == pytest.approx(other.mean, rel=0.15)


def test_settings_say_what_they_need_and_refuse_what_cannot_be():
    assert ProtocolSettings().events_needed() == {"train": 3000, "validation": 1000, "test": 5000}
    assert VoteSettings().numbers(20) == [5, 15]
    assert VoteSettings().numbers(3) == [3]
    with pytest.raises(ValueError, match="no more than the 10 references"):
        ProtocolSettings(distances=DistanceSettings(references=10, medoids=(20,)))
    assert np.all(make_events(2, 1)[..., CLASS] <= 4)
