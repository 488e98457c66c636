"""Bundles ES modules into one module, for a widget and an exported file, with no build step and no Node.

A browser cannot follow `import` without a server. So this bundler writes the imported modules one after the other, each
after those that it imports, without their import lines and without the word `export`. Nothing is minified: every line
is as in its file.

A module may use only the forms that this bundler reads, line by line:

    import { a, b } from "./other.js";                   named imports, by a relative path, under their own names
    export function a() { ... }                          so also `export class`, `export const`, `export let`
    export default { render };                           in the entry only

All modules of one bundle share one scope, so no two of them may declare the same name at their top level.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from taskembed_edu.base.checks import problem

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"([^"]*)";?[ \t]*\n', re.MULTILINE)
_DECLARED = re.compile(r"^(export )?(?:async )?(?:function\b\*?|class|const|let|var)\s+([\[{]|[\w$]+)", re.MULTILINE)
_ODD = re.compile(r"^(?:import\b|export (?!(?:async |function\b|class |const |let |var |default )).*).*", re.MULTILINE)
_DEFAULT = re.compile(r"^export default\b", re.MULTILINE)


class _Module(NamedTuple):
    """One file: what it imports (in order, by file), what it declares at its top level and exports, and its code."""

    imports: dict[Path, list[str]]
    declared: list[str]
    exported: list[str]
    code: str


def bundle(entry: Path) -> str:
    """The text of one ES module: `entry` and all that it imports, each file once, in the order of the imports.

    Its default export is the entry's. Errors: ValueError if a file is missing, if imports make a circle, if an imported
    name is not exported, if two files declare the same name, or if a line has a form that this bundler does not read.

    `import { b } from "./b.js"; export default { b };` with `export const b = 1;` in b.js gives, comments apart,
    `const b = 1; export default { b };`.
    """
    entry = entry.resolve()
    modules = _with_imports(entry, [], {})
    owners: dict[str, Path] = {}
    for path, module in modules.items():
        if path != entry and _DEFAULT.search(module.code):
            raise _not_read(path, "export default", "Only the entry of a bundle has a default export.")
        for name in module.declared:
            if (other := owners.setdefault(name, path)) != path:
                came = f"{name} in {_named(other, entry)} and in {_named(path, entry)}"
                cause = "The modules of a page share one scope: rename one of the two, or import it from the other."
                raise ValueError(problem("top-level name", came, "a name that only one file declares", cause))
    return "\n".join(f"// ---- {_named(path, entry)} ----\n\n{module.code}" for path, module in modules.items())


def _with_imports(path: Path, above: list[Path], found: dict[Path, _Module]) -> dict[Path, _Module]:
    """`found`, then this file's imports, then this file; `above` are the files whose imports are being followed."""
    if path in above:
        circle = " -> ".join(each.name for each in [*above[above.index(path) :], path])
        cause = "Move what both need into a file of its own, which imports neither."
        raise ValueError(problem("import", circle, "imports that make no circle", cause))
    if path in found:
        return found
    module = _read(path, above)
    for other, names in module.imports.items():
        exported = _with_imports(other, [*above, path], found)[other].exported
        for name in names:
            if name not in exported:
                known = ", ".join(exported) or "nothing"
                came = f"{name} from {other.name} in {path.name}"
                cause = "Is it misspelt, or is the word `export` missing before it?"
                raise ValueError(problem("import", came, f"a name that {other.name} exports ({known})", cause))
    found[path] = module
    return found


def _read(path: Path, above: list[Path]) -> _Module:
    if not path.is_file():
        importer = f"imported by {above[-1].name}" if above else "the entry"
        cause = "Paths are relative to the file that imports, and end in .js."
        raise ValueError(problem("module", f"{path} ({importer}), which is no file", "a file", cause))
    text = path.read_text(encoding="utf-8") + "\n"
    imports: dict[Path, list[str]] = {}
    for names, source in _IMPORT.findall(text):
        if not source.startswith("."):
            raise _not_read(path, f'from "{source}"', 'Only files of the project can be imported, as in "./map.js".')
        imports.setdefault((path.parent / source).resolve(), []).extend(filter(None, map(str.strip, names.split(","))))
    code = _IMPORT.sub("", text)
    if (odd := _ODD.search(code)) is not None:
        raise _not_read(path, odd[0], 'Write `import { a, b } from "./other.js";` and `export` before a declaration.')
    declarations = _DECLARED.findall(code)
    if any(name in "[{" for _, name in declarations):
        raise _not_read(path, "several names declared at once at the top level", "Give each a line of its own.")
    declared = [name for _, name in declarations]
    exported = [name for export, name in declarations if export]
    code = re.sub(r"^export (?!default\b)", "", code, flags=re.MULTILINE)
    return _Module(imports, declared, exported, code.strip("\n") + "\n")


def _not_read(path: Path, came: str, cause: str) -> ValueError:
    return ValueError(problem("module", f"{came.strip()} in {path.name}", "what `bundle` can put together", cause))


def _named(path: Path, entry: Path) -> str:
    """A file's path relative to the entry's folder, as the bundle and the errors name it."""
    return Path(os.path.relpath(path, entry.parent)).as_posix()
