"""What the benchmarks do inside a kernel: a film for a map, a stopwatch around training, the same lab with plotly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch

from taskembed_edu import MetricLab
from taskembed_edu.embedders import MetricEmbedder, MetricSettings
from taskembed_edu.live import packets
from taskembed_edu.live import precompile as warming
from taskembed_edu.live.lab_view import PictureGate
from taskembed_edu.projection.pca import pca_layout
from taskembed_edu.projection.umap_steps import Layout, warm_up
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Sinusoids

N_FRAMES = 12
"""Frames of a film. They are shown to and fro, so that every one differs from the one before."""


def recorded_layouts(n_tasks: int) -> list[Layout]:
    """The PCA maps of a net in training, 5 steps apart."""
    rng = torch.Generator().manual_seed(0)
    split, embedder, settings = Sinusoids().split(rng), MetricEmbedder(), MetricSettings()
    state = embedder.begin(split.train, split.validation.sample(n_tasks, rng=rng), settings, rng)
    layouts = [pca_layout(embedder.embed(state), None)]
    for _ in range(N_FRAMES - 1):
        for _ in range(5):
            embedder.step(state, settings)
        layouts.append(pca_layout(embedder.embed(state), layouts[-1]))
    return layouts


class Film:
    """Offers frames to a map at a steady rate, from a thread, for some seconds; `told` is then when it was what.

    `offer(k)` offers frame k. Where that takes longer than a frame may, the film runs as fast as it can.
    """

    def __init__(self, offer: Callable[[int], None], rate: float = 30.0) -> None:
        self.told: dict[str, float] = {}
        self._offer, self._rate = offer, rate

    def run(self, seconds: float) -> None:
        """Begin; returns at once, since a kernel that runs a cell hears no page."""
        self.told = {}
        threading.Thread(target=self._run, args=(seconds,), name="film", daemon=True).start()

    def _run(self, seconds: float) -> None:
        begun, offered, turn = time.time(), 0, 2 * N_FRAMES - 2
        while time.time() < begun + seconds:
            offered += 1  # frame 0 is on screen
            self._offer(min(offered % turn, turn - offered % turn))
            time.sleep(max(0.0, begun + offered / self._rate - time.time()))
        self.told = {"begun": begun, "stopped": time.time(), "offered": offered}
        self.end()

    def end(self) -> None:
        """Nothing more will be offered."""


class LabFilm(Film):
    """The film on the lab's own view, through the gate that its frames go through when training runs."""

    def __init__(self, n_tasks: int) -> None:
        self.shown = MetricLab(n_tasks=n_tasks, projection="pca")
        view = self.shown.panel.view
        picture = packets.picture_packet(self.shown.sessions)
        run = picture["runs"][0]
        frames = []
        for layout in recorded_layouts(n_tasks):
            low, high = packets.ends(layout)
            frames.append((packets.rounded_box(low, high), packets.placed(layout, low, high)))
        first = 1000  # beyond the numbers of the panel's own pictures, which it counts itself

        def send(number: int) -> None:
            k = self._newest
            box, places = frames[k]
            moved = {**run, "index": number, "step": number, "box": box, "points": places.tobytes()}
            view.put(picture={**picture, "number": first + number, "step": number, "runs": [moved]})

        def hear(_view: Any, message: Any, _buffers: Any) -> None:
            if message.get("do") == "shown" and message["number"] > first:
                self._gate.taken(message["number"] - first)

        self._newest = 0
        self._gate = PictureGate(send)
        view.on_msg(hear)
        super().__init__(self._offer_frame)

    def _offer_frame(self, k: int) -> None:
        self._newest = k
        self._gate.changed()

    def end(self) -> None:
        """As when training pauses: what waits may go."""
        self._gate.flush()


class PlotlyFilm(Film):
    """The film on a FigureWidget: a frame is sent when it is due, whatever the page has drawn."""

    def __init__(self, n_tasks: int) -> None:
        layouts = recorded_layouts(n_tasks)
        self.shown = plotly_map(layouts[0], np.arange(n_tasks, dtype=np.float32))
        super().__init__(lambda k: move_points(self.shown, layouts[k], k))


def plotly_map(layout: Layout, values: Any) -> go.FigureWidget:
    """The map as plotly draws it: with SVG up to 1,000 points and with WebGL beyond, as plotly's own `px.scatter`."""
    draw = go.Scatter if len(layout) <= 1000 else go.Scattergl
    marker = {"color": values, "colorscale": "Cividis", "size": 8}
    points = draw(x=layout[:, 0], y=layout[:, 1], mode="markers", marker=marker, name="0")
    return go.FigureWidget(points, layout={"width": 560, "height": 480, "showlegend": False})


def move_points(figure: go.FigureWidget, layout: Layout, step: int) -> None:
    """Another frame for plotly: both coordinates, and the step for the page's watch, in one message."""
    with figure.batch_update():
        figure.data[0].x = layout[:, 0]
        figure.data[0].y = layout[:, 1]
        figure.data[0].name = str(step)


class PlotlyLab:
    """The lab as it is mostly built: a FigureWidget, ipywidgets, and a thread that trains and sends every frame.

    It trains what the lab trains. UMAP is there from the first picture, or PCA is, and nothing changes over.
    """

    def __init__(self, projection: str = "pca") -> None:
        if projection == "umap":
            warm_up()
        self.session = Session("metric", projection=projection)
        self.map = plotly_map(self.session.frame.layout, self.session.tasks.truth[:, 0].numpy())
        self.play = widgets.Button(description="Play")
        self.play.on_click(lambda _: threading.Thread(target=self._train, daemon=True).start())
        self.margin = widgets.FloatSlider(value=1.0, min=0.0, max=5.0, step=0.05, description="Margin")
        self.shown = widgets.VBox([widgets.HBox([self.play, self.margin]), self.map])

    def _train(self) -> None:
        session, shown = self.session, self.session.frame
        while True:
            if session.settings.margin != self.margin.value:
                session.set(margin=self.margin.value)
            session.step(1)
            if session.frame is not shown:
                shown = session.frame
                move_points(self.map, shown.layout, shown.step)


class Stopwatch:
    """Stands in for a session's embedder and notes every step: when it began and ended, its number, its margin."""

    def __init__(self, session: Session) -> None:
        self.steps: list[tuple[float, float, int, float]] = []
        self.embedder = session.embedder
        # All that is not said here, the embedder itself answers.
        session.embedder = session._run.embedder = self  # type: ignore[assignment]

    def step(self, state: Any, settings: Any) -> Any:
        """The embedder's own step."""
        begun = time.time()
        result = self.embedder.step(state, settings)
        self.steps.append((begun, time.time(), result[0].step, settings.margin))
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self.embedder, name)


def compile_in_a_thread() -> None:
    """Have labs compile UMAP in a thread of this kernel, which is what they otherwise leave to a child process."""
    warming._compile = lambda moves: warm_up()


def steps_before_umap(session: Session, stopwatch: Stopwatch) -> list[float]:
    """The seconds of every step before UMAP took over from PCA."""
    changed = next(event.step for event in session.events if event.changes.get("projection") == "umap")
    return [ended - begun for begun, ended, number, _ in stopwatch.steps if number <= changed]
