"""`taskembed run metric --family digits --steps 500 --out run/`: train without a page."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskembed_edu.base.checks import check_number, problem
from taskembed_edu.base.files import check_writable, reason
from taskembed_edu.base.settings import Setting
from taskembed_edu.embedders import EMBEDDERS, chosen_device, device_name
from taskembed_edu.evaluation.registry import Score
from taskembed_edu.live.tables import frame_table, history_rows, write_csv, write_rows
from taskembed_edu.session.history import value_of
from taskembed_edu.session.recordings import check_recording, free_paths, load_recording, save_recording
from taskembed_edu.session.session import Session, Setup

if TYPE_CHECKING:
    from rich.console import Console


DEFAULT = "metric"
NAMES = ("recording.json", "scores.csv", "frames.csv", "map.csv", "map.png", "run.html")


def main(argv: Sequence[str]) -> int:
    """Train, write recording, tables, picture and page, then print the closing scores. Returns the exit code."""
    options = parse(argv)
    folder = Path(options.out)
    out, complain = consoles()
    scores, failure = dict[str, float](), None
    try:
        session, steps = _session(options, folder)
    except (ValueError, TypeError, RuntimeError, MemoryError, FloatingPointError) as error:
        complain(str(error))
        return 1
    except OSError as error:
        complain(reason(error))
        return 1
    try:
        _train(session, steps, out)
        session = session.with_last_step()
        scores = session.closing_scores()
    except (Exception, KeyboardInterrupt) as error:  # whatever stopped it, what was trained is written
        failure = error
    with _interrupts_ignored():  # a second Ctrl-C must not cost what the first one left
        code = _told(failure, complain)
        if scores:
            _print_scores(session, scores, out)
        try:
            for path in write_run(session, scores, folder, page=options.html):
                out.print(f"wrote {path}", highlight=False, markup=False, soft_wrap=True)
        except OSError as error:
            complain(reason(error))
            code = 1
        except ValueError as error:  # more tasks than a page has room for
            complain(f"--html: {error}")
            code = 1
    return code


def _told(failure: BaseException | None, complain: Callable[[str], None]) -> int:
    """Say why a run ended early; the exit code so far. An error that is nobody's message comes with its traceback."""
    if failure is None:
        return 0
    if isinstance(failure, KeyboardInterrupt):
        complain("stopped; what was trained so far is kept")
    elif isinstance(failure, (FloatingPointError, ValueError, MemoryError)):
        complain(str(failure))
    else:
        traceback.print_exception(failure)
        complain(f"{type(failure).__name__}: {failure}; what was trained so far is kept")
    return 1


def consoles() -> tuple[Console, Callable[[str], None]]:
    """Where results are printed, and a function that prints what went wrong. A reader that goes away ends no run."""
    from rich.console import Console
    from rich.markup import escape

    class Patient(Console):
        def on_broken_pipe(self) -> None:  # `taskembed run | head -1`
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    errors = Patient(stderr=True)

    def complain(words: str) -> None:
        errors.print(f"[bold red]taskembed run:[/] {escape(words)}", highlight=False)

    return Patient(), complain


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def write_run(session: Session, scores: dict[str, float], folder: Path, *, page: bool = False) -> Iterator[Path]:
    """Write a run's files into the folder, the recording first: a path for each, once it is there.

    They are recording.json, scores.csv, frames.csv, map.csv, map.png and, with `page`, run.html, which plays the run
    with no kernel and no network. map.csv and map.png are what the lab exports. If the folder holds a run already, all
    of them get the same number: map-2.png.

    Errors: OSError where a file cannot be written; ValueError for more tasks than a page has room for.
    """
    from taskembed_edu.figures.snapshots import save_figure  # matplotlib is imported only when it is needed

    folder.mkdir(parents=True, exist_ok=True)
    recording, closing, frames, places, picture, html = free_paths([folder / name for name in NAMES])
    yield save_recording(session.recording(), recording)
    if scores:  # a run that was stopped has none
        yield write_rows(closing, [list(scores), list(scores.values())])
    yield write_rows(frames, history_rows(session))
    yield write_csv(frame_table(session, session.frame), places)
    yield save_figure(session, picture, _title(session))
    if page:
        yield write_page(session, html)


def write_page(session: Session, path: Path) -> Path:
    """Write one page that plays the run with no kernel and no network; its path. ValueError: too large."""
    from taskembed_edu.live.export import export_html

    return export_html([session], path, title=_title(session))


