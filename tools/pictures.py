"""The pictures of the lab in docs/images: a real JupyterLab in a real Chromium, played as a learner plays it.

    python -m tools.pictures            # all of them
    python -m tools.pictures collapse   # one story

Stories: `lesson` (two runs side by side, what changed?), `collapse` (margin 0), `languages` (weights find their
branches, and do not from starts of their own), `names` (which language is a name in), `evaluation` (two embedders,
judged), `adaptation` (one wave from three starts), `alphabets` (tasks of letters, each its own picture), `pad` (a
letter drawn by hand). Some document shows each of these pictures: tests/test_house.py asks.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from taskembed_edu.commands.chromium import HOW_TO_GET, find_chromium
from tests.browser.conftest import LAUNCH_ARGS
from tests.browser.lab_on_page import LabOnPage
from tests.browser.notebook_page import NotebookPage, write_notebook
from tests.browser.server import JupyterServer, running_server

IMAGES = Path(__file__).parent.parent / "docs" / "images"
CELL = "from taskembed_edu import LanguageNames, {lab}\n\nlab = {lab}({settings})\nlab"
WINDOW = ViewportSize(width=1280, height=900)
PROJECTOR = ViewportSize(width=1280, height=720)
TALL = ViewportSize(width=1280, height=1080)
PATIENCE = 300_000
MOST_BYTES = 150_000  # a larger picture is kept in 256 colours


def main(argv: list[str]) -> int:
    """Take the pictures of the stories named, by default of all; the exit code."""
    chromium = find_chromium()
    if chromium is None:
        print(HOW_TO_GET, file=sys.stderr)
        return 1
    every = [*STORIES, *PAGES]
    unknown = set(argv) - set(every)
    if unknown:
        print(f"There is no story {', '.join(sorted(unknown))}: choose from {', '.join(every)}.", file=sys.stderr)
        return 2
    expect.set_options(timeout=PATIENCE)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_ARGS)
        for name in argv or every:
            _tell(browser, server, name)
        browser.close()
    return 0


def _tell(browser: Browser, server: JupyterServer, name: str) -> None:
    cell, tell = PAGES[name] if name in PAGES else _lab_story(name)
    write_notebook(server.notebooks / f"{name}.ipynb", [cell])
    page = NotebookPage(browser.new_context(viewport=WINDOW), server, f"{name}.ipynb")
    page.open()
    page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
    page.run_all()
    tell(page)
    page.close()


def _lab_story(name: str) -> tuple[str, Callable[[NotebookPage], None]]:
    """The cell of a lab's story, and what is done on its page."""
    settings, story = STORIES[name]

    def tell(page: NotebookPage) -> None:
        lab = LabOnPage(page)
        lab.map().locator(".te-map-canvas").wait_for(state="attached")  # AdaptationLab shows its bench first
        story(lab)

    return CELL.format(lab=LABS.get(name, "MetricLab"), settings=settings), tell


# ---- the stories -----------------------------------------------------------------------------------------------------


def _lesson(lab: LabOnPage) -> None:
    expect(lab.map()).to_contain_text("UMAP")
    _play_until(lab, 1500)
    lab.button("Branch here").click()
    expect(lab.map(1)).to_be_visible()
    lab.press("margin", "ArrowRight", times=40)
    _play_until(lab, 2500, run=1)
    _choose_a_task(lab)
    _picture(lab, "lab_side_by_side")
    lab.page.keyboard.press("Escape")
    lab.button("Keep B").click()
    expect(lab.map(1)).to_have_count(0)

    lab.button("What changed?").click()
    lab.page.get_by_role("menuitem", name="Cosine").click()
    _choose_a_task(lab)
    expect(lab.root.locator(".te-changes")).to_contain_text("nearest neighbours")
    _picture(lab, "lab_what_changed")


def _collapse(lab: LabOnPage) -> None:
    lab.button("Play").click()
    expect(lab.root.get_by_role("alert")).not_to_be_empty()
    lab.pause()
    _picture(lab, "lab_collapse")


