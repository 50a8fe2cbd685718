"""A repository whose model is a few lines of text: sound ones, and ones with a planted fault."""

import inspect
import itertools
import random
import textwrap
import time
import types
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, is_hypothesis_test
from hypothesis import settings as hypothesis_settings

from assay.compositions import elements, parse
from assay.features import missing_properties
from assay.sanity.assertions import FalsifiedError
from assay.sanity.lookalikes import lookalikes
from assay.sanity.subprocess_model import Answer, predict_elsewhere
from assay.sanity.suites import FAST, property_names
from assay.settings import read_settings

SETTINGS = """
[project]
name = "toy"
package = "toy"
[target]
column = "y"
unit = "u"
lower = 0.0
upper = 200.0
{target}
[gate]
margin = 0.1
[sanity]
examples = 15
"""
FORMULAS = [
    *("Li2O", "Na2O", "NaCl", "FeTiO3", "Fe2O3", "LiCl", "TiO2", "FeO", "FeCl2", "TiCl4"),
    *("Li2TiO3", "LiFeO2", "NaFeO2", "Na2TiO3", "LiOCl", "TiO", "FeCl3", "NaClO3", "LiClO4"),
]
SYMBOLS = ["Li", "O", "Na", "Cl", "Ti", "Fe"]
SOUND = "def answer(formula): return weight(formula)"


def weight(formula: str) -> float:
    """The mean atomic number of a composition; refuses what has no Magpie properties."""
    composition = parse(formula)
    for element in composition.elements:
        if missing_properties(element.symbol):
            raise ValueError(f"{formula!r} holds {element.symbol}, which has no properties")
    return float(sum(e.Z * f for e, f in sorted(composition.fractional_composition.items())))


class Model:
    """What a bundle is to the properties, around a function of a formula."""

    def __init__(self, answer: Callable[[str], float]) -> None:
        """Take the function."""
        self.answer = answer
        self.metadata = types.SimpleNamespace(target="y", kind="number", unit="u")
        self.model = types.SimpleNamespace(predict=self.predict_frame)

    def predict(self, formulas: Sequence[str]) -> np.ndarray:
        """Predict (n,) floats."""
        return np.array([self.answer(formula) for formula in formulas], dtype=float)

    def predict_frame(self, frame: Any) -> np.ndarray:
        """Predict a table."""
        return self.predict(list(frame["formula"]))


def load(folder: Path) -> Model:
    """The model whose text lies in a folder: a function `answer`, and perhaps a `change`."""
    names: dict[str, Any] = {
        "calls": itertools.count(),
        "elements": elements,
        "np": np,
        "parse": parse,
        "random": random,
        "time": time,
        "weight": weight,
    }
    exec((folder / "answer.py").read_text(encoding="utf-8"), names)
    model = Model(names["answer"])
    names.get("change", lambda model: None)(model)
    return model


def write(root: Path, text: str = SOUND, further: str = "", target: str = "") -> Path:
    """Write a repository of the toy; gives the folder in the place of its bundle."""
    bundle = root / "out" / "bundle"
    for folder in (bundle, root / "data", root / "tests", root / "src" / "toy"):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\ntestpaths = ["tests"]\naddopts = ["--strict-markers"]\n'
    )
    (root / "assay.toml").write_text(SETTINGS.format(target=target) + further)
    # a further column must not be taken for the target
    rows = [f"t{n:05d},{f},{weight(f):.6f},a book" for n, f in enumerate(FORMULAS, 1)]
    (root / "data" / "train.csv").write_text("\n".join(["row_id,formula,y,source", *rows, ""]))
    (bundle / "answer.py").write_text(text)
    return bundle


@cache
def fast_properties() -> dict[str, Callable[..., None]]:
    """The properties of the fast suite by name, with few examples, always the same ones."""
    quick = hypothesis_settings(
        # Hypothesis tries constants of the modules that are loaded, so what it draws depends on
        # which tests ran before in this process: there is room for that
        max_examples=25,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
    )
    found = {}
    for part in FAST:
        module = import_module(f"assay.sanity.properties.{part}")
        for name in property_names([part]):
            function = getattr(module, name)
            found[name] = quick(function) if is_hypothesis_test(function) else function
    return found


def fixtures(root: Path, *, spawn: bool = False) -> dict[str, Any]:
    """What pytest would hand to the properties; another process is spawned only if asked for."""
    bundle, declared = root / "out" / "bundle", read_settings(root)
    model = load(bundle)
    step, alike = FORMULAS[::2], [one for pair in lookalikes(SYMBOLS, 0) for one in pair]
    there = (
        predict_elsewhere("planted:load", bundle, root, step, alike)
        if spawn
        else Answer(step, list(load(bundle).predict(step)), 2000, 1.0, 0.5)
    )
    spread = float(np.std([weight(formula) for formula in FORMULAS]))
    return {
        "bundle": model,
        "predict": model.predict,
        "settings": declared,
        "sanity": declared.sanity,
        "tolerance": declared.sanity.tolerance,
        "bounds": (declared.target.lower, declared.target.upper),
        "element_value": declared.target.element_value,
        "elements": SYMBOLS,
        "unknown_elements": ["He", "Ne"],
        "training_formulas": FORMULAS,
        "training_targets": np.array([weight(formula) for formula in FORMULAS]),
        "largest_change": declared.sanity.continuity * spread,
        "elsewhere": there,
        "out_of_fold": None,
        "record_property": lambda name, value: None,
    }


def falsified(  # noqa: PLR0913 (what a model is tested with)
    root: Path,
    text: str,
    further: str = "",
    target: str = "",
    *,
    spawn: bool = False,
    only: Sequence[str] = (),
    **others: Any,
) -> dict[str, FalsifiedError]:
    """Try all fast properties on a model, or `only` some; what they raise, by name.

    `others` are fixtures that take the place of the toy's.
    """
    write(root, textwrap.dedent(text), further, target)
    given, found = fixtures(root, spawn=spawn) | others, {}
    for name in only or fast_properties():
        function = fast_properties()[name]
        wanted = inspect.signature(function).parameters
        try:
            function(**{key: value for key, value in given.items() if key in wanted})
        except FalsifiedError as error:
            found[name] = error
        except pytest.skip.Exception:
            continue
    return found
