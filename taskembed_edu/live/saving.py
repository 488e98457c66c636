"""Saving what the lab shows: a picture, a table, the recording, a page. Nothing that a learner saved is overwritten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from taskembed_edu.base.checks import check_choice
from taskembed_edu.base.files import whole_file
from taskembed_edu.session.history import Frame
from taskembed_edu.session.recordings import free_path, save_recording
from taskembed_edu.session.session import Session

# How each kind of file is opened again; `{path}` is its name.
_OPENED = {
    "png": "It is a picture: open it from the file browser.",
    "csv": 'Read it with pandas.read_csv("{path}").',
    "parquet": 'Read it with pandas.read_parquet("{path}").',
    "json": 'It runs again with lab.replay("{path}") in a fresh lab.',
    "html": "Open it in any browser: it needs no kernel and no network.",
}


def save(
    what: str, sessions: Sequence[Session], active: int, frame: Frame, colour: int, title: str
) -> tuple[Path, str]:
    """Write the frame as "png", "csv" or "parquet", the active run as "json" or all runs as "html".

    Returns the file's path, in the kernel's working folder, and a sentence on how to open it.
    Errors: ValueError for another kind of file; OSError if the folder cannot be written; ImportError if a library for
    this kind of file is missing.
    """
    check_choice("export", what, _OPENED)
    session = sessions[active]
    step = max(each.steps for each in sessions) if what == "html" else session.steps if what == "json" else frame.step
    # A user's own family may have any name, "blobs/2" too: keep only characters that every file system accepts.
    family = re.sub(r"[^\w-]+", "-", session.setup.family).strip("-") or "tasks"
    path = free_path(Path(f"{session.embedder.name}-{family}-step-{step}.{what}"))
    _write(what, sessions, session, frame, colour, title, path)
    return path, f"Saved as {path}. {_OPENED[what].format(path=path)}"


def _write(
    what: str, sessions: Sequence[Session], session: Session, frame: Frame, colour: int, title: str, path: Path
) -> None:
    # Each export is imported only when it is used: the first picture must not wait for these imports.
    if what == "json":
        save_recording(session.recording(), path)
    elif what == "html":
        from taskembed_edu.live.export import export_html

        export_html(sessions, path, colour, title)
    elif what == "png":
        from taskembed_edu.figures.snapshots import session_figure

        names = session.tasks.truth_names
        figure = session_figure(session, names[colour] if names else None, frame)
        with whole_file(path) as part:
            figure.savefig(part, format="png")
    else:
        from taskembed_edu.live import tables

        table = tables.frame_table(session, frame)
        {"csv": tables.write_csv, "parquet": tables.write_parquet}[what](table, path)
