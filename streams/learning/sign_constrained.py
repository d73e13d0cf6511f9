"""An optimizer for River's linear models that keeps signs and stays near a prior while there is little data."""

from collections.abc import Mapping
from typing import Any

from river import optim

FIRST_SQUARES = 0.05
"""The start of the sums of squared gradients, so that the first steps are not the largest."""


class SignConstrainedAdaGrad(optim.base.Optimizer):  # type: ignore[misc]
    """AdaGrad with a pull towards prior weights, after whose every step no weight is above zero.

    Parameters
    ----------
    lr
        Learning rate.
    prior
        The weights to stay near, by feature; none is above 0.
    strength
        Precision of the prior, 1 / the square of a weight's likely distance from it in log-odds: the pull on a weight
        is ``strength / seen`` times its distance, so the more examples there are, the less it counts.

    Attributes
    ----------
    seen : int
        Examples learned so far, replayed ones not counted; the caller sets it.
    """

    def __init__(self, lr: float, prior: Mapping[str, float], strength: float) -> None:
        super().__init__(lr)
        self.prior = dict(prior)
        self.strength = strength
        self.seen = 1
        self.squares: dict[str, float] = dict.fromkeys(prior, FIRST_SQUARES)

    def _step_with_dict(self, w: Any, g: Any) -> Any:
        pull = self.strength / self.seen
        for name, slope in g.items():
            whole = slope + pull * (w[name] - self.prior[name])
            self.squares[name] += whole * whole
            moved = w[name] - self.learning_rate * whole / self.squares[name] ** 0.5
            w[name] = min(0.0, moved)
        return w
