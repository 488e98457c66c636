"""Omniglot as a family, on archives of its form; test_omniglot_published.py has the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from taskembed_edu import Omniglot
from taskembed_edu.evaluation.benchmark import grid
from taskembed_edu.tasks import FAMILIES, at_hand, omniglot, omniglot_files
from taskembed_edu.tasks.omniglot import MINIMAL, NEVER_SEEN, SOURCES, VALIDATED, small
from taskembed_edu.tasks.omniglot_runs import drawn_runs, official_runs
from tests.omniglot_archives import EVALUATION, alphabets_archive, forget, put, standing_in, zipped
from tests.runs import generator


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with standing_in(tmp_path_factory.mktemp("data")) as folder:
        yield folder


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TASKEMBED_CACHE", str(tmp_path / "empty"))
    monkeypatch.delenv("TASKEMBED_DATA", raising=False)
    monkeypatch.setattr(omniglot_files, "AGAIN", 0)
    forget()
    yield
    forget()


# ---- without files ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_here")
def test_a_family_that_is_not_here_is_made_and_named_and_not_fetched() -> None:
    family = Omniglot(n_way=3, part=("Latin", "Tagalog"))
    assert family.in_part() == ("Latin", "Tagalog")
    assert Omniglot(source="small1").alphabets() == tuple(sorted(MINIMAL["small1"]))
    assert [len(family.letters_of(name)) for name in ("Latin", "Tagalog")] == [26, 17]
    assert "omniglot" in FAMILIES
    assert "omniglot" not in at_hand()
    assert not any(cell.family == "omniglot" for cell in grid()), "by default only what is here"
    assert grid(families=["omniglot"]), "whoever names it gets it"
    with pytest.raises(OSError, match=r"Connect to the internet.*; or put images_background_small1.zip into"):
        family.sample(2, rng=generator())
    with pytest.raises(OSError, match=r"put images_background.zip into a folder omniglot, and let TASKEMBED_DATA"):
        Omniglot(source="full").sample(2, rng=generator())
    with pytest.raises(OSError, match=r"put all_runs.zip into"):
        official_runs()


# ---- with files ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("files")
def test_a_task_is_letters_of_one_alphabet() -> None:
    assert "omniglot" in at_hand()
    family = Omniglot(n_way=4)
    tasks = family.sample(30, 1, rng=generator(), n_query=3)
    assert tasks.support_x.shape == (30, 4, 1, 28, 28)
    assert tasks.query_x.shape == (30, 12, 1, 28, 28)
    assert tasks.support_y.tolist() == [[0, 1, 2, 3]] * 30
    assert 0 <= tasks.support_x.min() < tasks.support_x.max() <= 1
    for row in tasks.truth:
        of = family.letters_of(family.alphabets()[int(row[0])])
        assert len(set(row[1:].tolist())) == 4
        assert set(map(int, row[1:].tolist())) <= set(of)
    assert tasks == family.sample(30, 1, rng=generator(), n_query=3)
    assert tasks != family.sample(30, 1, rng=generator(1), n_query=3)


@pytest.mark.usefixtures("files")
def test_every_drawing_is_taken_once_and_of_one_person_for_all_letters() -> None:
    family = Omniglot(source="small1", n_way=5)
    tasks = family.sample(20, 1, rng=generator(), n_query=3)
    whole = omniglot._drawings("small1").pictures
    for task, row in zip(tasks, tasks.truth, strict=True):
        support, query = task.episode.support_x, task.episode.query_x.view(5, 3, 1, 28, 28)
        people = []
        for k, letter in enumerate(row[1:].long().tolist()):
            of_letter = whole[letter] / 255
            drawings = torch.cat((support[k : k + 1], query[k]))
            people.append([next(i for i in range(4) if torch.equal(of_letter[i], each)) for each in drawings])
        assert all(sorted(of) == [0, 1, 2, 3] for of in people), "no drawing twice"
        assert all(of == people[0] for of in people), "the k-th drawings are one person's"


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("source", SOURCES)
def test_whole_alphabets_are_held_out(source: str) -> None:
    family = Omniglot(source=source, n_way=4)
    parts = [set(part.in_part()) for part in family.split(generator()) if isinstance(part, Omniglot)]
    assert set.union(*parts) == set(family.alphabets())
    assert sum(map(len, parts)) == len(family.alphabets())
    assert all(parts)
    drawn = [part.sample(40, 1, rng=generator()) for part in family.split(generator(3))]
    letters = [set(tasks.truth[:, 1:].flatten().tolist()) for tasks in drawn]
    assert not any(letters[i] & letters[j] for i in range(3) for j in range(i))
    if source == "full":
        assert parts[2] == set(EVALUATION)
    else:
        assert parts[2] <= set(NEVER_SEEN)
        assert parts[1] <= set(VALIDATED)


@pytest.mark.usefixtures("files")
def test_an_alphabet_of_two_files_is_there_once() -> None:
    both = Omniglot()
    assert len(both.alphabets()) == 8
    assert sum(len(both.letters_of(name)) for name in both.alphabets()) == 242
    assert omniglot._drawings("small1+small2").pictures.shape == (242, 4, 1, 28, 28)


@pytest.mark.usefixtures("files")
def test_names_distances_and_sketches() -> None:
    family = Omniglot(n_way=3, source="small1")
    first = family.letters_of("Latin")[0]
    latin = float(family.alphabets().index("Latin"))
    truth = torch.tensor([[latin, first, first + 1, first + 25], [latin, first, first + 1, first + 2], [0.0, 0, 1, 2]])
    assert family.task_name(truth[0]) == "Latin: 1 2 26"
    places = family.coordinates(truth.double())
    assert torch.dist(places[0], places[1]) == pytest.approx((1 / 3) ** 0.5)
    assert torch.dist(places[0], places[2]) == pytest.approx(2**0.5)
    tasks = family.sample(4, rng=generator())
    sketch = family.sketch(tasks)
    assert sketch.images is not None
    assert sketch.images.shape[:2] == (4, 6)


@pytest.mark.usefixtures("files")
def test_bad_arguments_are_explained() -> None:
    for arguments, said in (
        ({"source": "small"}, "source: got 'small', expected one of small1.*Did you mean 'small"),
        ({"source": None}, "source: got None"),
        ({"part": ("Klingon",)}, "part: got 'Klingon'"),
        ({"n_way": 18}, "n_way: got 18, expected at most 17 classes.*one alphabet, and Tagalog has 17"),
        ({"n_way": 1}, "n_way: got 1"),
        ({"n_way": float("nan")}, "n_way: got nan"),
    ):
        with pytest.raises(ValueError, match=said):
            Omniglot(**arguments)
    with pytest.raises(TypeError, match="n_way: got None"):
        Omniglot(n_way=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n_shot: got 5, expected at most 4 drawings of each letter"):
        Omniglot().sample(2, 3, rng=generator(), n_query=2)
    one = Omniglot().draw_letters(torch.tensor(3), 2, generator())
    assert one.shape == (2, 1, 28, 28)
    for letters, n, error, said in (
        (torch.tensor([242]), 1, ValueError, "letters: got 242 to 242"),
        (torch.tensor([0.0]), 1, TypeError, "letters: got a tensor"),
        (None, 1, TypeError, "letters: got None"),
        (torch.tensor([0]), 0, ValueError, "n: got 0"),
    ):
        with pytest.raises(error, match=said):
            Omniglot().draw_letters(letters, n, generator())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Split it once"):
        Omniglot(part=("Latin",)).split(generator())


def test_small_pictures_are_means_of_areas() -> None:
    drawn = torch.zeros(1, 105, 105)
    drawn[0, 60:62] = 1  # of two pixels, within one of 28: from 60 to 63.75
    row = small(drawn)[0, 0, :, 0]
    assert row[16] == 1
    assert row.count_nonzero() == 1
    plain = torch.tensor([float((drawn[0, 60:64].mean(0) * 2)[0].clamp(max=1))])
    assert torch.equal(row[16:17], plain)


# ---- other files than those that were published, and yet with the right hash -----------------------------------------


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "omniglot").mkdir()
    monkeypatch.setenv("TASKEMBED_DATA", str(tmp_path))
    forget()
    yield tmp_path / "omniglot"
    forget()


def test_a_minimal_set_with_other_alphabets_is_refused(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(own_folder, "small1", alphabets_archive({"Klingon": 2}, people=1), monkeypatch)
    with pytest.raises(ValueError, match="expected the alphabets of small1"):
        Omniglot(source="small1").sample(1, 1, rng=generator(), n_query=1)


def test_runs_with_gaps_are_refused(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content, said in ((zipped({"run01/notes.txt": b""}), "run01/notes.txt"), (zipped({}), "20 runs")):
        put(own_folder, "runs", content, monkeypatch)
        drawn_runs.cache_clear()
        with pytest.raises(ValueError, match=said):
            official_runs()
