"""Which Chromium drives the browser tests, and how one is got."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from taskembed_edu.commands import chromium

posix_only = pytest.mark.skipif(os.name != "posix", reason="the made-up programs are shell scripts")


def program(path: Path, exit_code: int = 0) -> str:
    """A made-up browser whose `--version` ends with this exit code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def no_playwright(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Playwright had downloaded nothing."""
    monkeypatch.setattr(chromium, "playwrights_own", lambda: "/nowhere/chrome")


@posix_only
@pytest.mark.usefixtures("no_playwright")
def test_a_chromium_of_the_system_is_found(tmp_path: Path) -> None:
    program(tmp_path / "chromium", exit_code=1)  # a package that only points to a snap
    good = program(tmp_path / "google-chrome")
    assert chromium.find_chromium({"PATH": str(tmp_path)}) == good


@posix_only
def test_playwrights_own_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = program(tmp_path / "own" / "chrome")
    program(tmp_path / "chromium")
    monkeypatch.setattr(chromium, "playwrights_own", lambda: own)
    assert chromium.find_chromium({"PATH": str(tmp_path)}) == own


@posix_only
def test_the_named_chromium_is_taken(tmp_path: Path) -> None:
    named = program(tmp_path / "my-chrome")
    assert chromium.find_chromium({"CHROMIUM": named}) == named


@posix_only
@pytest.mark.parametrize("exit_code", [None, 1])
def test_a_named_chromium_that_does_not_run_is_an_error(tmp_path: Path, exit_code: int | None) -> None:
    named = str(tmp_path / "my-chrome") if exit_code is None else program(tmp_path / "my-chrome", exit_code)
    with pytest.raises(chromium.NamedChromiumError, match=r"CHROMIUM: got '.*my-chrome', expected"):
        chromium.find_chromium({"CHROMIUM": named})


@pytest.mark.usefixtures("no_playwright")
def test_edge_is_found_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = tmp_path / "Microsoft" / "Edge" / "Application" / "msedge.exe"
    edge.parent.mkdir(parents=True)
    edge.touch()
    monkeypatch.setattr(chromium, "runs", lambda path: path == str(edge))
    assert chromium.find_chromium({"PATH": "", "PROGRAMFILES(X86)": str(tmp_path)}) == str(edge)


@pytest.mark.usefixtures("no_playwright")
def test_no_chromium_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "runs", lambda path: False)
    assert chromium.find_chromium({"PATH": ""}) is None


@posix_only
@pytest.mark.parametrize("own", ["/nowhere/chrome", None])
def test_a_chromium_without_a_driver_is_of_no_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str | None
) -> None:
    monkeypatch.setattr(chromium, "playwrights_own", lambda: own)
    here = program(tmp_path / "chromium")
    assert chromium.drivable_chromium({"PATH": str(tmp_path)}) == (here if own else None)


def test_a_driver_that_does_not_start_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chromium.playwrights_own() is not None
    monkeypatch.setattr(chromium, "ASK_PLAYWRIGHT", "raise SystemExit('libatomic.so.1: cannot open')")
    assert chromium.playwrights_own() is None


def test_getting_one_tries_playwright_then_debians_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    asked: list[str] = []

    def run(command: list[str]) -> bool:
        asked.append(" ".join(command))
        return command[0] == "apt-get"  # Playwright's download fails here

    found = chromium.get_chromium(is_root=True, run=run, find=lambda: "/usr/bin/chromium")
    assert found == "/usr/bin/chromium"
    assert [line.removeprefix(sys.executable + " ") for line in asked] == [
        "-m playwright install chromium",
        "apt-get update",
        "apt-get install --yes --no-install-recommends chromium libatomic1",
    ]


def test_who_is_not_root_installs_no_package() -> None:
    asked: list[list[str]] = []

    def run(command: list[str]) -> bool:
        asked.append(command)
        return False

    assert chromium.get_chromium(is_root=False, run=run, find=lambda: "/never/asked") is None
    assert [command[1:] for command in asked] == [["-m", "playwright", "install", "chromium"]]


def test_what_was_installed_must_also_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chromium.get_chromium(is_root=False, run=lambda command: True, find=lambda: None) is None
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    found = iter([None, "/usr/bin/chromium"])  # Playwright's lacks a library; Debian's runs
    assert (
        chromium.get_chromium(is_root=True, run=lambda command: True, find=lambda: next(found)) == "/usr/bin/chromium"
    )
