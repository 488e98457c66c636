"""The base class of labs with points to drag: the history of states, undo, and the connection to the page.

A lab is a list of immutable states. A method that changes something computes the new state and passes it to `_change`,
which keeps the old one for undo and publishes the new one. `CONTRIBUTING.md`, "Add a lab", shows a whole lab.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.labs.static import with_picture

if TYPE_CHECKING:
    from taskembed_edu.labs.point_view import PointLabView

UNDO_STEPS = 200

State = TypeVar("State")
Message = Mapping[str, Any]


class PointLab(ABC, Generic[State]):
    """A lab with a history of states. A subclass defines what is sent to its page, and which messages it handles.

    `page` is the path of its page without a suffix: `.html` is its markup, `.js` its ES module, `.css` its styles.
    """

    page: ClassVar[Path]

    def __init__(self, state: State) -> None:
        self._state = state
        self._past: list[State] = []
        self._gesture: str | None = None
        self._view: PointLabView | None = None
        self._lock = threading.RLock()  # a page's message may come on another thread than a cell

    # what a lab says

    @abstractmethod
    def words(self) -> dict[str, Any]:
        """What the page receives once, as plain values; `presets` are the names of its buttons."""

    @abstractmethod
    def readings(self, refusal: str = "") -> dict[str, Any]:
        """The state and every number that the page shows, as plain values, and why the last message was refused.

        The page's frame reads `points` (vectors by name or number), `settings` and `can_undo`.
        """

    @abstractmethod
    def handlers(self) -> dict[str, Callable[[Message], object]]:
        """The handler of each message of the page, by the message's `do`, beside `undo` and `reset`."""

    @abstractmethod
    def reset(self) -> None:
        """Go back to the initial state. `undo` reverts this too."""

    # its history

    def undo(self) -> None:
        """Undo the last change: a whole drag, a preset, a setting. No effect if there is none."""
        with self._lock:
            if self._past:
                self._state = self._past.pop()
            self._gesture = None
            self._publish()

    def _change(self, state: State, gesture: str | None = None) -> None:
        """Change the state and keep the old one for undo; only this method does. One gesture (one drag) is one step."""
        with self._lock:
            same_gesture = gesture is not None and gesture == self._gesture
            if state != self._state and not same_gesture:
                self._past = [*self._past[-UNDO_STEPS:], self._state]
                self._gesture = gesture
            self._show(state)

    def _show(self, state: State) -> None:
        """Show another state without a step of undo, such as the next sub-step of an explanation."""
        with self._lock:
            self._state = state
            self._publish()

    # its page

    @property
    def widget(self) -> PointLabView:
        """The panel itself, created at first use."""
        if not hasattr(self, "_state"):
            cause = "Its __init__ begins with super().__init__(State())."
            raise TypeError(problem(type(self).__name__, "no state", "a lab that has its first state", cause))
        if self._view is None:
            from taskembed_edu.labs.point_view import PointLabView  # a script needs no widget

            self._view = PointLabView(self)
        return self._view

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return with_picture(self.widget._repr_mimebundle_(include=include, exclude=exclude), self)

    def hear(self, message: Message) -> None:
        """Handle one message of the page. A refused message changes nothing; the page receives the reason."""
        handlers = {**self.handlers(), "undo": lambda _: self.undo(), "reset": lambda _: self.reset()}
        try:
            handlers[check_choice("do", message.get("do", ""), handlers)](message)
        except KeyError as error:
            came = f"a message {message.get('do')!r} without {error}"
            self._publish(problem("message", came, "what its handler reads", "The page says it with page.say({...})."))
        except (ValueError, TypeError) as error:
            self._publish(str(error))

    def _publish(self, refusal: str = "") -> None:
        if self._view is not None:
            self._view.readings = self.readings(refusal)
