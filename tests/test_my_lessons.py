"""The learner's own copy of the lessons: made on first use, never written over, begun afresh on request."""

from __future__ import annotations

import builtins
import errno
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pytest

from taskembed_edu.commands import lab, lesson, my_lessons, notebook_contents
from taskembed_edu.commands.my_lessons import LEARNERS, LECTURERS, update
from taskembed_edu.commands.notebook_contents import learners
from tools import hygiene, notebooks

ROOT = Path(__file__).resolve().parents[1]
FIRST, SECOND = "00_start_here", "01_distances"
DAY = date(2026, 11, 28)


# ---------------------------------------------------------------------------------------------- a small course


def code(source: str, printed: str, **more: Any) -> dict[str, Any]:
    output = {"output_type": "stream", "name": "stdout", "text": printed}
    return {"cell_type": "code", "source": source, "metadata": {}, "execution_count": 1, "outputs": [output], **more}


def write(path: Path, *cells: dict[str, Any], language: dict[str, str] | None = None) -> None:
    notebook = {"cells": list(cells), "metadata": {"language_info": language or {"name": "python"}}, "nbformat": 4}
    path.write_text(json.dumps(notebook), encoding="utf-8")


def publish(course: Path, name: str, source: str, printed: str = "1\n") -> Path:
    """A lesson of the project, as it is published."""
    path = course / "notebooks" / f"{name}.ipynb"
    write(path, {"cell_type": "markdown", "source": f"# {name}", "metadata": {}}, code(source, printed))
    return path


