"""`taskembed doctor`: what is installed here, what is wrong with it, and what to do about each problem."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version
from rich.console import Console
from rich.table import Table

from taskembed_edu.commands.checkout import LESSONS, MY_LESSONS, find_checkout
from taskembed_edu.commands.chromium import HOW_TO_GET, NamedChromiumError, find_chromium
from taskembed_edu.commands.lab import SETTINGS_FOLDER

OLDEST_PYTHON = (3, 11)
SHOWN = ("torch", "numpy", "umap-learn", "numba", "jupyterlab", "ipykernel", "ipywidgets", "anywidget", "plotly")
INSTALL = "python -m pip install -c constraints.txt -e ."


@dataclass(frozen=True)
class Finding:
    """The result of one check: its subject, its state, and what to do about it ("" if nothing is wrong)."""

    subject: str
    state: str
    remedy: str = ""


def main(argv: Sequence[str]) -> int:
    """Print the findings. Returns 0 if nothing is wrong, else 1."""
    argparse.ArgumentParser(prog="taskembed doctor", description=__doc__).parse_args(argv)
    findings = list(examine())
    report(findings, Console(highlight=False))
    return 1 if any(finding.remedy for finding in findings) else 0


def examine() -> Iterator[Finding]:
    """All checks, in order; a check that cannot be run is a problem too."""
    checkout = find_checkout()
    looks: dict[str, Callable[[], Iterable[Finding]]] = {
        "Python": lambda: [python_finding()],
        "dependencies": lambda: [dependencies_finding(), versions_finding(), constraints_finding(checkout)],
        "device": device_findings,
        "Jupyter": jupyter_findings,
        "kernel": lambda: [kernel_finding()],
        "Chromium": lambda: [chromium_finding()],
        "lessons": lambda: [course_finding(checkout)],
    }
    for subject, look in looks.items():
        try:
            yield from look()
        except ImportError as error:
            yield Finding(subject, f"could not look: {error}", INSTALL)


def report(findings: Iterable[Finding], console: Console) -> None:
    """A table of all findings, then each problem with its remedy."""
    findings = list(findings)
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in findings:
        mark = "[bold red]problem[/]" if finding.remedy else "[green]ok[/]"
        table.add_row(mark, f"[bold]{finding.subject}[/]", finding.state)
    console.print(table)
    problems = [finding for finding in findings if finding.remedy]
    console.print("\n[bold]Nothing is wrong.[/]" if not problems else "\n[bold]What to do:[/]")
    for finding in problems:
        console.print(f"  {finding.subject}: {finding.remedy}", markup=False, soft_wrap=True)


def python_finding(found: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Python itself, and the system that it runs on."""
    state = f"{'.'.join(map(str, found))} at {sys.prefix}, on {platform.system()} {platform.machine()}"
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding("Python", state, "" if found >= OLDEST_PYTHON else f"install Python {wanted} or newer")


def installed(name: str) -> str | None:
    """The installed version of a distribution; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


Lookup = Callable[[str], str | None]


def disagreements(requirements: Iterable[Requirement], lookup: Lookup, missing_counts: bool) -> list[str]:
    """Where the installed versions do not satisfy the requirements; those whose marker is false here are skipped."""
    wrong = []
    for requirement in requirements:
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = lookup(requirement.name)
        if found is None:
            if missing_counts:
                wrong.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(Version(found), prereleases=True):
            wrong.append(f"{requirement.name} is {found}, expected {requirement.specifier}")
    return wrong


def dependencies_finding(lookup: Lookup = installed) -> Finding:
    """Whether the dependencies in pyproject.toml are installed, in the given version ranges."""
    wanted = [Requirement(line) for line in requires("taskembed_edu") or []]
    wrong = disagreements(wanted, lookup, missing_counts=True)
    if not wrong:
        return Finding("dependencies", "all there, all in range")
    return Finding("dependencies", "; ".join(wrong), INSTALL)


def versions_finding(lookup: Lookup = installed) -> Finding:
    """The versions that a bug report should name."""
    return Finding("versions", ", ".join(f"{name} {lookup(name) or '(missing)'}" for name in ("taskembed_edu", *SHOWN)))


def constraints_finding(checkout: Path | None, lookup: Lookup = installed, conda: bool | None = None) -> Finding:
    """Whether the installed versions are those of constraints.txt, with which the course was tested."""
    subject = "constraints.txt"
    if conda is None:
        conda = (Path(sys.prefix) / "conda-meta").is_dir()
    if conda:
        return Finding(subject, "does not apply: in this environment conda chooses the versions")
    if checkout is None:
        return Finding(subject, "not here: the package was installed without the course's folder")
    pins = read_pins(checkout / "constraints.txt")
    wrong = disagreements(pins, lookup, missing_counts=False)
    if not wrong:
        return Finding(subject, "every installed version is the pinned one")
    more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return Finding(subject, "; ".join(wrong[:5]) + more, INSTALL)


def read_pins(path: Path) -> list[Requirement]:
    """The pins of a constraints file."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def device_findings() -> Iterator[Finding]:
    """The processor, and the device that the networks train on."""
    import psutil

    gibibytes = psutil.virtual_memory().total / 2**30
    yield Finding("processor", f"{os.cpu_count()} cores, {gibibytes:.0f} GiB of memory")
    import torch

    if torch.cuda.is_available():
        yield Finding("device", f"cuda: {torch.cuda.get_device_name()} (torch {torch.__version__})")
    else:
        yield cpu_finding(torch.__version__, torch.version.cuda, has_nvidia_gpu())