def _languages(lab: LabOnPage) -> None:
    """From one point, each language to its branch; then the same with a start each."""
    _picture(lab, "languages_0")
    for step in (20, 50, 300):
        _step_to(lab, step)
        _picture(lab, f"languages_{step}")
    _hover(lab, "Dutch")
    _picture(lab, "languages_words", keep_pointer=True)
    _project(lab, "languages_projector")
    lab.page.run("lab.session.set(projection='umap', n_neighbors=5)")
    expect(lab.map()).to_contain_text("UMAP")
    _picture(lab, "languages_umap")
    lab.page.run("lab.session.set(projection='pca')")
    lab.control("start").select_option("own")
    lab.button("Reset").click()
    expect(lab.map()).to_have_attribute("data-step", "0")
    _step_to(lab, 300)
    _picture(lab, "languages_own_starts")


def _names(lab: LabOnPage) -> None:
    """Tasks of three languages of one branch, and the names of one of them."""
    _step_to(lab, 60)
    _choose_a_task(lab)
    _picture(lab, "language_names", end=".te-map-words:visible")


def _evaluation(lab: LabOnPage) -> None:
    """Two embedders for the same tasks, and what each is worth."""
    expect(lab.map()).to_contain_text("UMAP")
    _play_until(lab, 300)
    lab.button("Judge").click()
    expect(lab.root.get_by_role("table", name="Scorecards: scores")).to_be_visible()
    _picture(lab, "evaluation_lab", end=".te-scorecards")
    _project(lab, "evaluation_lab_projector")


def _adaptation(lab: LabOnPage) -> None:
    """A learned start beside the others, after three inner steps, with two points moved by hand."""
    _step_to(lab, 600)
    lab.page.wait_for_function("document.querySelectorAll('.te-bench-way').length === 3")
    for _ in range(4):
        lab.button("Another task").click()
    expect(lab.root.locator(".te-bench")).to_have_attribute("data-task", "4")
    slider = lab.root.locator(".te-bench-slider")
    slider.focus()
    lab.page.keyboard.press("Home")
    for _ in range(5):
        lab.page.keyboard.press("ArrowRight")
    _picture(lab, "adaptation_lab")


def _alphabets(lab: LabOnPage) -> None:
    """Writing systems find their places, each task as its letters; one is chosen."""
    _step_to(lab, 150)
    expect(lab.map()).not_to_have_attribute("data-pictures", "0")
    _choose_a_task(lab)
    _picture(lab, "alphabets_lab")


def _pad(page: NotebookPage) -> None:
    """A letter is drawn, and five classes answer."""
    root, paper = page.locator(".te-pad"), page.locator(".te-pad canvas.paper")
    page.set_viewport_size(TALL)
    root.evaluate("root => root.scrollIntoView({ block: 'start' })")
    box = paper.bounding_box()
    assert box is not None
    for stroke in ALEF:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=8)
        page.mouse.up()
    expect(paper).to_have_attribute("data-strokes", str(len(ALEF)))
    page.mouse.move(2, 2)
    _kept(page, "drawing_pad")


# Alef as a hand draws it: a long stroke, and an arm on either side.
ALEF = [
    [(0.22, 0.15), (0.5, 0.5), (0.8, 0.85)],
    [(0.74, 0.14), (0.72, 0.32), (0.56, 0.52)],
    [(0.38, 0.4), (0.28, 0.6), (0.3, 0.86)],
]
PAD_CELL = """import torch
from taskembed_edu import Alphabets, DrawingPad
from taskembed_edu.adaptation.features import EpisodeTraining
from taskembed_edu.networks.conv_blocks import conv_blocks

rng = torch.Generator().manual_seed(0)
parts = Alphabets(n_way=9).split(rng)
episodes = EpisodeTraining(conv_blocks(rng))
for _ in range(300):
    episodes.step(parts.train.sample(2, 1, n_query=3, rng=rng))
hebrew = Alphabets(part=("Hebrew",))
letters = [i for i in hebrew.letters_of("Hebrew") if hebrew.letter_name(i) in "אבגשל"]
drawn = hebrew.draw_letters(torch.tensor(letters), 3, rng)
support = {hebrew.letter_name(i): pictures for i, pictures in zip(letters, drawn)}


def vectors(script):
    letters = torch.tensor(hebrew.letters_of(script)[:20])
    return episodes.features(hebrew.draw_letters(letters, 1, rng)[:, 0])


scripts = {script: vectors(script) for script in parts.unseen.in_part()}
pad = DrawingPad(features=episodes.features, support=support, scripts=scripts)
pad"""