def save_as_jupyterlab(path: Path, change: Callable[[list[dict[str, Any]]], None] = lambda cells: None) -> bytes:
    """What JupyterLab makes of a notebook: it says more of the language, and writes a text as its lines."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook["cells"])
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.13.1", "mimetype": "text/x-python"}
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
        cell["metadata"]["scrolled"] = True
        for output in cell.get("outputs", []):
            output["text"] = "".join(output["text"]).splitlines(keepends=True)
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")
    return path.read_bytes()


def write_own_code(cells: list[dict[str, Any]]) -> None:
    cells[-1]["source"] = "mine = 2"


def run_again(cells: list[dict[str, Any]]) -> None:
    cells[-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "my own result\n"}]


def take_notes(cells: list[dict[str, Any]]) -> None:
    cells.append({"cell_type": "markdown", "source": "A note.", "metadata": {}})


def paste_a_picture(cells: list[dict[str, Any]]) -> None:
    cells[0]["attachments"] = {"a.png": {"image/png": "AAAA"}}


def tag_a_cell(cells: list[dict[str, Any]]) -> None:
    cells[-1]["metadata"]["tags"] = ["for-my-talk"]


WORK = [write_own_code, run_again, take_notes, paste_a_picture, tag_a_cell]
any_work = pytest.mark.parametrize("work", WORK, ids=[work.__name__ for work in WORK])


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of two lessons; the commands take it for theirs."""
    (tmp_path / "course" / "notebooks").mkdir(parents=True)
    for name in (FIRST, SECOND):
        publish(tmp_path / "course", name, "one = 1")
    for command in (lab, lesson):
        monkeypatch.setattr(command, "find_checkout", lambda: tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture
def mine(course: Path) -> Path:
    """The learner's copy of the second lesson."""
    update(course)
    return course / "my_lessons" / f"{SECOND}.ipynb"


def files(course: Path) -> dict[str, bytes]:
    """All that is in the learner's folder."""
    return {path.name: path.read_bytes() for path in (course / "my_lessons").iterdir() if path.is_file()}


def notebooks_in(course: Path) -> set[str]:
    return {name for name in files(course) if name.endswith(".ipynb")}


# ---------------------------------------------------------------------------------------------- made on first use


def test_the_copy_is_made_on_first_use_and_left_alone_after(course: Path) -> None:
    assert update(course) == []
    before = files(course)
    assert set(before) == {f"{FIRST}.ipynb", f"{SECOND}.ipynb", ".editions.json"}
    assert all(before[path.name] == learners(path)[0] for path in my_lessons.published_lessons(course))
    assert update(course) == []
    assert files(course) == before


def test_a_new_lesson_joins_and_one_that_was_deleted_comes_back(course: Path, mine: Path) -> None:
    mine.unlink()
    publish(course, "02_losses", "one = 1")
    assert update(course) == []
    assert notebooks_in(course) == {f"{FIRST}.ipynb", f"{SECOND}.ipynb", "02_losses.ipynb"}


@any_work
def test_what_a_learner_made_is_never_written_over(course: Path, mine: Path, work: Any) -> None:
    saved = save_as_jupyterlab(mine, work)
    assert update(course) == []
    publish(course, SECOND, "one = 1  # a newer edition")
    assert len(update(course)) == 1
    assert mine.read_bytes() == saved


# ---------------------------------------------------------------------------------------------- newer editions


def test_a_newer_edition_is_put_beside_a_changed_copy_once(course: Path, mine: Path) -> None:
    save_as_jupyterlab(mine, write_own_code)
    newer = publish(course, SECOND, "three = 3")
    (line,) = update(course)
    assert line == f"{SECOND}: there is a newer edition, {SECOND}.new.ipynb. Your copy stays as it is."
    beside = mine.with_name(f"{SECOND}.new.ipynb")
    assert beside.read_bytes() == learners(newer)[0]
    assert update(course) == []
    beside.unlink()  # not wanted
    assert update(course) == []
    assert not beside.exists()


def test_an_unchanged_copy_is_renewed_even_if_jupyterlab_has_saved_it(course: Path, mine: Path) -> None:
    save_as_jupyterlab(mine)
    newer = publish(course, SECOND, "three = 3")
    (line,) = update(course)
    assert line.startswith(f"{SECOND}: renewed.")
    assert mine.read_bytes() == learners(newer)[0]
    assert notebooks_in(course) == {f"{FIRST}.ipynb", f"{SECOND}.ipynb"}
    assert update(course) == []


def test_other_outputs_alone_are_no_newer_edition(course: Path, mine: Path) -> None:
    saved = save_as_jupyterlab(mine, run_again)
    publish(course, SECOND, "one = 1", printed="1.0\n")
    assert update(course) == []
    assert mine.read_bytes() == saved


def test_a_still_newer_edition_takes_the_place_of_one_that_nobody_touched(course: Path, mine: Path) -> None:
    save_as_jupyterlab(mine, write_own_code)
    publish(course, SECOND, "three = 3")
    update(course)
    newest = publish(course, SECOND, "four = 4")
    assert len(update(course)) == 1
    assert notebooks_in(course) == {f"{FIRST}.ipynb", f"{SECOND}.ipynb", f"{SECOND}.new.ipynb"}
    assert mine.with_name(f"{SECOND}.new.ipynb").read_bytes() == learners(newest)[0]


def test_a_newer_edition_in_which_the_learner_works_stays_too(course: Path, mine: Path) -> None:
    save_as_jupyterlab(mine, write_own_code)
    publish(course, SECOND, "three = 3")
    update(course)
    worked_in = save_as_jupyterlab(mine.with_name(f"{SECOND}.new.ipynb"), take_notes)
    newest = publish(course, SECOND, "four = 4")
    (line,) = update(course)
    assert f"{SECOND}.new_2.ipynb" in line
    assert files(course)[f"{SECOND}.new.ipynb"] == worked_in
    assert files(course)[f"{SECOND}.new_2.ipynb"] == learners(newest)[0]


def test_a_learner_who_took_the_newer_edition_over_is_up_to_date(course: Path, mine: Path) -> None:
    save_as_jupyterlab(mine, write_own_code)
    publish(course, SECOND, "three = 3")
    update(course)
    mine.with_name(f"{SECOND}.new.ipynb").replace(mine)
    assert update(course) == []
    newest = publish(course, SECOND, "four = 4")
    assert "renewed" in update(course)[0]
    assert mine.read_bytes() == learners(newest)[0]


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("{"), lambda path: path.write_text("[1]")])
def test_without_a_record_nothing_counts_as_unchanged(course: Path, mine: Path, spoil: Any) -> None:
    before = mine.read_bytes()
    spoil(course / "my_lessons" / ".editions.json")
    publish(course, SECOND, "three = 3")
    assert update(course) == [f"{SECOND}: there is another edition, {SECOND}.new.ipynb. Your copy stays as it is."]
    assert mine.read_bytes() == before
    assert update(course) == []


