"""How a fitted model predicts: its trees walked here, few rows or many, or by scikit-learn.

All ways give the same bits, so it does not matter which rows got which: only trees whose sum is the
same are walked, and the first rows of each way are predicted by scikit-learn, too, and compared.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from assay.errors import NotCarriedOutError
from assay.features.parsing import Amounts, amounts
from assay.features.transformers import ParsedFrame
from assay.model.forests import BrokenTreesError, Forest, NotLaidOutError, lay_out
from assay.model.walks import cores, walk, walk_few
from assay.predictions import features_of, predictions_of, probabilities_of

# As many rows times trees as scikit-learn walks while the other way is compiled, once a process
# (docs/explanation/inference.md has the figures): whoever has fewer is done before.
WORTH = 30_000_000
# rows that numpy walks before scikit-learn has checked its input for each of the trees
FEW = 100
# compared of one batch at most, and in all before no more are
COMPARED, ENOUGH = 1_000, 30

Walk = Callable[[Forest, np.ndarray], np.ndarray]


def predict(model: Any, formulas: Sequence[str]) -> np.ndarray:
    """Predictions (n,) of a fitted model that takes a DataFrame with a column `formula`.

    Raises:
        MismatchedAnswerError: the model, or a featurizer in it, does not answer row by row.
    """
    frame = _frame(formulas)
    if not _is_plain_pipeline(model):
        return by_scikit_learn(model, frame)
    return by_scikit_learn(model[-1], _features(model, frame))


def _frame(formulas: Sequence[str]) -> pd.DataFrame:
    """The column as a model takes it, parsed once for all featurizers in it."""
    if not isinstance(formulas, Amounts):
        formulas = [str(formula) for formula in formulas]
    try:
        return ParsedFrame.of(amounts(formulas))
    except ValueError:  # which the model must refuse, and sanity sees whether it does
        return pd.DataFrame({"formula": formulas})


def _is_plain_pipeline(model: Any) -> bool:
    from sklearn.pipeline import Pipeline

    return type(model) is Pipeline and len(model.steps) > 1


def _features(model: Any, frame: pd.DataFrame) -> Any:
    """What reaches the last step of a pipeline, whose other steps each answer row by row."""
    features: Any = frame
    for _, step in model.steps[:-1]:
        if step is not None and step != "passthrough":
            who = f"the featurizer {type(step).__name__}"
            features = features_of(step.transform(features), len(frame), who)
    return features


class Inference:
    """A fitted model, and how it is asked for predictions."""

    def __init__(self, model: Any, worth: int = WORTH) -> None:
        """Take a model as `load_bundle` gives it.

        Args:
            model: a fitted scikit-learn estimator of a DataFrame with a column `formula`.
            worth: from how many rows times trees on they are walked by compiled code.
        """
        self._model = model
        self._worth = worth
        self._expected = 0
        self._walked = 0  # rows times trees
        self._compared: Counter[Walk] = Counter()
        self._lock = threading.Lock()
        self._reason: str | None = None

    @property
    def fallback(self) -> str | None:
        """One sentence on why scikit-learn predicts however many rows there are; None if not."""
        _ = self._forest
        return self._reason

    def expect(self, rows: int) -> None:
        """Take it that this process will predict so many rows: compile before the first, or not.

        To say it again for the same rows changes nothing.
        """
        self._expected = rows

    def predict(self, formulas: Sequence[str]) -> np.ndarray:
        """Predictions (n,) as `predict` above gives them, to the last bit.

        Raises:
            NotCarriedOutError: the nodes of the model's trees are no trees.
            MismatchedAnswerError: as `predict` above.
        """
        forest = self._forest
        way = None if forest is None else self._way(len(formulas), len(forest.roots))
        if forest is None or way is None:
            return predict(self._model, formulas)
        return self._of_features(way, forest, _features(self._model, _frame(formulas)))

    def _way(self, rows: int, trees: int) -> Walk | None:
        """The fastest way for so many rows; None for scikit-learn's own."""
        if self._reason is not None:
            return None
        self._walked += rows * trees
        if max(self._walked, self._expected * trees) >= self._worth:
            return _on_all_cores
        return walk_few if rows <= FEW else None

    def _of_features(self, way: Walk, forest: Forest, features: Any) -> np.ndarray:
        usable = as_rows(forest, features)
        if usable is None or not self._is_equal(way, forest, features, usable):
            return by_scikit_learn(self._model[-1], features)
        return way(forest, usable)

    @cached_property
    def _forest(self) -> Forest | None:
        if not _is_plain_pipeline(self._model):
            self._fall_back(self._model, "is no pipeline whose last step can be taken alone")
            return None
        try:
            return lay_out(self._model[-1])
        except BrokenTreesError as error:
            # scikit-learn does not look, and would crash or never end
            raise NotCarriedOutError(
                f"{type(self._model[-1]).__name__} {error}, so the bundle is damaged: fetch or "
                "train it again.",
                code="bundle.broken-trees",
            ) from None
        except NotLaidOutError as error:
            self._fall_back(self._model[-1], str(error))
        except Exception as error:  # noqa: BLE001 (another version may keep its trees elsewhere)
            self._fall_back(self._model[-1], f"cannot be laid out ({error!r})")
        return None

    def _is_equal(self, way: Walk, forest: Forest, features: Any, usable: np.ndarray) -> bool:
        with self._lock:
            if self._compared[way] < ENOUGH:
                self._compare(way, forest, features[:COMPARED], usable[:COMPARED])
                self._compared[way] += len(usable)
        return self._reason is None

    def _compare(self, way: Walk, forest: Forest, features: Any, usable: np.ndarray) -> None:
        estimator = self._model[-1]
        try:
            walked = way(forest, usable)
        except ImportError:
            self._fall_back(estimator, "is walked faster by numba alone, which is not installed")
            return
        if not np.array_equal(walked, by_scikit_learn(estimator, features)):
            self._fall_back(estimator, "would get other last digits when walked faster")

    def _fall_back(self, model: Any, reason: str) -> None:
        self._reason = f"scikit-learn itself predicts, as {type(model).__name__} {reason}."


def _on_all_cores(forest: Forest, features: np.ndarray) -> np.ndarray:
    return walk(forest, features, cores())


def by_scikit_learn(estimator: Any, features: Any) -> np.ndarray:
    """What a model, or the last step of a pipeline, says (n,) of the n rows that reach it."""
    count = features.shape[0] if hasattr(features, "shape") else len(features)
    who = f"the model ({type(estimator).__name__})"
    if hasattr(estimator, "predict_proba"):
        return probabilities_of(estimator.predict_proba(features), count, who)
    return predictions_of(estimator.predict(features), count, who)


def as_rows(forest: Forest, features: Any) -> np.ndarray | None:
    """The features as a forest's trees compare them; None if scikit-learn must look at them.

    It knows ways for missing values, and has words for what is wrong.
    """
    if not isinstance(features, np.ndarray | pd.DataFrame) or features.ndim != 2:  # noqa: PLR2004
        return None
    numbers = np.asarray(features)
    if numbers.shape[1] != forest.features or numbers.dtype.kind != "f" or not len(numbers):
        return None
    with np.errstate(over="ignore"):
        rows = numbers.astype(forest.thresholds.dtype, order="C")
    return rows if np.isfinite(rows).all() else None
