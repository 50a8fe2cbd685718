"""Which properties there are, and in which order: the fast ones first, then those that train."""

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.settings import Settings

MARKER = "slow_sanity"
# what a run of the author's tests is told before its slow tier
GO, WITHHOLD = b"+", b"-"
KIT = "assay.sanity.properties."
FOLDER = Path(__file__).resolve().with_name("properties")
FAST = ("spelling", "physics", "repetition", "refusal", "budget")
SLOW = ("training",)


def property_files(modules: Sequence[str] = FAST + SLOW) -> list[Path]:
    """The files of `assay.sanity.properties`, in the order of the tiers."""
    return [FOLDER / f"{name}.py" for name in modules]


def property_names(modules: Sequence[str] = FAST + SLOW) -> list[str]:
    """The tests that these modules of `assay.sanity.properties` hold, without importing them."""
    return [test.name for test in _tests(modules)]


def drawn_names(modules: Sequence[str] = FAST + SLOW) -> list[str]:
    """Those of them for which Hypothesis draws examples."""
    return [test.name for test in _tests(modules) if any(map(_is_given, test.decorator_list))]


def _tests(modules: Sequence[str]) -> list[ast.FunctionDef]:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in property_files(modules))
    functions = (node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef))
    return [node for node in functions if node.name.startswith("test_")]


def _is_given(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("given")


def wanted_names(settings: "Settings", modules: Sequence[str] = FAST + SLOW) -> list[str]:
    """The properties that must run: all but those for which nothing is declared.

    One more is left to the model, which may know stoichiometry alone.
    """
    declared = {
        "test_declared_monotonic_relations_hold": settings.sanity.monotonic,
        "test_declared_symmetries_hold": settings.sanity.symmetric,
        "test_elements_have_their_known_value": settings.target.element_value is not None,
        "test_elements_without_properties_are_refused": False,
    }
    return [name for name in property_names(modules) if declared.get(name, True)]
