"""What comes along with other tasks: the settings that suit them, wished with them, and taken away again with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskembed_edu import MetricLab, ParameterLab
from taskembed_edu.live.defaults_for import implied_changes
from taskembed_edu.session.session import Session
from tests.test_panel import Page

# The settings that differ between what suits sine waves and what suits languages.
OF_LANGUAGES = {
    "form": "difference",
    "metric": "cosine",
    "optimiser": "adam",
    "batch": 25,
    "frame_every": 5,
    "stop_at": 300,
}


@pytest.fixture
def lab_page() -> Iterator[Callable[..., Page]]:
    made: list[Page] = []

    def make(family: str = "sinusoids", **values: Any) -> Page:
        page = Page(ParameterLab(family, **{"n_tasks": 12, "hidden": 8, **values}).panel)
        made.append(page)
        return page

    yield make
    for page in made:
        page.panel.stop()


def session_of(page: Page) -> Session:
    return page.panel.sessions[0]


def wished(page: Page) -> dict[str, Any]:
    """The settings that the page shows as waiting for Reset, with the values that it shows."""
    return {control["name"]: control["value"] for control in page.view.controls if control["wished"]}


def offered(page: Page, name: str) -> list[str]:
    return [option["value"] for option in page.control(name)["options"]]


def wish(page: Page, **changes: Any) -> None:
    page.say("set", changes=changes)


# ---- what suits the tasks ------------------------------------------------------------------------------------------


def test_other_tasks_bring_what_suits_them_and_take_it_away_again(lab_page: Callable[..., Page]) -> None:
    page = lab_page()
    before = session_of(page).values()
    wish(page, family="number_words")
    assert wished(page) == {"family": "number_words", **OF_LANGUAGES}
    assert page.status.startswith("Press Reset to apply: Tasks. These change with it: ")
    for said in (
        "weights as From the start",
        "optimiser Adam",
        "Cosine distance",
        "samples a step 25",
        "stop at step 300",
    ):
        assert f" {said}" in page.status
    assert "distance Cosine" not in page.status
    wish(page, family="digits")
    assert wished(page) == {"family": "digits", "form": "difference", "metric": "cosine", "learning_rate": 0.1}
    wish(page, family="sinusoids")
    assert wished(page) == {}
    assert session_of(page).values() == before


def test_a_reset_applies_them_all_and_other_tasks_may_change_them_again(lab_page: Callable[..., Page]) -> None:
    page = lab_page()
    wish(page, family="number_words")
    page.say("reset")
    session = session_of(page)
    suits = {**ParameterLab.defaults("number_words"), "family": "number_words"}
    assert {name: session.values()[name] for name in suits} == suits
    assert wished(page) == {}
    wish(page, family="sinusoids")
    back = {"form": "raw", "metric": "euclidean", "optimiser": "sgd", "batch": 0, "frame_every": 10, "stop_at": 500}
    assert wished(page) == {"family": "sinusoids", **back}, "what suited the old tasks goes back to what was declared"
    page.say("reset")
    assert {**session.values(), "family": "sinusoids"} == lab_page("sinusoids").panel.sessions[0].values()


def test_what_a_lab_began_with_by_itself_nobody_chose(lab_page: Callable[..., Page]) -> None:
    page = lab_page("digits", learning_rate=0.1)  # the same rate as the lab's own, but asked for
    wish(page, family="sinusoids")
    assert wished(page) == {"family": "sinusoids", "form": "raw", "metric": "euclidean"}


@pytest.mark.parametrize("where", ["begun with", "in a cell", "at a reset", "on the page", "on the page, and back"])
def test_what_the_learner_chose_stays(lab_page: Callable[..., Page], where: str) -> None:
    page = lab_page(**{"metric": "manhattan", "optimiser": "sgd"} if where == "begun with" else {})
    session = session_of(page)
    if where == "in a cell":
        session.set(metric="manhattan")
        session.user_set.add("optimiser")
    elif where == "at a reset":
        session.reset(metric="manhattan", optimiser="sgd")
    elif where == "on the page":
        wish(page, metric="manhattan", optimiser="adam")
    elif where == "on the page, and back":
        wish(page, optimiser="adam")
        wish(page, optimiser="sgd", metric="manhattan")
    wish(page, family="number_words")
    expected = {name: value for name, value in OF_LANGUAGES.items() if name not in ("metric", "optimiser")}
    mine = {"optimiser": "adam"} if where == "on the page" else {}
    assert wished(page) == {"family": "number_words", **expected, **mine}
    wish(page, family="sinusoids")
    assert wished(page) == mine


def test_moving_what_came_along_makes_it_the_learners_own(lab_page: Callable[..., Page]) -> None:
    page = lab_page()
    wish(page, family="number_words")
    wish(page, metric="manhattan", optimiser="sgd")  # one applies at once, the other is back where it was
    assert session_of(page).settings.metric == "manhattan"
    left = {name: value for name, value in OF_LANGUAGES.items() if name not in ("metric", "optimiser")}
    assert wished(page) == {"family": "number_words", **left}
    page.say("reset")
    assert (session_of(page).settings.metric, session_of(page).settings.optimiser) == ("manhattan", "sgd")


def test_what_was_chosen_after_it_had_come_along_stays_the_learners_own(lab_page: Callable[..., Page]) -> None:
    page = lab_page()
    wish(page, family="number_words")
    page.say("reset")
    session_of(page).set(metric="manhattan")  # in a cell
    page.say("reset")
    wish(page, family="sinusoids")
    assert "metric" not in wished(page)


def test_both_of_two_runs_get_what_suits_their_new_tasks(lab_page: Callable[..., Page]) -> None:
    page = lab_page()
    page.say("step")
    page.say("branch")
    one, other = page.panel.sessions
    wish(page, optimiser="adam")  # of run B, which is active: the learner's own
    wish(page, family="digits")
    page.say("reset")
    for session in (one, other):
        assert (session.settings.metric, session.settings.learning_rate) == ("cosine", 0.1)
    assert (one.settings.optimiser, other.settings.optimiser) == ("sgd", "adam")


def test_a_reset_in_a_cell_does_exactly_what_it_is_told(lab_page: Callable[..., Page]) -> None:
    session = session_of(lab_page())
    before = session.values()
    session.reset(family="digits")
    assert session.values() == {**before, "family": "digits"}


def test_a_lab_that_begins_alike_with_all_tasks_brings_nothing_along() -> None:
    page = Page(MetricLab("gaussians", n_tasks=12, hidden=8, batch=4, projection="pca").panel)
    wish(page, family="digits")
    assert wished(page) == {"family": "digits"}
    assert page.status == "Press Reset to apply: Tasks."
    page.panel.stop()


def test_of_a_recording_what_differs_from_the_labs_own_is_taken_as_chosen() -> None:
    lab = ParameterLab("sinusoids", n_tasks=12, hidden=8, metric="manhattan")
    lab.session.step(1)
    again = ParameterLab("sinusoids", n_tasks=12, hidden=8).replay(lab.session.recording())
    along = implied_changes(again, {"family": "digits"}, ParameterLab.defaults)
    assert along == {"form": "difference", "learning_rate": 0.1}


# ---- what the run could not begin without --------------------------------------------------------------------------


def test_only_networks_that_can_read_the_tasks_are_offered(lab_page: Callable[..., Page]) -> None:
    page = lab_page()
    assert offered(page, "learner") == ["auto", "mlp", "wave"]
    wish(page, family="number_words")
    assert offered(page, "learner") == ["auto", "gru", "lstm"]
    wish(page, learner="lstm")
    assert wished(page)["learner"] == "lstm"
    wish(page, family="digits")
    assert offered(page, "learner") == ["auto", "conv", "mlp"]
    assert wished(page)["learner"] == "auto", "an LSTM reads no pictures, though the learner chose it"
    page.say("reset")
    assert page.transport["tone"] == "calm"
    assert session_of(page).setup.family == "digits"


def test_layers_are_those_of_the_network_that_the_wished_tasks_will_have() -> None:
    session = Session("parameters", "digits", learner="conv", n_tasks=12, hidden=8, projection="pca")
    assert session.offers("layer") == ("all", "convolution_1", "convolution_2", "output")
    assert session.offers("layer", {"learner": "mlp"}) == ("all", "hidden_1", "hidden_2", "output")
    # Nobody has yet wished another network, and this one reads no curves.
    assert session.offers("layer", {"family": "sinusoids"}) == ("all", "hidden_1", "hidden_2", "output")
    assert session.offers("frozen", {"family": "number_words"}) == ("none", "number", "input", "recurrent", "output")


def test_a_network_that_cannot_read_the_tasks_is_refused_in_words(lab_page: Callable[..., Page]) -> None:
    page = lab_page()
    wish(page, learner="gru")
    assert "learner: got 'gru'" in page.status
    wish(page, family="number_words", learner="gru")  # in one message: the tasks count first
    assert wished(page)["learner"] == "gru"


@pytest.mark.parametrize("name", ["layer", "frozen"])
def test_a_layer_that_the_wished_network_lacks_gives_way(lab_page: Callable[..., Page], name: str) -> None:
    page = lab_page("digits", **{name: "convolution_1"})
    wish(page, learner="mlp")
    first = {"layer": "all", "frozen": "none"}[name]
    assert wished(page) == {"learner": "mlp", name: first}
    page.say("reset")
    assert page.transport["tone"] == "calm"
    assert getattr(session_of(page).settings, name) == first
    wish(page, learner="auto")
    assert wished(page) == {"learner": "auto"}


def test_a_live_setting_shows_what_can_be_chosen_of_the_run_as_it_is(lab_page: Callable[..., Page]) -> None:
    page = lab_page("digits")
    wish(page, family="sinusoids")
    assert "convolution_1" in offered(page, "layer")
    assert "hidden_1" in offered(page, "frozen")
    wish(page, layer="convolution_1")
    assert session_of(page).settings.layer == "convolution_1"
    assert wished(page)["layer"] == "all", "the network of the wished tasks has no such layer"


# ---- what is said after a reset ------------------------------------------------------------------------------------


def test_a_start_each_seen_from_the_start_is_said_to_look_like_one_for_all(lab_page: Callable[..., Page]) -> None:
    page = lab_page("gaussians")
    wish(page, start="own")
    page.say("reset")
    assert page.status == (
        "Begun again with start one each. "
        "Every way begins at zero here; choose Weights as: As they are, to see the 12 starts."
    )
    for changes in ({"form": "raw"}, {"form": "difference", "vector": "outputs"}):
        wish(page, **changes)
        page.say("reset")
        assert page.status == "Back at the same initial weights."
    wish(page, vector="weights", start="shared")
    page.say("reset")
    assert page.status == "Begun again with start one for all."
