"""Saving what the lab shows: picture, film, table, recording, page. Nothing that a learner saved is overwritten."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from taskembed_edu.base.checks import check_choice
from taskembed_edu.base.files import write_whole
from taskembed_edu.session.history import Frame
from taskembed_edu.session.recordings import free_path, save_recording
from taskembed_edu.session.session import Session
from taskembed_edu.session.side_by_side import Judged

# How each kind of file is opened again; `{path}` is its name.
_OPENED = {
    "png": "It is a picture: open it from the file browser.",
    "svg": "It is a picture that stays sharp at any size: open it in a browser, or put it into a slide.",
    "gif": "It is a film: open it in a browser, or put it into a slide.",
    "csv": 'Read it with pandas.read_csv("{path}").',
    "parquet": 'Read it with pandas.read_parquet("{path}").',
    "json": 'It runs again with lab.replay("{path}") in a fresh lab.',
    "html": "Open it in any browser: it needs no kernel and no network.",
}
# These show the whole run up to now, the others one moment.
_OF_THE_RUN = ("json", "gif")
# These show both embedders of a pair, the others the active one.
_OF_BOTH = ("html", "png", "svg")
# A film of more frames takes long to make and to send.
MOST_GIF_FRAMES = 60


class Pair(NamedTuple):
    """Two embedders side by side: the step shown, the scorecards where they were made, and as the page has them."""

    moment: int
    judged: Judged | None = None
    packet: Mapping[str, Any] | None = None


class _Shown(NamedTuple):
    """What the lab shows: all runs and the active one, its frame, the colours, the title; a second map, a selection."""

    sessions: Sequence[Session]
    session: Session
    frame: Frame
    colour: int
    title: str
    beside: Frame | None = None
    tasks: Sequence[int] = ()
    more: Mapping[str, Any] = MappingProxyType({})
    pair: Pair | None = None

    @property
    def column(self) -> int | None:
        """The true parameter that gives the colours; None if the tasks have none."""
        return self.colour if self.session.tasks.truth_names else None


_LONGEST_FAMILY = 30  # letters


def save(
    what: str,
    sessions: Sequence[Session],
    active: int,
    frame: Frame,
    colour: int,
    title: str,
    beside: Frame | None = None,
    tasks: Sequence[int] = (),
    more: Mapping[str, Any] = MappingProxyType({}),
    pair: Pair | None = None,
) -> tuple[Path, str]:
    """Write the frame as "png", "svg", "csv" or "parquet", the active run as "json" or "gif", all runs as "html".

    Returns the file's path, in the kernel's working folder, and a sentence on how to open it. A file is written
    whole or not at all; `base.progress` tells how far a film is.
    `beside` is the same frame drawn by PCA, where that map stands beside the run's own: pictures, tables and the page
    have both. `tasks` are the only ones that a table is to have (none: all); its name then ends in "selected".
    `more` is what else the page shows. `pair`: the runs are two embedders, and pictures and the page show both, with
    their scorecards.
    Errors: ValueError for another kind of file; OSError if the folder cannot be written; ImportError if a library for
    this kind of file is missing.
    """
    check_choice("export", what, _OPENED)
    session = sessions[active]
    whole_run = session.steps if what in _OF_THE_RUN else frame.step
    step = max(each.steps for each in sessions) if what == "html" else whole_run
    # A user's own family may have any name, "blobs/2" too: keep only characters that every file system accepts, and
    # not too many of them. A name has 255 bytes at most, and a letter has up to four.
    family = re.sub(r"[^\w-]+", "-", session.setup.family)[:_LONGEST_FAMILY].strip("-") or "tasks"
    part = "-selected" if len(tasks) else ""
    both = pair is not None and what in _OF_BOTH
    maker = "-and-".join(dict.fromkeys(each.embedder.name for each in sessions)) if both else session.embedder.name
    path = free_path(Path(f"{maker}-{family}-step-{step}{part}.{what}"))
    _write(what, _Shown(sessions, session, frame, colour, title, beside, tasks, more, pair), path)
    return path, f"Saved as {path} in {Path.cwd()}. {_OPENED[what].format(path=path)}"


def _write(what: str, shown: _Shown, path: Path) -> None:
    # Each export is imported only when it is used: the first picture must not wait for these imports.
    if what == "json":
        save_recording(shown.session.recording(), path)
    elif what == "html":
        from taskembed_edu.live.export import export_html

        both = shown.beside is not None
        export_html(shown.sessions, path, shown.colour, shown.title, both=both, more=shown.more)
    elif what in ("png", "svg") and shown.pair is not None:
        _write_pair(what, shown, shown.pair, path)
    elif what in ("png", "svg"):
        from taskembed_edu.figures.snapshots import save_figure

        names = shown.session.tasks.truth_names
        colour_by = names[shown.colour] if names else None
        save_figure(
            shown.session, path, shown.title, what=what, colour_by=colour_by, frame=shown.frame, beside=shown.beside
        )
    elif what == "gif":
        _write_film(shown, path)
    else:
        from taskembed_edu.live import tables

        table = tables.frame_table(shown.session, shown.frame, shown.beside, shown.tasks)
        {"csv": tables.write_csv, "parquet": tables.write_parquet}[what](table, path)


def _write_pair(what: str, shown: _Shown, pair: Pair, path: Path) -> None:
    from taskembed_edu.figures.side_by_side import save_side_by_side

    names = shown.session.tasks.truth_names
    colour_by = names[shown.colour] if names else None
    frames = [session.history.at_step(pair.moment) for session in shown.sessions]
    save_side_by_side(
        shown.sessions, path, shown.title, what=what, colour_by=colour_by, frames=frames, judged=pair.judged
    )


def _write_film(shown: _Shown, path: Path) -> None:
    from taskembed_edu.figures.film import gif
    from taskembed_edu.live.export import thinned

    session = shown.session
    frames = [session.history[k] for k in thinned(session, len(session.history), MOST_GIF_FRAMES)]
    write_whole(path, gif(session, frames, shown.column))
