"""Controls: one for each declared setting, made from its declaration; and what a page sends, made a setting's value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taskembed_edu.base.settings import Setting
from taskembed_edu.base.wording import say, say_setting
from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.embedders.base import DEVICES
from taskembed_edu.embedders.parameter_settings import ParameterSettings
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.formulas.mining import TRIPLET_MINING
from taskembed_edu.labs.metric import MetricLab
from taskembed_edu.labs.parameter import ParameterLab
from taskembed_edu.live.controls import control_specs, page_value
from taskembed_edu.networks.factory import LEARNERS
from taskembed_edu.networks.learners import ACTIVATIONS
from taskembed_edu.session.session import Session
from taskembed_edu.session.setup import Setup
from tests.runs import small_session

SESSION = small_session()
DECLARED = SESSION.declared()
SHOWN = [name for name, declared in DECLARED.items() if not declared.hidden]


def control(name: str, wishes: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    specs = control_specs(small_session(**values), (), wishes or {})
    return next(spec for spec in specs if spec["name"] == name)


def test_every_setting_has_a_control_but_the_hidden_ones() -> None:
    assert [spec["name"] for spec in control_specs(SESSION, (), {})] == SHOWN
    assert "umap_restarts" in DECLARED
    assert "umap_restarts" not in SHOWN


def test_the_main_ones_come_first_in_their_order() -> None:
    specs = control_specs(SESSION, ("margin", "no such setting", "loss"), {})
    assert [spec["name"] for spec in specs if spec["main"]] == ["margin", "loss"]
    assert [spec["name"] for spec in specs[:2]] == ["margin", "loss"]
    assert len(specs) == len(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_a_control_says_what_was_declared(name: str) -> None:
    declared, made = DECLARED[name], control(name)
    assert (made["label"], made["help"], made["live"]) == (declared.label, declared.help, declared.live)
    assert made["value"] == SESSION.values()[name]
    options = [option["value"] for option in made["options"]]
    if declared.choices:
        assert made["kind"] == "choice"
        assert set(options) <= set(declared.choices)
        assert all(option["label"] == say(declared, option["value"]) for option in made["options"])
    elif declared.log:
        assert made["kind"] == "steps"
        assert declared.low is not None
        assert options[0] >= declared.low
        assert options == sorted(options)
    else:
        assert made["kind"] in ("range", "number")
        assert (made["low"], options) == (declared.low, [])
        assert type(made["step"]) is (int if isinstance(made["value"], int) else float)


def test_a_seed_is_typed_and_not_slid() -> None:
    assert control("seed")["kind"] == "number"
    assert control("margin")["kind"] == "range"


# As they were before labels and flags moved into the declarations: name, label, kind, flags, and the labels of a menu's
# choices (or how many stops a slider has).
AS_SEEN: dict[str, list[list[Any]]] = json.loads(Path(__file__).with_name("controls.json").read_text(encoding="utf-8"))
MAIN = {"metric": MetricLab.main, "parameters": ParameterLab.main}
FLAGS = {"main": "main", "live": "live", "enabled": "enabled", "projected": "projected", "above_map": "above the map"}


@pytest.fixture(autouse=True)
def only_the_learners_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file of tests, in the same process, may have registered a learner of its own."""
    for name in set(LEARNERS) - {"auto", "mlp", "wave", "conv", "gru", "lstm", "fasttext"}:
        monkeypatch.delitem(LEARNERS, name)


