"""The baseline of a batch learner: gradient-boosted trees on the engine's own indicators, trained on another city."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from loanpulse.evaluation.panel import Flags, Panel

FOLDS = 3
Features = npt.NDArray[np.float32]


class MissingExtra(ImportError):
    """The libraries of an optional extra are not installed; the text says how to install them."""


def need_scikit_learn() -> None:
    """Raise MissingExtra where scikit-learn is not installed."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            "the gradient-boosted baseline needs scikit-learn: install Loanpulse with its extra `evaluation` "
            "(pip install 'loanpulse[evaluation]'), or leave it out with --no-boosting"
        ) from error


def features_of(panel: Panel, where: Flags) -> Features:
    """Return the twelve values and their evidences at the places ``where``, a row each; no evidence is missing."""
    rows = panel.daily[where]
    values = np.where(rows["evidence"] > 0, rows["value"], np.nan)
    return np.concatenate([values, rows["evidence"]], axis=1).astype(np.float32)


def fit(features: Features, labels: Flags) -> Any:
    """Return trees fitted to the rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingClassifier(max_iter=100, learning_rate=0.08, l2_regularization=1.0, random_state=0)
    with threadpool_limits(1, "openmp"):  # more threads wait for each other on rows so few
        return model.fit(features, labels)


def chances(model: Any, features: Features) -> npt.NDArray[np.float64]:
    """Return each row's chance of its label."""
    found: npt.NDArray[np.float64] = model.predict_proba(features)[:, 1]
    return found


def chances_out_of_fold(panel: Panel, where: Flags, taught: Flags, labels: Flags) -> npt.NDArray[np.float64]:
    """Return the chances at ``where`` by models that never saw the borrower, to set a threshold by.

    ``taught`` are the places that models are fitted on, ``labels`` the outcomes of every place. Borrowers are dealt
    to the folds by their number.
    """
    found = np.zeros(where.shape)
    fold_of = np.arange(len(where)) % FOLDS
    for fold in range(FOLDS):
        own = (fold_of == fold)[:, np.newaxis]
        model = fit(features_of(panel, taught & ~own), labels[taught & ~own])
        if (where & own).any():
            found[where & own] = chances(model, features_of(panel, where & own))
    return found[where]
