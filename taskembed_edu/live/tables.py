"""A frame as a table: one row for each task, to be read in a spreadsheet, in pandas or in another language.

    task, name, true amplitude, true phase, map_x, map_y, e0, e1, ..., nearest, step

`nearest` is the number of the task that is nearest in the embedding, under the frame's own distance.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.files import whole_file
from taskembed_edu.session.history import Frame, value_of
from taskembed_edu.session.session import Session


@compared_by_value
@dataclass(frozen=True)
class Table:
    """Named columns of one length, in order, and metadata about them all."""

    columns: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]


def frame_table(session: Session, frame: Frame, beside: Frame | None = None, only: Sequence[int] = ()) -> Table:
    """The frame's tasks: number, name, truth, place on the map, vector, nearest task, step.

    `beside` is the same frame on a second map: its places are the columns `pca_x` and `pca_y`. `only` are the tasks
    that the table is to have, in this order (none: all).
    """
    tasks, n = session.tasks, len(frame.layout)
    second = {} if beside is None else {"pca_x": beside.layout[:, 0], "pca_y": beside.layout[:, 1]}
    columns = {
        "task": np.arange(n),
        "name": np.array(tasks.names, dtype=object),
        **{f"true {name}": tasks.truth[:, column].numpy() for column, name in enumerate(tasks.truth_names)},
        "map_x": frame.layout[:, 0],
        "map_y": frame.layout[:, 1],
        **second,
        **{f"e{k}": frame.embedding[:, k] for k in range(frame.embedding.shape[1])},
        "nearest": frame.neighbours(1)[:, 0],
        "step": np.full(n, frame.step),
    }
    if len(only):
        columns = {name: values[list(only)] for name, values in columns.items()}
    settings = {**session.setup.as_dict(), **frame.settings.as_dict(), "projection": frame.projection}
    return Table(columns, {"step": frame.step, "embedder": session.embedder.name, "settings": settings})


def history_rows(session: Session) -> list[list[Any]]:
    """Every frame's step, loss and readings, below a header: the curves as a table."""
    names = list(session.frame.diagnostics)
    rows = [[f.step, f.loss, *(value_of(f, name) for name in names)] for f in session.history]
    return [["step", "loss", *names], *rows]


def write_csv(table: Table, path: str | Path) -> Path:
    """Write the table as CSV (RFC 4180, UTF-8, a header line). Returns the path. Numbers are read back exactly."""
    # str() of a float32 is the shortest text that reads back as the same float32.
    rows = zip(*([str(value) for value in column] for column in table.columns.values()), strict=True)
    return write_rows(Path(path), [list(table.columns), *rows])


def write_rows(path: Path, rows: Iterable[Iterable[Any]]) -> Path:
    """Write rows as CSV (RFC 4180, UTF-8), the whole file or none. Returns the path."""
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def write_parquet(table: Table, path: str | Path) -> Path:
    """Write the table as Parquet, with its types, and step and settings as JSON metadata. Returns the path."""
    import pyarrow
    import pyarrow.parquet

    path = Path(path)
    columns = {name: pyarrow.array(values) for name, values in table.columns.items()}
    about = {"taskembed_edu": json.dumps(dict(table.about))}
    with whole_file(path) as part:
        pyarrow.parquet.write_table(pyarrow.table(columns, metadata=about), part)
    return path
