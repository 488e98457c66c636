"""A setting is declared once: range, choices, hints, and what happens when another setting narrows the range."""

from __future__ import annotations

import dataclasses
import itertools
import warnings
from dataclasses import dataclass
from typing import Any

import pytest

from taskembed_edu.base.settings import Settings, current_values, setting
from taskembed_edu.embedders.metric import MetricEmbedder, MetricSettings
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.formulas.losses import LOSSES
from taskembed_edu.formulas.mining import PAIR_MINING, TRIPLET_MINING
from taskembed_edu.session.session import Session, Setup

CLASSES = (MetricSettings, Setup)
NUMBERS = [
    (cls, name, declared)
    for cls in CLASSES
    for name, declared in cls.declared().items()
    if declared.low is not None or declared.high is not None
]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_field_is_declared_with_words_and_a_range_that_holds_its_default(cls: Any) -> None:
    defaults = cls()
    assert list(cls.declared()) == [field.name for field in dataclasses.fields(cls)]
    for name, declared in cls.declared().items():
        value = getattr(defaults, name)
        assert declared.label
        assert declared.help.endswith(".")
        if declared.choices:
            assert value in declared.choices_for(defaults)
        else:
            assert declared.low is not None
            assert declared.low <= value <= declared.highest(defaults)


@pytest.mark.parametrize(("cls", "name", "declared"), NUMBERS)
def test_the_ends_of_a_range_are_allowed_and_what_lies_beyond_is_not(cls: Any, name: str, declared: Any) -> None:
    ends = declared.low, declared.highest(cls())
    for end in ends:
        assert getattr(cls(**{name: end}), name) == end
    whole = isinstance(getattr(cls(), name), int)
    for beyond in (ends[0] - (1 if whole else 1e-6), ends[1] + (1 if whole else 1e-6)):
        with pytest.raises(ValueError, match=f"^{name}: got .*expected a number from") as error:
            cls(**{name: beyond})
        assert declared.help in str(error.value)


@pytest.mark.parametrize(("cls", "name", "declared"), NUMBERS)
@pytest.mark.parametrize("wrong", ["big", True, None])
def test_a_number_must_be_a_number(cls: Any, name: str, declared: Any, wrong: object) -> None:
    with pytest.raises(TypeError, match=f"^{name}: got .*expected a number"):
        cls(**{name: wrong})


@pytest.mark.parametrize(("cls", "name"), [(MetricSettings, "batch"), (MetricSettings, "dim"), (Setup, "n_tasks")])
def test_a_count_must_be_whole(cls: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name}: got 20.5, expected a whole number"):
        cls(**{name: 20.5})


def test_settings_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MetricSettings().margin = 2.0  # type: ignore[misc]


@pytest.mark.parametrize("metric", METRICS)
def test_the_margins_range_follows_the_metric(metric: str) -> None:
    end = METRICS[metric].slider_max
    assert MetricSettings.declared()["margin"].highest(MetricSettings(metric=metric)) == end
    assert MetricSettings(metric=metric, margin=end).margin == end
    with pytest.raises(ValueError, match=f"margin: got .*from 0 to {end:g}"):
        MetricSettings(metric=metric, margin=end + 0.01)


def test_a_metric_clamps_the_margin_that_nobody_named() -> None:
    far = MetricSettings(margin=5.0)
    assert far.difference(far.changed(metric="cosine")) == {"metric": "cosine", "margin": 2.0}
    assert far.difference(far.changed(metric="manhattan")) == {"metric": "manhattan"}
    assert MetricSettings(margin=0.5).changed(metric="cosine").margin == 0.5


def test_a_named_margin_beyond_the_range_is_an_error_for_changed_and_clamped_for_a_slider() -> None:
    far = MetricSettings(margin=5.0)
    with pytest.raises(ValueError, match=r"margin: got 3.0"):
        far.changed(metric="cosine", margin=3.0)
    assert far.clamped(metric="cosine", margin=3.0).margin == 2.0
    assert far.clamped(metric="cosine", margin=1.5).margin == 1.5
    assert far.clamped(margin=-1.0).margin == 0.0
    assert (far.clamped(batch=0).batch, far.clamped(batch=20.4).batch) == (2, 20)
    with pytest.raises(ValueError, match=r"margin: got -1\.0, expected a number from 0"):
        far.changed(margin=-1.0)
    for wrong in (float("nan"), float("inf"), "1", None, True):
        with pytest.raises((ValueError, TypeError), match="margin: got"):
            far.clamped(margin=wrong)


@pytest.mark.parametrize("loss", LOSSES)
def test_mining_choices_follow_the_loss(loss: str) -> None:
    left = TRIPLET_MINING if loss == "triplet" else PAIR_MINING
    assert MetricSettings.declared()["mining"].choices_for(MetricSettings(loss=loss)) == left
    for mining in left:
        assert MetricSettings(loss=loss, mining=mining).mining == mining
    for mining in set(TRIPLET_MINING) - set(left):
        with pytest.raises(ValueError, match=f"mining: got {mining!r}"):
            MetricSettings(loss=loss, mining=mining)
        came_from_triplet = MetricSettings(loss="triplet", mining=mining)
        assert came_from_triplet.changed(loss=loss).mining == "all"
        assert came_from_triplet.clamped(loss=loss, mining=mining).mining == "all"
        with pytest.raises(ValueError, match="mining"):
            came_from_triplet.changed(loss=loss, mining=mining)


