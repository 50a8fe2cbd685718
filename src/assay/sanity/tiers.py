"""Which properties there are, and in which order: the fast ones first, then those that train."""

import ast
from collections.abc import Sequence
from pathlib import Path

MARKER = "slow_sanity"
KIT = "assay.sanity.properties."
FOLDER = Path(__file__).resolve().with_name("properties")
FAST = ("spelling", "physics", "repetition", "refusal", "budget")
SLOW = ("training",)


def property_files(modules: Sequence[str] = FAST + SLOW) -> list[Path]:
    """The files of `assay.sanity.properties`, in the order of the tiers."""
    return [FOLDER / f"{name}.py" for name in modules]


def property_names(modules: Sequence[str] = FAST + SLOW) -> list[str]:
    """The tests that these modules of `assay.sanity.properties` hold, without importing them."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in property_files(modules))
    functions = (node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef))
    return [node.name for node in functions if node.name.startswith("test_")]