def _title(session: Session) -> str:
    return f"{session.embedder.name} on {session.setup.family}, {session.steps} steps"


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options of a command line. The method decides which settings there are, so it is looked for first."""
    first = argparse.ArgumentParser(prog="taskembed run", add_help=False, exit_on_error=False, allow_abbrev=False)
    _add_options(first)
    for name in dict.fromkeys(name for embedder in EMBEDDERS for name, _, _ in _settings(embedder)):
        first.add_argument(_flag(name))
    try:
        embedder = first.parse_known_args([word for word in argv if word not in ("-h", "--help")])[0].embedder
    except argparse.ArgumentError:
        embedder = None
    return _parser(embedder if embedder in EMBEDDERS else DEFAULT).parse_args(argv)


def _parser(embedder: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="taskembed run",
        allow_abbrev=False,
        description="Train a task embedder without a page; write scores, picture and recording.",
        epilog="methods: " + "; ".join(f"{name}: {embedder.about}" for name, embedder in EMBEDDERS.items()),
    )
    _add_options(parser)
    group = parser.add_argument_group(f"settings of {embedder}")
    for name, declared, default in _settings(embedder):
        _add_setting(group, name, declared, default)
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "embedder", nargs="?", metavar=f"{{{','.join(EMBEDDERS)}}}", help=f"which method (default {DEFAULT})"
    )
    parser.add_argument(
        "--steps",
        type=int,
        help="training steps (default 500); with --replay, steps beyond the recorded ones (default 0)",
    )
    parser.add_argument("--out", default="run", help="folder for what is written (default run/)")
    parser.add_argument("--replay", metavar="FILE", help="make the run of this recording.json again")
    parser.add_argument("--html", action="store_true", help="also write run.html, one page that plays the run")


def _settings(embedder: str) -> list[tuple[str, Setting, Any]]:
    setup, settings = Setup(), EMBEDDERS[embedder].settings_class()
    both = [*Setup.declared().items()], [*settings.declared().items()]
    owners = (setup, settings)
    return [(n, d, getattr(owner, n)) for owner, pairs in zip(owners, both, strict=True) for n, d in pairs]


def _add_setting(group: Any, name: str, declared: Setting, default: Any) -> None:
    # argparse reads a lone % as a format.
    words = f"{declared.help} (default {default})".replace("%", "%%")
    # No `choices`: the settings check them too, and suggest the nearest.
    values = "{" + ",".join(declared.choices) + "}" if declared.choices else declared.label.upper()
    options = {"dest": name, "type": type(default), "default": argparse.SUPPRESS}
    group.add_argument(_flag(name), help=words, metavar=values, **options)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _session(options: argparse.Namespace, folder: Path) -> tuple[Session, int]:
    """The session to train, and by how many steps. The folder is tried before any step: no run is lost for it."""
    values = {n: v for n, v in vars(options).items() if n not in ("embedder", "steps", "out", "replay", "html")}
    check_number("steps", options.steps or 0, 0, None, "Training goes forwards.")
    if options.replay:
        other = [name for name in values if name != "family"]
        if other:
            cause = "A replay takes every setting from its recording."
            raise ValueError(problem("--replay", f"it together with {', '.join(other)}", "the recording alone", cause))
        recording = check_recording(load_recording(options.replay, values.get("family")), embedder=options.embedder)
        check_writable(folder)
        return Session.replay(recording), options.steps or 0
    session = Session(options.embedder or DEFAULT, **values)
    check_writable(folder)
    return session, 500 if options.steps is None else options.steps


def _train(session: Session, steps: int, console: Console) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    device = device_name(chosen_device(session.values().get("device", "cpu")))
    title = f"{session.embedder.name} on {session.setup.family}, {device}"
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, TextColumn("loss {task.fields[loss]:.3f}"), console=console) as progress:
        bar = progress.add_task(title, total=steps, loss=float("nan"))
        while (left := steps - int(progress.tasks[bar].completed)) > 0:
            done = min(left, session.setup.frame_every)
            frame = session.step(done)
            progress.update(bar, advance=done, loss=frame.loss)


def _print_scores(session: Session, scores: dict[str, float], console: Console) -> None:
    from rich.table import Table

    table = Table(
        "score", "never-seen tasks", "watched tasks", "what it says", title=f"After {session.frame.step} steps"
    )
    for reading in session.validation_set.readings:
        if reading.closing and (reading.name in scores or not isinstance(reading, Score)):
            # The embedder's own readings come from training steps: never-seen tasks have none.
            unseen = f"{scores[reading.name]:.3f}" if reading.name in scores else "–"
            watched = value_of(session.frame, reading.name)
            table.add_row(reading.name, unseen, f"{watched:.3f}", reading.short or reading.help)
    console.print(table)
