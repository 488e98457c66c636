"""A learner with context parameters: a few numbers of a task, which change what the rest of the network computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.networks.learners import Answers, Learner, Parameters

# The context's own numbers, and the weights by which the network reads them.
VALUES, READER = "context.values", "reader.weight"


@dataclass(frozen=True)
class ContextLearner(Learner):
    r"""A learner whose first bias depends on a task's context c: b' = b + c R.

    For a perceptron this is the same as c beside the input, [x, c] W: the rows of W that belong to c are R. For a
    convolution it is c as constant channels, but for the edge of the picture; for a recurrent network c shifts its
    first state. So all of a task's learning may go into a few numbers, and these are its vector (CAVIA).

    Source: Zintgraf, Shiarlis, Kurin, Hofmann and Whiteson 2019, section 3. Errors: ValueError for fewer than 1 number,
    or for a learner without a bias. Worked number: MLP(1, 1, (40, 40)) has 1,761 parameters, with 5 numbers 1,966.
    """

    base: Learner
    n_context: int = 5

    name: ClassVar[str] = "context"

    def __post_init__(self) -> None:
        check_whole("n_context", self.n_context, 1, None, "The context is the task's vector.")
        if not isinstance(self.base, Learner) or isinstance(self.base, ContextLearner):
            cause = "A learner has one context." if isinstance(self.base, ContextLearner) else ""
            raise TypeError(problem("base", type(self.base).__name__, "a learner without a context", cause))
        if self._bias is None:
            raise ValueError(problem("base", f"{self.base.name} without a bias", "a learner with one for c to shift"))

    @property
    def _bias(self) -> str | None:
        return next((name for name in self.base.shapes() if name.endswith(".bias")), None)

    @property
    def answers(self) -> Answers:
        return self.base.answers

    @property
    def has_second_derivative(self) -> bool:  # type: ignore[override]
        return self.base.has_second_derivative

    def reads(self, x_shape: tuple[int, ...]) -> bool:
        return self.base.reads(x_shape)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = self.base.shapes()
        width = shapes[self._bias or ""][-1]
        return {VALUES: (1, self.n_context), READER: (self.n_context, width), **shapes}

    def fan_in(self, layer: str) -> int:
        return self.n_context if layer in ("context", "reader") else self.base.fan_in(layer)

    def init(self, rng: torch.Generator) -> Parameters:
        """As every learner, but the context begins at 0: it is the task that fills it."""
        parameters = super().init(rng)
        return {**parameters, VALUES: torch.zeros_like(parameters[VALUES])}

    def with_context(self, parameters: Parameters) -> Parameters:
        """The base learner's parameters as this context changes them."""
        own = {name: value for name, value in parameters.items() if name not in (VALUES, READER)}
        name = self._bias or ""
        return {**own, name: own[name] + parameters[VALUES] @ parameters[READER]}

    def apply(self, parameters: Parameters, x: Tensor) -> Tensor:
        return self.base.apply(self.with_context(parameters), x)

    def teacher_forced(self, parameters: Parameters, x: Tensor, y: Tensor) -> Tensor:
        return self.base.teacher_forced(self.with_context(parameters), x, y)

    def loss(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.base.loss(self.with_context(parameters), x, y, mask)

    def losses(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.base.losses(self.with_context(parameters), x, y, mask)

    def order(self, y: Tensor) -> Tensor | None:
        return self.base.order(y)
