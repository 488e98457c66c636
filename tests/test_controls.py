"""Controls: one for each declared setting, made from its declaration, and never pulled from under a moving hand."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import pytest

from taskembed_edu.distances import METRICS
from taskembed_edu.embedders import MetricSettings
from taskembed_edu.live.controls import WORDS, Control, say
from taskembed_edu.session import Setup

DECLARED = [(cls(), name, declared) for cls in (Setup, MetricSettings) for name, declared in cls.declared().items()]


class Asked(list[tuple[str, Any]]):
    def __call__(self, name: str, value: Any) -> None:
        self.append((name, value))


def control(name: str, settings: Any = None) -> tuple[Control, Asked]:
    settings = settings or (Setup() if name in Setup.declared() else MetricSettings())
    asked = Asked()
    made = Control(name, type(settings).declared()[name], getattr(settings, name), asked)
    made.show(getattr(settings, name), settings)  # as a panel does: ranges and choices follow the other settings
    return made, asked


@pytest.mark.parametrize(("settings", "name", "declared"), DECLARED, ids=[name for _s, name, _d in DECLARED])
def test_every_setting_has_a_control(settings: Any, name: str, declared: Any) -> None:
    made, asked = control(name, settings)
    assert made.widget.value == getattr(settings, name)
    assert made.widget.tooltip == made.label.tooltip == declared.help
    assert made.label.value == declared.label + ("" if declared.live else " (applies at reset)")
    assert f"te-set-{name}" in made.widget._dom_classes
    made.show(getattr(settings, name), settings)
    assert asked == []
    if declared.choices:
        assert isinstance(made.widget, widgets.Dropdown)
        assert [value for _words, value in made.widget.options] == list(declared.choices_for(settings))
        assert [words for words, _value in made.widget.options] == [say(c) for c in declared.choices_for(settings)]
    elif declared.log:
        values = [value for _words, value in made.widget.options]
        assert values[0] >= declared.low
        assert values[-1] <= declared.high
        assert values == sorted(values)
    else:
        assert (made.widget.min, made.widget.max) == (declared.low, declared.highest(settings))


def test_every_choice_has_words() -> None:
    assert {choice for _s, _n, declared in DECLARED for choice in declared.choices} <= set(WORDS)
    assert say(0.123456) == "0.123"
    assert say("cosine") == "Cosine distance"
    assert say(7) == "7"
    assert say(1e-3) == "0.001"


def test_a_moved_control_says_so_once() -> None:
    made, asked = control("margin")
    made.widget.value = 2.5
    assert asked == [("margin", 2.5)]


def test_showing_a_value_asks_for_nothing() -> None:
    made, asked = control("margin")
    made.show(3.0, MetricSettings(margin=3.0))
    assert made.widget.value == 3.0
    assert asked == []


def test_a_moving_hand_is_not_overruled() -> None:
    made, asked = control("margin")
    made.widget.value = 2.0
    made.show(1.0, MetricSettings())
    assert made.widget.value == 2.0
    made.widget.value = 2.5
    made.show(2.0, MetricSettings(margin=2.0))
    assert made.widget.value == 2.5
    made.show(2.5, MetricSettings(margin=2.5))
    made.show(0.5, MetricSettings(margin=0.5))
    assert made.widget.value == 0.5
    assert asked == [("margin", 2.0), ("margin", 2.5)]


def test_a_refused_wish_is_forgotten() -> None:
    made, _asked = control("margin")
    made.widget.value = 4.0
    made.forget()
    made.show(1.0, MetricSettings())
    assert made.widget.value == 1.0


@pytest.mark.parametrize("metric", METRICS)
def test_the_margins_slider_follows_the_metric(metric: str) -> None:
    made, asked = control("margin")
    made.show(1.0, MetricSettings(metric=metric))
    assert made.widget.max == METRICS[metric].slider_max
    assert made.widget.value == 1.0
    assert asked == []


def test_the_slider_shrinks_with_its_value_without_asking() -> None:
    made, asked = control("margin", MetricSettings(margin=5.0))
    made.show(2.0, MetricSettings(metric="cosine", margin=2.0))
    assert (made.widget.max, made.widget.value) == (2.0, 2.0)
    assert asked == []


def test_mining_choices_follow_the_loss() -> None:
    made, asked = control("mining")
    assert [value for _words, value in made.widget.options] == ["all", "hard"]
    made.show("semi-hard", MetricSettings(loss="triplet", mining="semi-hard"))
    assert [value for _words, value in made.widget.options] == ["all", "hard", "semi-hard"]
    assert made.widget.value == "semi-hard"
    made.show("all", MetricSettings())
    assert [value for _words, value in made.widget.options] == ["all", "hard"]
    assert asked == []


def test_what_has_no_effect_is_greyed_out() -> None:
    made, _asked = control("margin")
    made.show(1.0, MetricSettings(loss="info_nce"))
    assert made.widget.disabled
    made.show(1.0, MetricSettings(loss="triplet"))
    assert not made.widget.disabled


def test_a_logarithmic_slider_offers_round_numbers_and_takes_any() -> None:
    made, asked = control("learning_rate")
    assert {1e-5, 2e-5, 5e-5, 1e-3, 0.1} <= {value for _words, value in made.widget.options}
    made.show(0.0033, MetricSettings(learning_rate=0.0033))
    assert made.widget.value == 0.0033
    assert made.widget.label == "0.0033"
    assert asked == []
    odd, _asked = control("temperature", MetricSettings(temperature=0.07, loss="info_nce"))
    assert odd.widget.value == 0.07