STORIES: dict[str, tuple[str, Callable[[LabOnPage], None]]] = {
    "lesson": ("", _lesson),
    "collapse": ("margin=0.0", _collapse),
    "languages": ("'number_words'", _languages),
    "names": ("LanguageNames(n_way=3, related='branch')", _names),
    "evaluation": ("", _evaluation),
    "adaptation": ("", _adaptation),
    "alphabets": ("'alphabets', projection='pca', n_tasks=60", _alphabets),
}
# Stories of what is no lab with a map: a cell, and what is done on its page.
PAGES: dict[str, tuple[str, Callable[[NotebookPage], None]]] = {"pad": (PAD_CELL, _pad)}
LABS = {
    "languages": "ParameterLab",
    "names": "ParameterLab",
    "evaluation": "EvaluationLab",
    "adaptation": "AdaptationLab",
}


# ---- what they do ----------------------------------------------------------------------------------------------------


def _play_until(lab: LabOnPage, step: int, run: int = 0) -> None:
    lab.button("Play").click()
    lab.page.wait_for_function(
        "([run, step]) => +document.querySelector(`.te-map[data-run='${run}']`).dataset.step >= step",
        arg=[run, step],
        timeout=PATIENCE,
    )
    if lab.root.get_attribute("data-playing") == "true":
        lab.pause()
    lab.wait_until_paused()


def _step_to(lab: LabOnPage, step: int) -> None:
    """Exactly this step: between a click on Pause and the pause, a playing lab goes some steps further."""
    lab.page.run(f"lab.session.step({step} - lab.session.steps)")
    expect(lab.map()).to_have_attribute("data-step", str(step))


def _hover(lab: LabOnPage, name: str) -> None:
    """The pointer goes over the task of this name."""
    task = lab.ask("','.join(lab.session.tasks.names)").split(",").index(name)
    box = lab.map().locator(".te-map-canvas").bounding_box()
    assert box is not None
    x, y = lab.positions()[task]
    lab.page.mouse.move(box["x"] + x, box["y"] + y)


def _choose_a_task(lab: LabOnPage) -> None:
    lab.map().locator(".te-map-canvas").focus()
    lab.page.keyboard.press("Home")
    lab.page.keyboard.press("Enter")
    expect(lab.map()).not_to_have_attribute("data-chosen", "-1")


def _project(lab: LabOnPage, name: str) -> None:
    lab.page.set_viewport_size(PROJECTOR)
    lab.button("Projector").click()
    _picture(lab, name)
    lab.button("Projector").click()
    lab.page.set_viewport_size(WINDOW)


def _picture(lab: LabOnPage, name: str, *, keep_pointer: bool = False, end: str = "") -> None:
    """The whole window, with the panel at its top or the part `end` at its foot, once everything has come to rest."""
    if not keep_pointer:
        lab.page.mouse.move(2, 2)
        lab.root.evaluate("root => root.scrollIntoView({ block: 'start' })")
    if end:
        lab.root.locator(end).evaluate("part => part.scrollIntoView({ block: 'end' })")
    lab.page.wait_for_function(
        """() => new Promise(done => {
            const drawn = () => [...document.querySelectorAll('.te-map')].map(map => map.dataset.drawn).join();
            const before = drawn();
            setTimeout(() => done(drawn() === before), 300);
        })"""
    )
    _kept(lab.page, name)


def _kept(page: NotebookPage, name: str) -> None:
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    if path.stat().st_size > MOST_BYTES:
        Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"wrote {IMAGES / name}.png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
