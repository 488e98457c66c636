"""Small archives of the form of Omniglot's, and a server on this machine that hands them out, well or badly."""

from __future__ import annotations

import contextlib
import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from taskembed_edu.tasks import omniglot, omniglot_files
from taskembed_edu.tasks.omniglot import MINIMAL
from taskembed_edu.tasks.omniglot_runs import drawn_runs

SIDE = 105

# The alphabets of the small full set.
BACKGROUND = {"Early_Aramaic": 5, "Greek": 6, "Latin": 7, "Sanskrit": 8}
EVALUATION = {"Keble": 5, "Angelic": 9}


def picture(rng: np.random.Generator, side: int = SIDE) -> bytes:
    """A PNG of a few straight strokes, black on white."""
    drawn = np.full((side, side), 255, dtype=np.uint8)
    for x, y in rng.integers(5, max(6, side - 40), (3, 2)):
        drawn[y : y + 2, x : x + 35] = 0
        drawn[y : y + 30, x : x + 2] = 0
    return png(drawn)


def png(drawn: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(drawn).convert("1").save(buffer, "PNG")
    return buffer.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def alphabets_archive(n_letters: Mapping[str, int], folder: str = "images", people: int = 20) -> bytes:
    """An archive of these alphabets, each letter drawn by so many people."""
    rng = np.random.default_rng(0)
    return zipped(
        {
            f"{folder}/{alphabet}/character{letter:02d}/{letter:04d}_{person:02d}.png": picture(rng)
            for alphabet, n in n_letters.items()
            for letter in range(1, n + 1)
            for person in range(1, people + 1)
        }
    )


def runs_archive() -> bytes:
    """Twenty runs, in each of which item k shows the very picture of class 20 - k + 1."""
    rng, files = np.random.default_rng(1), {}
    for run in (f"run{k:02d}" for k in range(1, 21)):
        lines = []
        for k in range(1, 21):
            item, kind = f"{run}/test/item{k:02d}.png", f"{run}/training/class{21 - k:02d}.png"
            files[item] = files[kind] = picture(rng)
            lines.append(f"{item} {kind}\n")
        files[f"{run}/class_labels.txt"] = "".join(lines).encode()
    return zipped(files)


def hashed(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Server:
    """Hands out `content` at every address. `answers` are taken one by one; the last one again and again."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.answers: list[Callable[[bytes], tuple[int, int, bytes]]] = [whole]
        self.asked: list[str] = []

    def next_answer(self, path: str) -> tuple[int, int, bytes]:
        self.asked.append(path)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(self.content)


# An answer: its status, how long it says that it is, and what it sends.


def whole(content: bytes) -> tuple[int, int, bytes]:
    return 200, len(content), content


def cut_short(content: bytes) -> tuple[int, int, bytes]:
    """The connection breaks halfway."""
    return 200, len(content), content[: len(content) // 2]


def short_and_sure(content: bytes) -> tuple[int, int, bytes]:
    """Half of it, said to be all."""
    half = content[: len(content) // 2]
    return 200, len(half), half


def tampered(content: bytes) -> tuple[int, int, bytes]:
    """As long, with one byte changed."""
    middle = len(content) // 2
    changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    return 200, len(changed), changed


def not_there(content: bytes) -> tuple[int, int, bytes]:
    return 404, 0, b""


@contextlib.contextmanager
def serving(content: bytes) -> Iterator[tuple[Server, str]]:
    """The server, and its address, until the block ends."""
    server = Server(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, length, body = server.next_answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{running.server_port}/"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


@contextlib.contextmanager
def standing_in(data: Path) -> Iterator[Path]:
    """Until the block ends, every file of Omniglot is one of these, in a folder of `data`, which is yielded.

    The minimal sets have their true numbers of letters, and the full sets are small.
    """
    archives = {
        **{name: alphabets_archive(n_letters, people=4) for name, n_letters in MINIMAL.items()},
        "background": alphabets_archive(BACKGROUND, people=4),
        "evaluation": alphabets_archive(EVALUATION, people=4),
        "runs": runs_archive(),
    }
    folder = data / "omniglot"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, content in archives.items():
            put(folder, name, content, patch)
        patch.setenv("TASKEMBED_DATA", str(data))
        forget()
        yield folder
    forget()


def put(folder: Path, name: str, content: bytes, patch: pytest.MonkeyPatch) -> None:
    """Put a file there, and take it for the published one."""
    place = omniglot_files.FILES[name][0]
    (folder / Path(place).name).write_bytes(content)
    patch.setitem(omniglot_files.FILES, name, (place, hashed(content)))


def forget() -> None:
    for cached in (omniglot._drawings, omniglot._drawings_of, omniglot._letters, drawn_runs):
        cached.cache_clear()