def test_work_that_was_saved_in_the_published_lessons_comes_along_and_is_kept(course: Path) -> None:
    published = course / "notebooks" / f"{SECOND}.ipynb"
    clean = published.read_bytes()
    work = save_as_jupyterlab(published, take_notes)
    (line,) = update(course)
    assert "your copy begins with these changes" in line
    assert f"git checkout notebooks/{SECOND}.ipynb" in line
    published.write_bytes(clean)  # as git checkout does
    (line,) = update(course)
    assert "Your copy stays as it is" in line
    assert (course / "my_lessons" / f"{SECOND}.ipynb").read_bytes() == work


# ---------------------------------------------------------------------------------------------- afresh


@pytest.mark.parametrize("name", ["01", "1", SECOND, f"{SECOND}.ipynb", f"my_lessons\\{SECOND}.ipynb"])
def test_a_lesson_begun_afresh_keeps_the_old_copy(
    course: Path, mine: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = save_as_jupyterlab(mine, take_notes)
    assert lesson.main(["--afresh", name]) == 0
    (kept,) = mine.parent.glob(f"{SECOND}_kept_*.ipynb")
    assert re.fullmatch(rf"{SECOND}_kept_\d{{4}}-\d\d-\d\d", kept.stem)
    assert kept.read_bytes() == saved
    assert mine.read_bytes() == learners(course / "notebooks" / mine.name)[0]
    said = capsys.readouterr().out
    assert str(kept) in said
    assert "Reload Notebook from Disk" in said
    assert update(course) == []


def test_two_copies_kept_on_one_day_have_two_names(course: Path, mine: Path) -> None:
    published = course / "notebooks" / mine.name
    saved = []
    for work in (write_own_code, run_again, take_notes):
        saved.append(save_as_jupyterlab(mine, work))
        my_lessons.start_afresh(course, published, DAY)
    names = [f"{SECOND}_kept_2026-11-28{number}.ipynb" for number in ("", "-2", "-3")]
    assert [files(course)[name] for name in names] == saved


def test_afresh_takes_the_newer_edition_and_tidies_up_what_is_the_same(course: Path, mine: Path) -> None:
    save_as_jupyterlab(mine, take_notes)
    newer = publish(course, SECOND, "three = 3")
    update(course)
    my_lessons.start_afresh(course, newer, DAY)
    assert mine.read_bytes() == learners(newer)[0]
    assert notebooks_in(course) == {f"{FIRST}.ipynb", f"{SECOND}.ipynb", f"{SECOND}_kept_2026-11-28.ipynb"}
    assert update(course) == []


def test_afresh_of_an_untouched_lesson_changes_nothing(course: Path, mine: Path) -> None:
    before = files(course)
    (line,) = my_lessons.start_afresh(course, course / "notebooks" / mine.name, DAY)
    assert "as it was published" in line
    assert files(course) == before


def test_afresh_works_before_the_first_lab(course: Path) -> None:
    assert lesson.main(["--afresh", "0"]) == 0
    assert notebooks_in(course) == {f"{FIRST}.ipynb"}
    assert update(course) == []


@pytest.mark.parametrize("name, hint", [("distance", " Did you mean '01_distances'?"), ("7", "")])
def test_an_unknown_lesson_names_the_nearest(
    course: Path, name: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lesson.main(["--afresh", name]) == 1
    words = f"taskembed lesson: lesson: got '{name}', expected one of {FIRST}, {SECOND}.{hint}\n"
    assert capsys.readouterr().err == words
    assert not (course / "my_lessons").exists()


def test_the_list_says_what_each_copy_holds(course: Path, mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_as_jupyterlab(mine, take_notes)
    publish(course, "02_losses", "one = 1")
    (course / "my_lessons" / f"{FIRST}.ipynb").write_text("")
    assert lesson.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Your copy of the lessons: {course / 'my_lessons'}"
    words = ["cannot be read", "holds what you did in it", "not copied yet"]
    assert [said in line for line, said in zip(lines[1:], words, strict=True)] == [True] * 3


def test_the_command_says_how_to_get_the_lessons(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lesson, "find_checkout", lambda: None)
    assert lesson.main(["--afresh", "01"]) == 1
    assert "Get the project's folder" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------- a lecturer's copies


def test_a_lecturer_has_copies_with_solutions_and_outputs_and_learners_keep_theirs(course: Path, mine: Path) -> None:
    before = files(course)
    assert update(course, LECTURERS) == []
    theirs = course / LECTURERS.folder / f"{SECOND}.ipynb"
    assert theirs.read_bytes() == (course / "notebooks" / f"{SECOND}.ipynb").read_bytes()
    assert json.loads(mine.read_text(encoding="utf-8"))["cells"][1]["outputs"] == []
    assert files(course) == before
    changed = save_as_jupyterlab(theirs, take_notes)
    publish(course, SECOND, "one = 2")
    assert "a newer edition" in update(course, LECTURERS)[0]
    assert theirs.read_bytes() == changed


def test_a_lecturers_lesson_is_begun_afresh_by_itself(
    course: Path, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update(course, LECTURERS)
    theirs = course / LECTURERS.folder / f"{SECOND}.ipynb"
    save_as_jupyterlab(theirs, take_notes)
    assert lesson.main(["--lecturer"]) == 0
    assert "holds what you did in it" in capsys.readouterr().out
    before = files(course)
    assert lesson.main(["--lecturer", "--afresh", "01"]) == 0
    assert theirs.read_bytes() == (course / "notebooks" / f"{SECOND}.ipynb").read_bytes()
    assert files(course) == before


def test_a_list_says_how_a_lecturers_lesson_is_had(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson.main(["--lecturer"])
    assert "`python -m taskembed_edu lab --lecturer` does it" in capsys.readouterr().out
    update(course, LECTURERS)
    (course / LECTURERS.folder / f"{SECOND}.ipynb").write_text("no notebook")
    lesson.main(["--lecturer"])
    assert f"to begin it again: --afresh {SECOND} --lecturer" in capsys.readouterr().out


def test_the_lab_opens_on_the_edition_that_is_asked_for(course: Path) -> None:
    for copies, folder in ((LEARNERS, "my_lessons"), (LECTURERS, "my_lessons/lecturer")):
        assert lab.prepare_lessons(course, copies)
        options = lab.jupyterlab_options(course, [], as_root=False, copies=copies)
        [address] = [option for option in options if "default_url" in option]
        assert address.endswith(f"/tree/{folder}/{FIRST}.ipynb")
        assert (course / folder / f"{FIRST}.ipynb").exists()


# ---------------------------------------------------------------------------------------------- what can go wrong


def test_a_broken_copy_is_named_with_the_way_out_and_kept(course: Path, mine: Path) -> None:
    mine.write_text('{"cells": [{"cell_type": "markdo')
    checkpoint = mine.parent / ".ipynb_checkpoints" / f"{SECOND}-checkpoint.ipynb"
    checkpoint.parent.mkdir()
    checkpoint.write_text("{}")
    (line,) = update(course)
    assert f"{mine} is no notebook that can be read" in line
    assert f"lesson --afresh {SECOND}" in line
    assert str(checkpoint) in line
    assert lesson.main(["--afresh", SECOND]) == 0
    (kept,) = mine.parent.glob("*_kept_*")
    assert kept.read_text() == '{"cells": [{"cell_type": "markdo'
    assert update(course) == []


@pytest.mark.parametrize("text", ["", "[]", '{"cells": 1}', '{"cells": [1]}', '{"cells": [{"cell_type": "code"}]}'])
def test_whatever_is_no_notebook_stops_no_other_lesson(course: Path, text: str) -> None:
    (course / "my_lessons").mkdir()
    (course / "my_lessons" / f"{FIRST}.ipynb").write_text(text)
    (line,) = update(course)
    assert line.startswith(f"{FIRST}: ")
    assert notebooks_in(course) == {f"{FIRST}.ipynb", f"{SECOND}.ipynb"}


def test_a_published_lesson_with_a_conflict_in_it_is_said(course: Path, mine: Path) -> None:
    (course / "notebooks" / mine.name).write_text("<" * 7 + " HEAD")
    saved = save_as_jupyterlab(mine, take_notes)
    (line,) = update(course)
    assert f"git checkout notebooks/{SECOND}.ipynb" in line
    assert lesson.main(["--afresh", "01"]) == 1
    assert mine.read_bytes() == saved


def test_a_file_in_the_folders_place_is_said(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (course / "my_lessons").write_text("mine")
    assert lab.main([]) == 1
    assert lesson.main(["--afresh", "00"]) == 1
    said = capsys.readouterr().err
    assert said.count(f"{course / 'my_lessons'} is a file") == 2
    assert "Rename the file" in said
    assert (course / "my_lessons").read_text() == "mine"


def refuse(monkeypatch: pytest.MonkeyPatch, method: str, number: int, begun: bytes = b"") -> None:
    """Every call of this method of Path fails as the system makes it fail; `begun` is what still reaches the disk."""

    def fails(path: Path, *arguments: Any, **named: Any) -> None:
        if begun:
            with builtins.open(path, "wb") as file:
                file.write(begun)
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, method, fails)


def test_a_full_disk_at_first_use_leaves_no_half_lesson(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(monkeypatch, "write_bytes", errno.ENOSPC, begun=b'{"cells"')
    assert lab.main([]) == 1
    said = capsys.readouterr()
    assert "The disk is full: make room, then try again." in said.out
    assert "nothing to open" in said.err
    assert files(course) == {}


@pytest.mark.parametrize(
    "method, number", [("write_bytes", errno.ENOSPC), ("rename", errno.EACCES), ("replace", errno.EACCES)]
)
def test_what_fails_while_beginning_afresh_loses_nothing(
    course: Path,
    mine: Path,
    method: str,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save_as_jupyterlab(mine, take_notes)
    before = files(course)
    with monkeypatch.context() as patch:
        refuse(patch, method, number, begun=b"{" if method == "write_bytes" else b"")
        assert lesson.main(["--afresh", "01"]) == 1
    said = capsys.readouterr().err
    assert ("make room" if number == errno.ENOSPC else "Close the file where another program has it open") in said
    assert files(course) == before


def test_a_record_that_cannot_be_kept_hides_nothing_that_was_done(
    course: Path, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_as_jupyterlab(mine, take_notes)
    (mine.parent / ".editions.json").unlink()
    (mine.parent / ".editions.json").mkdir()
    assert lesson.main(["--afresh", "01"]) == 0
    said = capsys.readouterr().out
    assert all(words in said for words in ("Kept what you had", "A fresh one", ".editions.json: "))


def test_a_copy_that_is_open_elsewhere_stays_and_the_lab_opens(
    course: Path, mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(course, SECOND, "three = 3")
    before = files(course)
    refuse(monkeypatch, "replace", errno.EACCES)
    assert lab.prepare_lessons(course)
    assert "Close the file where another program has it open" in capsys.readouterr().out
    assert files(course) == before


def test_a_folder_that_cannot_be_written_to_is_said(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(monkeypatch, "mkdir", errno.EROFS)
    assert lab.main([]) == 1
    assert "copy the whole project to a folder of your own" in capsys.readouterr().err


def test_a_copy_that_is_up_to_date_needs_no_writing(course: Path, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "write_bytes", errno.EROFS)
    assert update(course) == []


def test_neither_command_waits_for_torch(course: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from taskembed_edu.commands import lab, lesson, my_lessons;"
        "my_lessons.update(Path(sys.argv[1])); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(course)], cwd=ROOT, check=True, capture_output=True)


# ---------------------------------------------------------------------------------------------- the real lessons


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in a git repository of its own, as a learner clones it, with one lesson run and changed."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("notebooks", "pyproject.toml", ".gitignore", ".gitattributes"):
        source = ROOT / name
        clean = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(source, folder / name, ignore=clean) if source.is_dir() else shutil.copy(source, folder)
    for package in ("taskembed_edu", "taskembed_edu/course"):  # so that ruff knows them for the project's own
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--quiet", "--message", "The course")
    assert update(folder) == []
    use_a_lesson(folder / "my_lessons")
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def use_a_lesson(folder: Path) -> None:
    """Run the beginning of lesson 01, add a cell that ruff would not let pass, and save."""
    path = folder / f"{SECOND}.ipynb"
    whole = nbformat.read(path, as_version=4)
    begun = 1 + next(number for number, cell in enumerate(whole.cells) if cell.cell_type == "code")
    ran = notebooks.execute(nbformat.from_dict({**whole, "cells": whole.cells[:begun]}), folder)
    whole.metadata, whole.cells[:begun] = ran.metadata, ran.cells
    whole.cells.append(nbformat.v4.new_code_cell("import os,sys\nl = lambda : os"))
    nbformat.write(whole, path)
    (folder / ".ipynb_checkpoints").mkdir()
    shutil.copy(path, folder / ".ipynb_checkpoints" / f"{SECOND}-checkpoint.ipynb")
    (folder / "my_figure.png").write_bytes(b"a figure")


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")


@needs_git
def test_after_a_lesson_was_run_changed_and_saved_git_status_is_clean(checkout: Path) -> None:
    assert "l = lambda" in (checkout / "my_lessons" / f"{SECOND}.ipynb").read_text(encoding="utf-8")
    assert git(checkout, "status", "--porcelain") == ""
    for lesson_of_ours in notebooks.lessons():
        assert (checkout / "notebooks" / lesson_of_ours.notebook.name).read_bytes() == (
            lesson_of_ours.notebook.read_bytes()
        )


@needs_git
@pytest.mark.parametrize("with_git", [True, False], ids=["clone", "archive"])
def test_what_make_test_asks_of_the_tree_does_not_ask_it_of_the_copy(
    checkout: Path, tmp_path: Path, with_git: bool
) -> None:
    tree = shutil.copytree(checkout, tmp_path / "tree", ignore=None if with_git else shutil.ignore_patterns(".git"))
    for command in (["format", "--check"], ["check"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, "--no-cache", "."], cwd=tree, check=True)
    assert [notebooks.check(each) for each in notebooks.lessons(tree / "notebooks")] == [[]] * len(notebooks.lessons())


def test_every_published_lesson_is_known_for_an_edition() -> None:
    for each in notebooks.lessons():
        assert notebook_contents.copied(each.notebook).edition, each.name


def test_what_a_lesson_points_to_by_a_relative_path_is_in_the_copy_too() -> None:
    names = {f"{each.name}.ipynb" for each in notebooks.lessons()}
    for each in notebooks.lessons():
        text = "\n".join(cell.source for cell in notebooks.read_notebook(each).cells if cell.cell_type == "markdown")
        pointed_to = re.findall(r"\]\((?!https?://|#|attachment:)([^)#\s]+)", text)
        pointed_to += re.findall(r"""(?:src|href)=["'](?!https?://|#|data:)([^"'#]+)""", text)
        assert set(pointed_to) <= names, f"{each.name}: only other lessons are copied to my_lessons/"
        code_text = "\n".join(cell.source for cell in hygiene.code_cells(notebooks.read_notebook(each)))
        assert not re.search(r"\.\./|open\(|Path\(|__file__", code_text), f"{each.name} reads a file"
