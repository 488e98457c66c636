"""`taskembed run metric --family digits --steps 500 --out run/`: train without a page."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskembed_edu.base.checks import check_number, problem
from taskembed_edu.base.settings import Setting
from taskembed_edu.embedders import EMBEDDERS, chosen_device, device_name
from taskembed_edu.evaluation.registry import Score
from taskembed_edu.session.history import value_of
from taskembed_edu.session.recordings import free_path, load_recording, save_recording
from taskembed_edu.session.session import Session, Setup

if TYPE_CHECKING:
    from rich.console import Console


def main(argv: Sequence[str]) -> int:
    """Train, then print the closing scores and write picture, tables and recording. Returns the exit code."""
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    options = _parser(next((word for word in argv if word in EMBEDDERS), "metric")).parse_args(argv)
    folder = Path(options.out)
    code, scores = 0, dict[str, float]()
    try:
        session, steps = _session(options)
        folder.mkdir(parents=True, exist_ok=True)  # before training: if this fails, no run is lost
    except (ValueError, RuntimeError, OSError) as error:
        Console(stderr=True).print(f"[bold red]taskembed run:[/] {escape(str(error))}", highlight=False)
        return 1
    try:
        _train(session, steps, console)
        scores = session.closing_scores()
        _print_scores(session, scores, console)
    except (FloatingPointError, ValueError, KeyboardInterrupt) as error:
        said = str(error) or "stopped; what was trained so far is kept"
        Console(stderr=True).print(f"[bold red]taskembed run:[/] {escape(said)}", highlight=False)
        code = 1
    written = write_run(session, scores, folder)
    if options.html:
        try:
            written.append(write_page(session, folder))
        except ValueError as error:  # more tasks than a page has room for
            Console(stderr=True).print(f"[bold red]taskembed run:[/] --html: {escape(str(error))}", highlight=False)
            code = 1
    for path in written:
        console.print(f"wrote {path}", highlight=False, soft_wrap=True)
    return code


def write_run(session: Session, scores: dict[str, float], folder: Path) -> list[Path]:
    """Write map.png, frames.csv, scores.csv and recording.json into the folder. Returns their paths."""
    from taskembed_edu.figures.snapshots import session_figure

    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / "map.png"
    session_figure(session).savefig(picture)
    names = list(session.frame.diagnostics)
    frames = [[f.step, f.loss, *(value_of(f, name) for name in names)] for f in session.history]
    places = [
        [name, *truth[: len(session.tasks.truth_names)], x, y]
        for name, truth, (x, y) in zip(
            session.tasks.names, session.tasks.truth.tolist(), session.frame.layout.tolist(), strict=True
        )
    ]
    return [
        picture,
        _write_csv(folder / "frames.csv", ["step", "loss", *names], frames),
        _write_csv(folder / "map.csv", ["task", *session.tasks.truth_names, "x", "y"], places),
        _write_csv(folder / "scores.csv", list(scores), [list(scores.values())]),
        save_recording(session.recording(), free_path(folder / "recording.json")),
    ]


def write_page(session: Session, folder: Path) -> Path:
    """Write run.html, one page that plays the run with no kernel and no network; its path. ValueError: too large."""
    from taskembed_edu.live.export import export_html

    title = f"{session.embedder.name} on {session.setup.family}, {session.steps} steps"
    return export_html([session], folder / "run.html", title=title)


def _parser(embedder: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="taskembed run", description="Train a task embedder without a page; write scores, picture and recording."
    )
    parser.add_argument("embedder", nargs="?", default="metric", choices=list(EMBEDDERS), help="which method")
    parser.add_argument(
        "--steps",
        type=int,
        help="training steps (default 500); with --replay, steps beyond the recorded ones (default 0)",
    )
    parser.add_argument("--out", default="run", help="folder for what is written (default run/)")
    parser.add_argument("--replay", metavar="FILE", help="make the run of this recording.json again")
    parser.add_argument("--html", action="store_true", help="also write run.html, one page that plays the run")
    group = parser.add_argument_group("settings")
    for name, declared, default in _settings(embedder):
        _add_setting(group, name, declared, default)
    return parser


def _settings(embedder: str) -> list[tuple[str, Setting, Any]]:
    setup, settings = Setup(), EMBEDDERS[embedder].settings_class()
    both = [*Setup.declared().items()], [*settings.declared().items()]
    owners = (setup, settings)
    return [(n, d, getattr(owner, n)) for owner, pairs in zip(owners, both, strict=True) for n, d in pairs]


def _add_setting(group: Any, name: str, declared: Setting, default: Any) -> None:
    # argparse reads a lone % as a format.
    words = f"{declared.help} (default {default})".replace("%", "%%")
    flag = "--" + name.replace("_", "-")
    choices = {"choices": list(declared.choices)} if declared.choices else {"metavar": declared.label.upper()}
    group.add_argument(flag, dest=name, type=type(default), help=words, default=argparse.SUPPRESS, **choices)


def _session(options: argparse.Namespace) -> tuple[Session, int]:
    values = {n: v for n, v in vars(options).items() if n not in ("embedder", "steps", "out", "replay", "html")}
    check_number("steps", options.steps or 0, 0, None, "Training goes forwards.")
    if options.replay:
        other = [name for name in values if name != "family"]
        if other:
            cause = "A replay takes every setting from its recording."
            raise ValueError(problem("--replay", f"it together with {', '.join(other)}", "the recording alone", cause))
        recording = load_recording(options.replay, values.get("family"))
        return Session.replay(recording), options.steps or 0
    return Session(options.embedder, **values), 500 if options.steps is None else options.steps


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

    table = Table("score", "never-seen tasks", "watched tasks", "what it says", title=f"After {session.steps} steps")
    for reading in session.validation_set.readings:
        if reading.closing and (reading.name in scores or not isinstance(reading, Score)):
            # The embedder's own readings come from training steps: never-seen tasks have none.
            unseen = f"{scores[reading.name]:.3f}" if reading.name in scores else "–"
            watched = value_of(session.frame, reading.name)
            table.add_row(reading.name, unseen, f"{watched:.3f}", reading.short or reading.help)
    console.print(table)


def _write_csv(path: Path, header: list[str], rows: list[list[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path