@pytest.mark.parametrize("run", AS_SEEN)
def test_a_learner_sees_the_controls_that_were_there_before(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskembed_edu.session.session.devices_here", lambda: tuple(DEVICES))
    embedder, family = run.split(", ")
    session = Session(embedder, family=family, n_tasks=5, projection="pca")
    seen = []
    for made in control_specs(session, MAIN.get(embedder, ()), {}):
        flags = " ".join(flag for key, flag in FLAGS.items() if made[key])
        options = {str(option["value"]): option["label"] for option in made["options"]}
        menu = options if made["kind"] == "choice" else len(options)
        seen.append([made["name"], made["label"], made["kind"], flags, menu])
    assert seen == AS_SEEN[run]
    for before, now in zip(AS_SEEN[run], seen, strict=True):
        assert before[4] == now[4]
        assert not isinstance(now[4], dict) or list(before[4]) == list(now[4]), "the order of a menu"


@pytest.mark.parametrize("settings", [Setup, *(embedder.settings_class for embedder in EMBEDDERS.values())])
def test_every_choice_has_its_label_beside_it(settings: Any) -> None:
    for name, declared in settings.declared().items():
        for choice in declared.choices:
            assert declared.label_of(choice)
            assert choice == "tanh" or declared.label_of(choice) != choice, (name, choice)


def test_choices_that_are_declared_elsewhere_too_are_the_same() -> None:
    assert tuple(DECLARED["mining"].choices) == TRIPLET_MINING
    assert set(ParameterSettings.declared()["activation"].choices) == set(ACTIVATIONS)


def test_values_in_words() -> None:
    declared = DECLARED["metric"]
    assert say(declared, "cosine") == say_setting(declared, "cosine") == "Cosine distance"
    assert say(declared, "one of one's own") == "one of one's own"
    assert say(DECLARED["margin"], 0.123456) == "0.123"
    assert say(DECLARED["learning_rate"], 1e-3) == "0.001"
    assert say_setting(DECLARED["seed"], 7) == "seed 7"


def test_names_without_labels_are_shown_as_they_are_and_a_registry_stays_live() -> None:
    assert Setting("A", "B.", choices=("x", "y")).label_of("x") == "x"
    registry = {"x": "The X"}
    declared = Setting("A", "B.", choices=registry)
    registry["y"] = "The Y"
    assert declared.choices_for(None) == ("x", "y")
    assert declared.label_of("y") == "The Y"


def test_what_waits_for_a_reset_is_shown_and_marked() -> None:
    made = control("seed", wishes={"seed": 7})
    assert (made["value"], made["wished"]) == (7, True)
    assert not control("margin", wishes={"seed": 7})["wished"]


@pytest.mark.parametrize("metric", METRICS)
def test_the_margins_slider_follows_the_metric(metric: str) -> None:
    assert control("margin", metric=metric)["high"] == METRICS[metric].slider_max


def test_mining_choices_follow_the_loss() -> None:
    assert [option["value"] for option in control("mining")["options"]] == ["all", "hard"]
    triplet = control("mining", loss="triplet")
    assert [option["value"] for option in triplet["options"]] == ["all", "hard", "semi-hard"]


def test_what_has_no_effect_is_greyed_out() -> None:
    assert not control("margin", loss="info_nce")["enabled"]
    assert control("margin", loss="triplet")["enabled"]


def test_a_logarithmic_slider_offers_round_numbers_and_the_value_it_stands_at() -> None:
    made = control("learning_rate", learning_rate=0.0033)
    assert {1e-5, 2e-5, 5e-5, 1e-3, 0.0033, 0.1} <= {option["value"] for option in made["options"]}
    assert {"value": 0.0033, "label": "0.0033"} in made["options"]


# ---- what a page sends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "came", "value"),
    [
        ("margin", 2, 2.0),
        ("margin", 99.0, 6.0),
        ("margin", -1, 0.0),
        ("seed", 3.0, 3),
        ("seed", 10**12, 2**31 - 1),
        ("n_tasks", 1, 5),
        ("learning_rate", 5.0, 0.1),
        ("mining", "semi-hard", "semi-hard"),
        ("family", "digits", "digits"),
    ],
)
def test_a_value_is_brought_to_the_settings_kind_and_range(name: str, came: Any, value: Any) -> None:
    got = page_value(SESSION, name, came)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("name", "came", "words"),
    [
        ("margin", float("nan"), "Margin: got nan, expected a number"),
        ("margin", float("inf"), "Margin: got inf"),
        ("margin", "1", "Margin: got 1, expected a number"),
        ("margin", True, "Margin: got True"),
        ("margin", None, "Margin: got None"),
        ("loss", "tripet", "loss: got 'tripet'.*Did you mean 'triplet'"),
        ("loss", 3, "loss: got 3"),
        ("loss", [], "loss: got"),
        ("umap_restarts", 3, "setting: got 'umap_restarts'"),
        ("marginn", 1.0, "Did you mean 'margin'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(name: str, came: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        page_value(SESSION, name, came)
