"""Which unit tests a change can reach, the nearest first. `tools/check.py` runs them.

    changed = changed_files(root, base=None)     # what git says
    for test in reached(read_imports(root), changed): ...      # test.path, test.distance

A test that changed is at distance 0, one that imports what changed at 1, one that imports an importer at 2. Imports are
grimp's (import-linter stands on it), and beside them what only the text tells: names that `import taskembed_edu` loads
when they are used, modules named in code that a test runs elsewhere, files that a module opens by their name.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grimp

PACKAGE = "taskembed_edu"
PACKAGES = (PACKAGE, "tests", "tools", "benchmarks")
MODULE_NAME = re.compile(rf"\b(?:{'|'.join(PACKAGES)})(?:\.\w+)+")
STUB_LINE = re.compile(r"^from (\.[\w.]*) import (\w+)", re.MULTILINE)
EXAMPLE = re.compile(r"^\s*>>> ", re.MULTILINE)


@dataclass(frozen=True)
class Reached:
    """A file with tests, and over how many imports the change reaches it."""

    path: str
    distance: int


@dataclass
class Imports:
    """Who imports whom: `importers[module]` are the modules that see a change of `module` at once."""

    root: Path
    sources: dict[str, str]  # module -> its text
    paths: dict[str, str]  # module -> its path, from the root
    importers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


# -- what has changed -----------------------------------------------------------------------------------------------


def changed_files(root: Path, base: str | None = None) -> set[str]:
    """Paths, from the root, that differ from `base`, new files among them.

    Without a base: all that is not committed or not pushed, and where there is nothing of either, the last commit.
    """
    if base is not None:
        return _differ(root, base)
    pushed = git(root, "merge-base", "HEAD", "@{upstream}", may_fail=True)
    return _differ(root, pushed[0] if pushed else "HEAD") or _differ(root, "HEAD~1")


def _differ(root: Path, base: str) -> set[str]:
    changed = git(root, "diff", "--name-only", "--no-renames", base, "--")
    return {*changed, *git(root, "ls-files", "--others", "--exclude-standard")}


def git(root: Path, *arguments: str, may_fail: bool = False) -> list[str]:
    """The lines that git answers with."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode and not may_fail:
        raise ValueError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.splitlines() if done.returncode == 0 else []


# -- what it reaches ------------------------------------------------------------------------------------------------


def reached(imports: Imports, changed: Collection[str], seconds: Mapping[str, float] | None = None) -> list[Reached]:
    """The files of tests, and of examples in docstrings, that see the change; the nearest first.

    Of those that are equally near, the quick ones are first: `seconds` says how long a file took when it was last run.
    """
    distances = _spread(imports, _begin(imports, changed))
    stems = {Path(path).stem for path in changed}
    found = [
        Reached(imports.paths[module], distance)
        for module, distance in distances.items()
        if is_test(module) or (module.startswith(PACKAGE) and EXAMPLE.search(imports.sources[module]))
    ]

    def place(test: Reached) -> tuple[int, bool, float, str]:
        own = Path(test.path).stem.removeprefix("test_") in stems
        return test.distance, not own, (seconds or {}).get(test.path, 0.0), test.path

    return sorted(found, key=place)


def is_test(module: str) -> bool:
    """Whether it is a file of unit tests; those that drive a browser are left to `make test`."""
    return module.startswith("tests.test_")


def _spread(imports: Imports, begin: dict[str, int]) -> dict[str, int]:
    """The distance of every module that the change reaches, from those where it begins (breadth first)."""
    distances: dict[str, int] = {}
    waiting = deque(sorted(begin.items(), key=lambda item: item[1]))
    while waiting:
        module, distance = waiting.popleft()
        if module not in distances:
            distances[module] = distance
            waiting.extend((importer, distance + 1) for importer in sorted(imports.importers[module]))
    return distances


def _begin(imports: Imports, changed: Collection[str]) -> dict[str, int]:
    """The modules where a change begins: those that changed (0), and those that open a file that did (1)."""
    modules = {path: module for module, path in imports.paths.items()}
    begin = {modules[path]: 0 for path in changed if path in modules}
    for path in changed:
        if path.endswith("/__init__.pyi"):  # the list of what its package offers
            begin.setdefault(modules[path.removesuffix("i")], 0)
        elif path not in modules:
            for reader in readers(imports, path):
                begin.setdefault(reader, 1)
    return begin


def readers(imports: Imports, path: str) -> set[str]:
    """The modules that open this file: whose text has its name; else its stem or its folder's name; else one above."""
    place = Path(path)
    folders = [f'"{folder.name}"' for folder in place.parents if folder.name]
    for names in ([place.name], [f'"{place.stem}"', *folders[:1]], *([folder] for folder in folders[1:])):
        mentions = re.compile("|".join(rf"(?<![\w.]){re.escape(name)}(?!\w)" for name in names))
        found = {module for module, source in imports.sources.items() if mentions.search(source)}
        if found:
            return found
    return set()


# -- imports --------------------------------------------------------------------------------------------------------


def read_imports(root: Path) -> Imports:
    """The imports of this checkout's packages and tests (grimp finds them where Python does: the root comes first)."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    paths = {module: _path(root, module) for module in graph.modules}
    sources = {module: (root / path).read_text(encoding="utf-8") for module, path in paths.items()}
    imports = Imports(root, sources, paths)
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            imports.importers[imported].add(module)
    _add_what_the_text_tells(imports)
    for module in filter(is_test, graph.modules):
        imports.importers["tests.conftest"].add(module)  # pytest loads it for every test
    return imports


def _path(root: Path, module: str) -> str:
    path = Path(*module.split("."))
    package = path / "__init__.py"
    return (package if (root / package).exists() else path.with_suffix(".py")).as_posix()


def _add_what_the_text_tells(imports: Imports) -> None:
    """Modules named in full in code that runs elsewhere, and names that a package loads when they are used."""
    for module, source in imports.sources.items():
        for name in set(MODULE_NAME.findall(source)):
            _add(imports, module, _longest_known(name, imports.sources))
    for stub in sorted((imports.root / PACKAGE).rglob("__init__.pyi")):
        package = ".".join(stub.parent.relative_to(imports.root).parts)
        homes = public_names(stub.read_text(encoding="utf-8"), package)
        any_name = re.compile(rf"\b(?:{'|'.join(homes)})\b")
        asks = re.compile(rf"\bimport {package}\b|\bfrom {package} import\b")
        for module, source in imports.sources.items():
            if module in imports.importers[package] or asks.search(source):
                for name in set(any_name.findall(source)):
                    _add(imports, module, homes[name])


def _add(imports: Imports, importer: str, imported: str | None) -> None:
    if imported is not None and imported != importer:
        imports.importers[imported].add(importer)


def public_names(stub: str, package: str) -> dict[str, str]:
    """Name of a package that loads it when it is used -> the module that defines it.

    >>> public_names("from .tasks.digits import Digits as Digits", "taskembed_edu")
    {'Digits': 'taskembed_edu.tasks.digits'}
    """
    return {name: package + home.rstrip(".") for home, name in STUB_LINE.findall(stub)}


def _longest_known(name: str, modules: Collection[str]) -> str | None:
    """`a.b` for `a.b.function`: the module that a dotted name lies in."""
    while "." in name and name not in modules:
        name = name.rpartition(".")[0]
    return name if "." in name else None
