"""A frame as a table: what is written is read back, by other programs, exactly."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from taskembed_edu.live.tables import frame_table, write_csv, write_parquet
from taskembed_edu.session.session import Session
from tests.runs import small_session


@pytest.fixture(scope="module")
def session() -> Session:
    session = small_session(metric="cosine")
    session.step(8)
    return session


def test_the_columns_are_the_frame(session: Session) -> None:
    frame, tasks = session.history[1], session.tasks
    columns = frame_table(session, frame).columns
    truths = [f"true {name}" for name in tasks.truth_names]
    assert list(columns) == ["task", "name", *truths, "map_x", "map_y", "e0", "e1", "nearest", "step"]
    np.testing.assert_array_equal(np.stack([columns["map_x"], columns["map_y"]], axis=1), frame.layout)
    np.testing.assert_array_equal(np.stack([columns["e0"], columns["e1"]], axis=1), frame.embedding)
    np.testing.assert_array_equal(np.stack([columns[name] for name in truths], axis=1), tasks.truth.numpy())
    assert columns["name"].tolist() == list(tasks.names)
    assert columns["nearest"].tolist() == [int(session.nearest(frame, i, k=1)[0][0]) for i in range(12)]


def test_csv_comes_back_exactly(session: Session, tmp_path: Path) -> None:
    table = frame_table(session, session.frame)
    with write_csv(table, tmp_path / "frame.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == list(table.columns)
    assert "," in header[2]  # a name with a comma was quoted
    for name, texts in zip(header, zip(*rows, strict=True), strict=True):
        expected = table.columns[name]
        back = np.array(texts, dtype=object) if expected.dtype == object else np.array(texts).astype(expected.dtype)
        np.testing.assert_array_equal(back, expected, err_msg=name)


def test_parquet_comes_back_exactly_with_its_types(session: Session, tmp_path: Path) -> None:
    table = frame_table(session, session.frame)
    back = pyarrow.parquet.read_table(write_parquet(table, tmp_path / "frame.parquet"))
    assert back.column_names == list(table.columns)
    for name, expected in table.columns.items():
        values = back[name].to_numpy()
        np.testing.assert_array_equal(values, expected, err_msg=name)
        assert values.dtype == expected.dtype
    about = json.loads(back.schema.metadata[b"taskembed_edu"])
    assert about["step"] == 8
    assert about["settings"]["metric"] == "cosine"


def test_the_settings_are_the_frames_own(session: Session) -> None:
    branch = session.branch()
    branch.set(margin=0.25)
    branch.step(4)
    assert frame_table(branch, branch.frame).about["settings"]["margin"] == 0.25
    assert frame_table(branch, branch.history[1]).about["settings"]["margin"] == 1.0