def cpu_finding(torch_version: str, built_for_cuda: str | None, gpu_is_there: bool) -> Finding:
    """Training on the CPU: a problem only if there is a GPU that torch does not use."""
    state = f"cpu (torch {torch_version})"
    if not gpu_is_there:
        return Finding("device", state)
    if built_for_cuda is None:
        remedy = "this torch is built without CUDA; environment.yml (conda) brings one with it. The CPU works meanwhile"
    else:
        remedy = f"torch is built for CUDA {built_for_cuda}, which the driver refuses; a newer driver usually helps"
    return Finding("device", f"{state}; an NVIDIA GPU is here but torch does not see it", remedy)


def has_nvidia_gpu() -> bool:
    """Whether NVIDIA's own tool sees a GPU."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    try:
        answer = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "GPU" in answer.stdout


def jupyter_findings(user_settings: str | None = None) -> Iterator[Finding]:
    """Whether JupyterLab will use the course's settings: the learner's own settings override them."""
    from jupyterlab.commands import get_app_dir, get_user_settings_dir
    from jupyterlab_server.settings_utils import get_settings

    wanted = json.loads((SETTINGS_FOLDER / "overrides.json").read_text(encoding="utf-8"))
    schemas = str(Path(get_app_dir()) / "schemas")
    own = user_settings or get_user_settings_dir()
    for plugin, values in wanted.items():
        answer, _ = get_settings(str(SETTINGS_FOLDER), schemas, own, schema_name=plugin)
        defaults = {name: declared["default"] for name, declared in answer["schema"]["properties"].items()}
        effective = {**defaults, **answer["settings"]}
        yield settings_finding(plugin, values, effective)


def settings_finding(plugin: str, wanted: dict[str, object], effective: dict[str, object]) -> Finding:
    """One JupyterLab plugin's settings: as the course sets them, or changed by the learner."""
    changed = [
        f"{name} is {effective.get(name)!r}, not {value!r}"
        for name, value in wanted.items()
        if effective.get(name) != value
    ]
    subject = f"Jupyter {plugin.split(':')[1]}"
    if not changed:
        return Finding(subject, ", ".join(f"{name} {value}" for name, value in wanted.items()))
    return Finding(subject, "; ".join(changed), "reset it in JupyterLab: Settings, Settings Editor")


def kernel_finding(command: str | None = None) -> Finding:
    """Whether notebooks run in this Python: another project's kernel of the same name may be found first."""
    if command is None:
        from jupyter_client.kernelspec import KernelSpecManager

        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    is_ours = command.startswith("python") or Path(command).absolute() == Path(sys.executable).absolute()
    if is_ours:
        return Finding("kernel", "python3 runs in this environment")
    return Finding("kernel", f"python3 runs {command}", "python -m ipykernel install --sys-prefix")


def chromium_finding() -> Finding:
    """The browser of the browser tests. Learners do not need it, so its absence is no problem."""
    try:
        path = find_chromium()
    except NamedChromiumError as error:
        return Finding("Chromium", str(error), "correct CHROMIUM, or unset it")
    return Finding("Chromium", path or f"none; only the browser tests need one. {HOW_TO_GET}")


def course_finding(checkout: Path | None) -> Finding:
    """Where the lessons are."""
    if checkout is None:
        return Finding("lessons", "not found", "change into the course's folder and call this again")
    mine = checkout / MY_LESSONS
    where = f"{mine} (your own)" if mine.is_dir() else f"{checkout / LESSONS}; `taskembed lab` makes your own copy"
    return Finding("lessons", where)
