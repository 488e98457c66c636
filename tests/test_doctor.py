"""`taskembed doctor`: each thing that can be wrong is seen, and comes with what to do."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from rich.console import Console

from taskembed_edu.commands import doctor


def looked_up(**versions: str) -> doctor.Lookup:
    """As if exactly these distributions were installed."""
    return versions.get


def test_pins_that_hold_and_pins_that_do_not(tmp_path: Path) -> None:
    pins = 'torch==2.13.0\nnumpy==2.4.6\nabsent==1.0\nnever==1.0 ; python_version < "3"\n'
    (tmp_path / "constraints.txt").write_text(f"# a comment\n{pins}")
    held = doctor.constraints_finding(tmp_path, looked_up(torch="2.13.0+cpu", numpy="2.4.6", never="2"), conda=False)
    assert held.remedy == ""
    broken = doctor.constraints_finding(tmp_path, looked_up(torch="2.12.0", numpy="2.4.6"), conda=False)
    assert broken.state == "torch is 2.12.0, expected ==2.13.0"
    assert broken.remedy == doctor.INSTALL
    in_conda = doctor.constraints_finding(tmp_path, looked_up(torch="2.12.0"), conda=True)
    assert in_conda.remedy == ""


def test_a_missing_dependency_is_a_problem() -> None:
    wanted = [Requirement("numpy>=2"), Requirement("pytest ; extra == 'test'")]
    assert doctor.disagreements(wanted, looked_up(), missing_counts=True) == ["numpy is missing"]
    assert doctor.disagreements(wanted, looked_up(), missing_counts=False) == []


@pytest.mark.parametrize(
    ("built_for_cuda", "gpu_is_there", "remedy"),
    [(None, False, ""), ("13.0", False, ""), (None, True, "environment.yml"), ("13.0", True, "driver")],
)
def test_an_idle_gpu_is_a_problem(built_for_cuda: str | None, gpu_is_there: bool, remedy: str) -> None:
    finding = doctor.cpu_finding("2.13.0", built_for_cuda, gpu_is_there)
    assert remedy in finding.remedy
    assert bool(finding.remedy) is bool(remedy)


def test_an_old_python_is_a_problem() -> None:
    assert doctor.python_finding((3, 10, 9)).remedy == "install Python 3.11 or newer"
    assert doctor.python_finding((3, 11, 0)).remedy == ""


def test_the_courses_jupyter_settings_are_seen(tmp_path: Path) -> None:
    findings = {finding.subject: finding for finding in doctor.jupyter_findings(str(tmp_path))}
    assert findings["Jupyter kernels-settings"].state == "commsOverSubshells disabled"
    assert not any(finding.remedy for finding in findings.values())


def test_a_setting_that_the_learner_changed_is_seen(tmp_path: Path) -> None:
    own = tmp_path / "@jupyterlab" / "apputils-extension" / "kernels-settings.jupyterlab-settings"
    own.parent.mkdir(parents=True)
    own.write_text('{"commsOverSubshells": "perComm"}')
    finding = next(f for f in doctor.jupyter_findings(str(tmp_path)) if "kernels" in f.subject)
    assert finding.state == "commsOverSubshells is 'perComm', not 'disabled'"
    assert "Settings Editor" in finding.remedy


def test_a_kernel_of_another_environment_is_a_problem() -> None:
    assert doctor.kernel_finding(sys.executable).remedy == ""
    assert doctor.kernel_finding("/somewhere/else/bin/python").remedy == "python -m ipykernel install --sys-prefix"


def test_the_doctor_looks_at_everything() -> None:
    subjects = [finding.subject for finding in doctor.examine()]
    wanted = ["Python", "dependencies", "versions", "constraints.txt", "processor", "device", "kernel", "Chromium"]
    assert set(wanted) <= set(subjects)


def test_what_cannot_be_looked_at_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def look() -> doctor.Finding:
        raise ImportError("no module named ipykernel")

    monkeypatch.setattr(doctor, "kernel_finding", look)
    monkeypatch.setattr(doctor, "device_findings", list)
    monkeypatch.setattr(doctor, "chromium_finding", lambda: doctor.Finding("Chromium", "here"))
    finding = next(finding for finding in doctor.examine() if finding.subject == "kernel")
    assert (finding.state, finding.remedy) == ("could not look: no module named ipykernel", doctor.INSTALL)


@pytest.mark.parametrize(("remedy", "exit_code"), [("", 0), ("install it", 1)])
def test_the_doctors_exit_code(monkeypatch: pytest.MonkeyPatch, remedy: str, exit_code: int) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: iter([doctor.Finding("thing", "state", remedy)]))
    assert doctor.main([]) == exit_code


def test_the_report_names_each_problem_and_its_remedy() -> None:
    console = Console(width=200, file=io.StringIO())
    doctor.report([doctor.Finding("good", "fine"), doctor.Finding("bad", "broken", "mend [it]")], console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "bad: mend [it]" in text
    assert "good: " not in text


def test_it_says_where_your_own_lessons_are(tmp_path: Path) -> None:
    found = doctor.course_finding(tmp_path).state
    assert found == f"{tmp_path / 'notebooks'}; `taskembed lab` makes your own copy"
    (tmp_path / "my_lessons").mkdir()
    assert doctor.course_finding(tmp_path).state == f"{tmp_path / 'my_lessons'} (your own)"
