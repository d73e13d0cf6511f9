"""An optimizer for River's linear models whose weights keep their signs and stay near a prior until data speaks."""

from collections.abc import Mapping
from typing import Any

from river import optim

FIRST_SQUARES = 0.05
"""What the squares of slopes start from, so that the first steps are not the largest."""


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
        Examples learned so far, those seen again not counted; whoever learns keeps it.
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
