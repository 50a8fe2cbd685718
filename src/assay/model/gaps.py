"""Formulas that the repository's own features have no numbers for, found before they are fitted."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from assay.errors import AssayError
from assay.features.parsing import Amounts
from assay.intake.choices import Choices
from assay.intake.intake import Intake, take_in
from assay.repository import Repository


def take_in_for(repository: Repository, source: str, choices: Choices) -> Intake:
    """`take_in` by what `assay.toml` says; what the features have no numbers for is set aside.

    Raises:
        UndecidedError: as `take_in`.
        UsageError: as `take_in`.
        NotCarriedOutError: as `take_in`.
    """
    return take_in(source, choices.within(repository.settings), partial(unusable, repository))


def unusable(repository: Repository, content: Amounts) -> dict[int, str]:
    """A sentence for each formula, by its place, of which the model's features have no numbers.

    Features are the first step of the author's pipeline. Code that does not run is no matter of
    formulas: training says where it stopped.
    """
    told: dict[int, str] = {}
    left = np.arange(len(content))
    with _features(repository) as features:
        while features is not None and len(left) and (found := _gaps(features, content.take(left))):
            told |= {int(left[at]): sentence for at, sentence in found.items()}
            left = np.delete(left, list(found))
    return told


def _gaps(features: Any, asked: Amounts) -> dict[int, str]:
    """What one featurizer of them says first, or else those with a feature that is infinite."""
    from assay.features.transformers import GapError, ParsedFrame

    try:
        values = np.asarray(features.fit_transform(ParsedFrame.of(asked)), dtype=float)
    except GapError as error:
        return error.reasons(asked)
    except Exception:  # noqa: BLE001 (the author's features may raise anything)
        return {}
    if len(values) != len(asked):
        return {}
    rows = np.isinf(values).reshape(len(asked), -1).any(axis=1)
    return {
        at: f"{asked[at]!r} cannot be featurised: a feature of it is infinite"
        for at in np.flatnonzero(rows).tolist()
    }


@contextmanager
def _features(repository: Repository) -> Iterator[Any]:
    """The first step of the author's pipeline; the author's modules are forgotten afterwards.

    What `init` changes in model.py must be imported again.
    """
    from sklearn.pipeline import Pipeline

    from assay.model.builder import load_builder

    before, package = set(sys.modules), repository.settings.project.package
    try:
        model = load_builder(repository)(repository.settings.model.seed)
        yield model[0] if isinstance(model, Pipeline) and len(model) > 1 else None
    except AssayError:
        yield None
    finally:
        for name in set(sys.modules) - before:
            if name == package or name.startswith(f"{package}."):
                del sys.modules[name]
