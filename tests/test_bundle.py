"""ES modules put together: the order, the scope that they share, and errors that teach."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taskembed_edu.live.bundle import bundle


def write(folder: Path, **files: str) -> Path:
    """These modules in a folder; the path of `entry`."""
    for name, text in files.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder / "entry.js"


def code(text: str) -> list[str]:
    """The lines of a bundle without its headings and empty lines."""
    return [line for line in text.splitlines() if line and not line.startswith("// ----")]


def test_a_module_comes_after_those_that_it_imports_and_comes_once(tmp_path: Path) -> None:
    entry = write(
        tmp_path,
        entry='import { b } from "./b.js";\nimport { c } from "./c.js";\n\nexport default { b, c };\n',
        b='import { d } from "./d.js";\n\nexport const b = d;\n',
        c='import { d } from "./d.js";\n\nexport function c() {\n  return d;\n}\n',
        d="// A word about d.\nexport const d = 1;\n",
    )
    assert code(bundle(entry)) == [
        "// A word about d.",
        "const d = 1;",
        "const b = d;",
        "function c() {",
        "  return d;",
        "}",
        "export default { b, c };",
    ]


def test_every_module_has_a_heading_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "base.js").write_text("export const base = 1;\n", encoding="utf-8")
    (tmp_path / "labs").mkdir()
    entry = write(tmp_path / "labs", entry='import { base } from "../page/base.js";\nexport default base;\n')
    assert re.findall("// ---- (.*) ----", bundle(entry)) == ["../page/base.js", "entry.js"]


def test_every_kind_of_export_loses_its_word(tmp_path: Path) -> None:
    entry = write(
        tmp_path,
        entry='import {\n  One,\n  two,\n  three, four,\n} from "./b.js";\nexport default [One, two, three];\n',
        b="export class One {}\nexport let two = 2;\nexport async function three() {}\nexport function* four() {}\n",
    )
    assert code(bundle(entry)) == [
        "class One {}",
        "let two = 2;",
        "async function three() {}",
        "function* four() {}",
        "export default [One, two, three];",
    ]


def test_words_inside_a_function_or_a_comment_are_left_alone(tmp_path: Path) -> None:
    body = "/** @import { Picture } from './types.js' */\n// import nothing\nconst a = 1; // export const b\n"
    assert code(bundle(write(tmp_path, entry=body))) == body.splitlines()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {
                "entry": 'import { b } from "./b.js";\nfunction same() {}\n',
                "b": "export const b = 1;\nconst same = 2;\n",
            },
            r"top-level name: got same in b\.js and in entry\.js, expected a name that only one file declares",
        ),
        (
            {"entry": 'import { b } from "./missing.js";\n'},
            r"module: got .*missing\.js \(imported by entry\.js\), which is no file",
        ),
        (
            {
                "entry": 'import { wrong } from "./b.js";\n',
                "b": "export const b = 1;\nexport class C {}\nconst wrong = 2;\n",
            },
            r"import: got wrong from b\.js in entry\.js, expected a name that b\.js exports \(b, C\)",
        ),
        (
            {
                "entry": 'import { b } from "./b.js";\n',
                "b": 'import { c } from "./c.js";\nexport const b = c;\n',
                "c": 'import { b } from "./b.js";\nexport const c = b;\n',
            },
            r"import: got b\.js -> c\.js -> b\.js, expected imports that make no circle",
        ),
        ({"entry": 'import * as b from "./b.js";\n'}, r"module: got import \* as b from .* in entry\.js"),
        ({"entry": 'import b from "./b.js";\n'}, r"module: got import b from .* in entry\.js"),
        ({"entry": "const b = 1;\nexport { b };\n"}, r"module: got export \{ b \}; in entry\.js"),
        ({"entry": 'import { b } from "d3";\n'}, r'module: got from "d3" in entry\.js'),
        ({"entry": "const [b, c] = [1, 2];\n"}, r"module: got several names declared at once .* in entry\.js"),
        (
            {"entry": 'import { b as c } from "./b.js";\n', "b": "export const b = 1;\n"},
            r"import: got b as c from b\.js in entry\.js, expected a name that b\.js exports \(b\)",
        ),
        (
            {"entry": 'import { b } from "./b.js";\n', "b": "export const b = 1;\nexport default b;\n"},
            r"module: got export default in b\.js",
        ),
    ],
)
def test_what_cannot_be_put_together_is_an_error_that_teaches(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        bundle(write(tmp_path, **files))


def test_an_entry_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.js \(the entry\), which is no file"):
        bundle(tmp_path / "nowhere.js")