def test_what_has_an_effect_follows_the_loss() -> None:
    declared = MetricSettings.declared()
    for loss in LOSSES:
        settings = MetricSettings(loss=loss)
        assert declared["margin"].applies(settings) == (loss in ("contrastive", "contrastive_squared", "triplet"))
        assert declared["mining"].applies(settings) == declared["margin"].applies(settings)
        assert declared["temperature"].applies(settings) == (loss == "info_nce")
        assert declared["batch"].applies(settings)


@pytest.mark.parametrize("change", ["changed", "clamped"])
def test_unknown_names_and_values_get_the_nearest_known_one(change: str) -> None:
    ask = getattr(MetricSettings(), change)
    with pytest.raises(ValueError, match=r"setting: got 'margins'.*Did you mean 'margin'"):
        ask(margins=1.0)
    with pytest.raises(ValueError, match=r"metric: got 'cosin'.*Did you mean 'cosine'"):
        ask(metric="cosin")
    with pytest.raises(ValueError, match=r"loss: got 'tripet'.*Did you mean 'triplet'"):
        ask(loss="tripet")


@pytest.mark.parametrize(("name", "value"), [("metric", "cosin"), ("loss", "tripet"), ("device", "gpu"), ("mining", 1)])
def test_unknown_choices_fail_when_made(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: got "):
        MetricSettings(**{name: value})  # type: ignore[arg-type]


def test_live_settings_are_the_designs() -> None:
    fixed = {name for cls in CLASSES for name, declared in cls.declared().items() if not declared.live}
    assert fixed == {"hidden", "dim", "device", "features", "family", "seed", "n_tasks", "frame_every"}


def test_difference_and_dict_are_plain() -> None:
    settings = MetricSettings(margin=2.0)
    assert MetricSettings().difference(settings) == {"margin": 2.0}
    assert settings.difference(MetricSettings()) == {"margin": 1.0}
    assert settings.difference(settings) == {}
    assert MetricSettings(**settings.as_dict()) == settings


def test_any_sequence_of_choices_stays_within_its_ranges() -> None:
    settings = MetricSettings(loss="triplet", mining="semi-hard", metric="squared_euclidean", margin=30.0)
    for loss, metric in itertools.product(LOSSES, METRICS):
        settings = settings.changed(loss=loss, metric=metric)
        assert settings.margin <= METRICS[metric].slider_max
    assert (settings.margin, settings.mining) == (2.0, "all")


@dataclass(frozen=True)
class Renamed(Settings):
    """A setting that had other names, and a choice that had another one."""

    restarts: int = setting(0, label="Restarts", help="How often.", low=0, high=9, formerly=("refits", "again"))
    loss: str = setting("plain", label="Loss", help="Which.", choices=("plain", "squared"), renamed={"old": "squared"})


@pytest.mark.parametrize("change", ["changed", "clamped"])
@pytest.mark.parametrize(
    ("former", "today", "words"),
    [
        ({"refits": 2}, {"restarts": 2}, "setting 'refits' is now called 'restarts'"),
        ({"again": 3}, {"restarts": 3}, "setting 'again' is now called 'restarts'"),
        ({"loss": "old"}, {"loss": "squared"}, "loss 'old' is now called 'squared'"),
    ],
)
def test_a_former_name_works_and_warns_where_it_was_written(
    change: str, former: dict[str, Any], today: dict[str, Any], words: str
) -> None:
    with pytest.warns(DeprecationWarning, match=words) as caught:
        got = getattr(Renamed(), change)(**former)
    assert got == Renamed(**today)
    assert [warning.filename for warning in caught] == [__file__], "it points at the line that used the former name"


def test_a_former_choice_works_where_settings_are_made_and_a_former_name_where_they_are_read() -> None:
    with pytest.warns(DeprecationWarning, match="loss 'old' is now called 'squared'") as caught:
        assert Renamed(loss="old") == Renamed(loss="squared")
    assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(DeprecationWarning, match="setting 'refits' is now called 'restarts'"):
        assert Renamed(restarts=4).refits == 4  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="'Renamed' object has no attribute 'refit'"):
        _ = Renamed().refit  # type: ignore[attr-defined]


def test_former_names_in_a_recording_are_translated_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = current_values({"refits": 1, "loss": "old", "other": "old"}, Renamed.declared(), warn=False)
    assert got == {"restarts": 1, "loss": "squared", "other": "old"}


def test_a_setting_is_given_once() -> None:
    for twice in ({"refits": 1, "restarts": 2}, {"restarts": 2, "refits": 1}, {"refits": 1, "again": 1}):
        with pytest.raises(ValueError, match="setting: got 'restarts' twice"):
            current_values(twice, Renamed.declared(), warn=False)


@pytest.mark.parametrize("value", [["old"], {"old": 1}, None, 3])
def test_a_value_that_no_choice_can_be_is_refused_in_words(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^loss: got "):
        Renamed().changed(loss=value)


def test_an_embedder_may_not_take_a_name_of_the_sessions() -> None:
    @dataclass(frozen=True)
    class Seeded(MetricSettings):
        seed: int = setting(0, label="My seed", help="Mine.", low=0, high=9)

    class Own(MetricEmbedder):
        settings_class = Seeded

    with pytest.raises(ValueError, match=r"Seeded: got a setting 'seed', expected names of its own"):
        Session(Own(), "gaussians")
