"""What can be made again: kept once, made again where it is damaged, and done without where it cannot be kept."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from taskembed_edu import DrawingPad
from taskembed_edu.base import cache
from taskembed_edu.base.cache import Arrays, cache_folder, cached_arrays
from taskembed_edu.tasks.omniglot_files import DATA, is_here


def maker() -> tuple[Callable[[], Arrays], list[int]]:
    """A function that makes arrays, and a list that has an entry for each time."""
    calls: list[int] = []

    def make() -> Arrays:
        calls.append(1)
        return {"numbers": np.arange(5), "bytes": np.zeros((2, 3), dtype=np.uint8)}

    return make, calls


def test_what_was_made_is_read_the_second_time(tmp_path: Path) -> None:
    make, calls = maker()
    first, second = (cached_arrays("some", make, tmp_path / "new" / "folder") for _ in range(2))
    assert len(calls) == 1
    assert second.keys() == first.keys()
    assert all(np.array_equal(first[name], second[name]) and first[name].dtype == second[name].dtype for name in first)
    cached_arrays("others", make, tmp_path / "new" / "folder")
    assert len(calls) == 2


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut short", None])
def test_a_damaged_file_is_made_again(damage: bytes | None, tmp_path: Path) -> None:
    make, calls = maker()
    cached_arrays("some", make, tmp_path)
    path = tmp_path / "some.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert np.array_equal(cached_arrays("some", make, tmp_path)["numbers"], np.arange(5))
    assert len(calls) == 2
    cached_arrays("some", make, tmp_path)
    assert len(calls) == 2


def test_a_file_of_objects_is_never_unpickled(tmp_path: Path) -> None:
    make, calls = maker()
    np.savez(tmp_path / "some.npz", numbers=np.array([{"an": "object"}], dtype=object))
    assert cached_arrays("some", make, tmp_path)["numbers"].dtype == int
    assert len(calls) == 1


def test_a_file_that_asks_for_more_than_there_is_is_made_again(tmp_path: Path) -> None:
    """A head of a few bytes that says 7 TiB; and a member that is no array, which numpy gives as bytes."""
    make, calls = maker()
    head = io.BytesIO()
    lie = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(head, lie)
    for k, content in enumerate((head.getvalue(), b"no array")):
        with zipfile.ZipFile(tmp_path / "some.npz", "w") as file:
            file.writestr("numbers.npy", content)
        assert np.array_equal(cached_arrays("some", make, tmp_path)["numbers"], np.arange(5))
        assert len(calls) == k + 1


def test_two_that_want_the_same_at_once_make_it_once(tmp_path: Path) -> None:
    make, calls = maker()
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> Arrays:
        begun.set()
        assert go_on.wait(30)
        return make()

    threads = [threading.Thread(target=cached_arrays, args=("some", slowly, tmp_path)) for _ in range(2)]
    threads[0].start()
    assert begun.wait(30)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert len(calls) == 1
    assert [path.name for path in tmp_path.iterdir() if path.suffix not in (".lock", ".npz")] == []


def test_a_folder_that_cannot_be_written_is_said_and_done_without(tmp_path: Path) -> None:
    make, calls = maker()
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(UserWarning, match=rf"cannot be kept there.*{cache.PLACE} names another folder"):
        made = cached_arrays("some", make, tmp_path / "file" / "folder")
    assert np.array_equal(made["numbers"], np.arange(5))
    assert len(calls) == 1


def test_a_disk_that_fills_up_loses_nothing_that_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, calls = maker()

    def full(path: Path, content: bytes) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "write_whole", full)
    with pytest.warns(UserWarning, match="The disk is full"):
        assert np.array_equal(cached_arrays("some", make, tmp_path)["numbers"], np.arange(5))
    assert len(calls) == 1


def test_an_error_while_making_is_the_callers(tmp_path: Path) -> None:
    def broken() -> Arrays:
        raise OSError("the font is gone")

    with pytest.raises(OSError, match="the font is gone"):
        cached_arrays("some", broken, tmp_path)


def test_the_folder_is_the_users_or_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.PLACE, str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv(cache.PLACE, "~/letters")
    assert cache_folder() == Path.home() / "letters"
    monkeypatch.delenv(cache.PLACE)
    assert "taskembed_edu" in cache_folder().parts


def test_the_home_of_nobody_is_a_folder_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (cache.PLACE, DATA):
        monkeypatch.setenv(name, "~nobody-of-this-name/there")
    assert cache_folder() == Path("~nobody-of-this-name/there")
    assert not is_here("small1")
    with pytest.raises(ValueError, match="There is no such file"):
        DrawingPad().open("~nobody-of-this-name/letter.png")


def test_importing_the_package_and_making_a_family_builds_nothing(tmp_path: Path) -> None:
    code = "import taskembed_edu as te; te.Alphabets(); te.Session; print(te.Alphabets().label)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, cache.PLACE: str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "Writing systems"
    assert not (tmp_path / "cache").exists()
