"""What is fetched is the published file or nothing, and what an archive holds is pictures or is refused."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from taskembed_edu.tasks import omniglot_files
from taskembed_edu.tasks.omniglot_files import entries, ink, is_here, letters, published
from tests.omniglot_archives import (
    Server,
    alphabets_archive,
    cut_short,
    hashed,
    not_there,
    picture,
    png,
    serving,
    short_and_sure,
    tampered,
    whole,
    zipped,
)

ARCHIVE = alphabets_archive({"Ogre": 2, "Elvish": 3}, people=2)
NAME = "images_background_small1.zip"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """small1 is a small archive, which a server of this machine hands out; the cache is empty."""
    monkeypatch.setenv("TASKEMBED_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TASKEMBED_DATA", raising=False)
    monkeypatch.setitem(omniglot_files.FILES, "small1", (NAME, hashed(ARCHIVE)))
    monkeypatch.setattr(omniglot_files, "AGAIN", 0)
    with serving(ARCHIVE) as (running, address):
        monkeypatch.setattr(omniglot_files, "HOME", address)
        yield running


def test_a_file_is_fetched_once(server: Server, tmp_path: Path) -> None:
    assert not is_here("small1")
    assert published("small1").read_bytes() == ARCHIVE
    assert is_here("small1")
    assert published("small1") == tmp_path / "cache" / "omniglot" / NAME
    assert server.asked == [f"/{NAME}"]


def test_the_licence_is_named_where_it_is_fetched(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    import pooch

    heard: list[str] = []
    pooch.get_logger().addFilter(lambda record: bool(heard.__iadd__([record.getMessage()])))
    try:
        published("small1")
    finally:
        pooch.get_logger().filters.clear()
    assert any("MIT licence" in line and "Lake" in line for line in heard)


@pytest.mark.parametrize("answer", [cut_short, short_and_sure, tampered, not_there])
def test_what_did_not_come_whole_is_never_used(server: Server, tmp_path: Path, answer: object) -> None:
    server.answers = [answer]  # type: ignore[list-item]
    with pytest.raises(OSError, match=rf"^omniglot: got .*expected {NAME}, which is fetched once.*TASKEMBED_DATA"):
        published("small1")
    assert not is_here("small1")
    assert not any(file.is_file() for file in (tmp_path / "cache").rglob("*")), "nothing of it is left"
    server.answers = [whole]
    assert published("small1").read_bytes() == ARCHIVE, "the next call begins again"


def test_an_interrupted_fetch_is_begun_again_by_itself(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(omniglot_files, "AGAIN", 2)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    server.answers = [cut_short, tampered, whole]
    assert published("small1").read_bytes() == ARCHIVE
    assert len(server.asked) == 3


def test_a_file_that_was_changed_in_the_cache_is_fetched_anew(server: Server) -> None:
    published("small1").write_bytes(tampered(ARCHIVE)[2])
    assert published("small1").read_bytes() == ARCHIVE
    assert len(server.asked) == 2


def test_offline_the_error_says_what_to_do(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(omniglot_files, "HOME", "https://omniglot.invalid/")
    with pytest.raises(OSError, match=r"no answer from https://omniglot.invalid/.*Connect to the internet.*omniglot"):
        published("small1")
    assert server.asked == []


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="whoever is root may write anywhere")
def test_a_cache_that_cannot_be_written_to(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(OSError, match=r"cannot be written to.*TASKEMBED_CACHE names another folder"):
        published("small1")


def test_a_cache_folder_that_is_a_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OSError, match="TASKEMBED_CACHE names another folder"):
        published("small1")


def test_a_folder_of_ones_own_is_looked_into_first(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own" / "omniglot" / NAME
    own.parent.mkdir(parents=True)
    own.write_bytes(ARCHIVE)
    monkeypatch.setenv("TASKEMBED_DATA", str(tmp_path / "own"))
    assert is_here("small1")
    assert not is_here("small1", "small2")
    assert published("small1") == own
    own.write_bytes(tampered(ARCHIVE)[2])
    with pytest.raises(ValueError, match=r"expected the published file, by its hash.*TASKEMBED_DATA"):
        published("small1")
    assert server.asked == []


def test_every_file_has_a_hash_and_is_asked_for_in_safety() -> None:
    assert all(known_hash.partition(":")[0] in {"sha256", "md5"} for _, known_hash in omniglot_files.FILES.values())
    assert omniglot_files.HOME.startswith("https://")
    with pytest.raises(ValueError, match="file: got 'small', expected one of small1"):
        published("small")


# ---- reading ---------------------------------------------------------------------------------------------------------


def archive(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "archive.zip"
    path.write_bytes(content)
    return path


def test_drawings_are_read_in_the_order_of_people(tmp_path: Path) -> None:
    found = letters(archive(tmp_path, ARCHIVE))
    assert {name: len(drawn) for name, drawn in found.items()} == {"Elvish": 3, "Ogre": 2}
    with zipfile.ZipFile(io.BytesIO(ARCHIVE)) as inside:
        second = inside.read("images/Ogre/character01/0001_02.png")
    assert torch.equal(found["Ogre"][0][1], ink("second", second))
    assert found["Ogre"][0].shape == (2, 105, 105)


def test_ink_is_one_and_paper_is_zero() -> None:
    drawn = np.full((105, 105), 255, dtype=np.uint8)
    drawn[3, 7] = 0
    found = ink("dot", png(drawn))
    assert found.sum() == 1
    assert found[3, 7] == 1


@pytest.mark.parametrize(
    "name",
    ["../Ogre/letter/1.png", "a/../../b/c/d.png", "/etc/Ogre/letter/1.png", "C:/Ogre/letter/1.png", "a\\..\\..\\b"],
)
def test_a_name_that_leaves_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    content = zipped({"images/Ogre/character01/0001_01.png": picture(np.random.default_rng(0)), name: b"x"})
    with pytest.raises(ValueError, match="expected names that stay in their folder"):
        letters(archive(tmp_path, content))
    assert [file.name for file in tmp_path.rglob("*")] == ["archive.zip"], "nothing is unpacked"


def test_what_is_too_large_unpacked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped({"images/Ogre/character01/0001_01.png": bytes(50_000_000)})
    assert len(bomb) < 60_000
    with pytest.raises(ValueError, match="of 50,000,000 bytes unpacked, expected at most 100,000"):
        letters(archive(tmp_path, bomb))
    monkeypatch.setattr(omniglot_files, "_MOST_BYTES_IN_ALL", 1000)
    with pytest.raises(ValueError, match="bytes unpacked, expected at most 1,000"):
        letters(archive(tmp_path, ARCHIVE))


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"images/Ogre/character01/0001_01.png": bytes(5_000_000)}))
    true, said = (n.to_bytes(4, "little") for n in (5_000_000, 500))
    content = content.replace(true, said)  # in the file's own head, and in the list at the end
    with pytest.raises(ValueError, match=r"archive|picture"):
        letters(archive(tmp_path, bytes(content)))


def test_a_picture_that_is_none_or_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'a.png', which cannot be read, expected a picture"):
        ink("a.png", b"no picture")
    with pytest.raises(ValueError, match="of 3000x3000 pixels, expected 105x105"):
        ink("a.png", png(np.zeros((3000, 3000), dtype=np.uint8)))
    with pytest.raises(ValueError, match="which cannot be read"):
        ink("a.png", picture(np.random.default_rng(0))[:60])


@pytest.mark.parametrize(
    "files",
    [
        {"readme.txt": b"hello"},
        {"images/Ogre/character01/0001_01.exe": b"hello"},
        {"images/0001_01.png": picture(np.random.default_rng(0))},
    ],
)
def test_anything_but_pictures_of_letters_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"expected folder/alphabet/letter/drawing.png"):
        letters(archive(tmp_path, zipped(files)))


def test_an_archive_that_is_none_or_damaged_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"no archive", ARCHIVE[: len(ARCHIVE) // 2]):
        with pytest.raises(ValueError, match="expected a zip archive that can be read"):
            list(entries(archive(tmp_path, content)))
    damaged = bytearray(ARCHIVE)
    damaged[60:80] = bytes(20)
    with pytest.raises(ValueError, match=r"archive|picture"):
        letters(archive(tmp_path, bytes(damaged)))


@settings(max_examples=150, deadline=None)
@given(changed=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_whatever_bytes_are_changed_is_read_or_said(
    tmp_path_factory: pytest.TempPathFactory, changed: list[Any]
) -> None:
    content = bytearray(zipped({"images/Ogre/character01/0001_01.png": picture(np.random.default_rng(0))}))
    for place, byte in changed:
        content[place % len(content)] = byte
    path = tmp_path_factory.getbasetemp() / "changed.zip"
    path.write_bytes(bytes(content))
    with contextlib.suppress(ValueError):
        letters(path)


def test_an_archive_that_points_before_its_beginning_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"images/Ogre/character01/0001_01.png": picture(np.random.default_rng(0))}))
    place = (
        content.rfind(b"PK\x01\x02") + 42
    )  # where the file begins, says the directory: the last four bytes of a head
    for at in (0xFFFFFFFE, 0x80000000):
        content[place : place + 4] = at.to_bytes(4, "little")
        with pytest.raises(ValueError, match="expected a zip archive that can be read"):
            letters(archive(tmp_path, bytes(content)))
    with pytest.raises(ValueError, match=r"archive: got nowhere.zip \(.*No such file"):
        letters(tmp_path / "nowhere.zip")


def test_a_letter_with_fewer_drawings_than_its_alphabet_has_is_refused(tmp_path: Path) -> None:
    one = {f"images/Ogre/character01/0001_{k:02d}.png": picture(np.random.default_rng(k)) for k in (1, 2)}
    other = {"images/Ogre/character02/0002_01.png": picture(np.random.default_rng(3))}
    with pytest.raises(ValueError, match="Ogre with gaps, expected as many drawings of each letter"):
        letters(archive(tmp_path, zipped(one | other)))
