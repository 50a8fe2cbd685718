"""Imports of src/assay lead downwards through the layers of docs/architecture.md."""

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PAGE = ROOT / "docs" / "architecture.md"
GROUND = "the ground"

Graph = Mapping[str, set[str]]


def drawn(page: str) -> dict[str, int]:
    """The height of each entry of the drawing: a package, or `package/module`; the ground is 0."""
    block = re.search(r"```text\n(cli .*?)```", page, re.DOTALL)
    assert block is not None, "the drawing of the layers is gone"
    lines = block[1].strip().splitlines()
    assert lines[-1] == GROUND
    return {
        entry.strip().replace("/", "."): height
        for height, line in enumerate(reversed(lines))
        for entry in line.split("·")
    }


def height(module: str, layers: Mapping[str, int]) -> int:
    """The height of a module: its own, that of its package, or the ground for all others."""
    name = module.removeprefix("assay.")
    package = name.partition(".")[0]
    return layers.get(name, layers.get(package, 0))


def imported() -> Graph:
    """Which module imports which, wherever in it the import stands."""
    names = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in SOURCE.rglob("*.py")
    }
    return {name: set(_imports(path, set(names))) - {name} for name, path in names.items()}


def _imports(path: Path, names: set[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module in names:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in names else node.module


def upward(graph: Graph, layers: Mapping[str, int]) -> list[str]:
    """Imports of a higher layer, and of another package in the same layer."""
    return [
        f"{module} imports {other}"
        for module, others in graph.items()
        for other in sorted(others)
        if _is_upward(module, other, layers)
    ]


def _is_upward(module: str, other: str, layers: Mapping[str, int]) -> bool:
    own, its = height(module, layers), height(other, layers)
    return its > own or (its == own and package(module) != package(other))


def package(module: str) -> str:
    """The package of a module, which is `assay` for those that lie in no other."""
    name = module.removeprefix("assay.").partition(".")[0]
    return name if (SOURCE / "assay" / name).is_dir() else "assay"


def test_imports_lead_to_lower_layers():
    """Whoever imports another package imports from a layer below its own."""
    layers = drawn(PAGE.read_text(encoding="utf-8"))
    assert upward(imported(), layers) == []


def test_every_drawn_entry_is_there():
    """The drawing names packages and modules that exist, and every package is in it."""
    known = {name.removeprefix("assay.") for name in imported()}
    layers = set(drawn(PAGE.read_text(encoding="utf-8"))) - {GROUND}
    packages = {path.parent.name for path in (SOURCE / "assay").glob("*/__init__.py")}
    assert layers <= known
    assert packages <= layers


def test_no_import_runs_in_a_circle():
    """The modules can be sorted so that each imports only those before it."""
    list(TopologicalSorter(imported()).static_order())


def test_planted_imports_are_found():
    """An import to a higher layer, between two packages of one layer, or in a circle is seen."""
    layers = {"verbs": 2, "batch": 1, "report": 1, GROUND: 0}
    planted = {"assay.batch.rows": {"assay.verbs.console", "assay.report.page", "assay.files"}}
    assert len(upward(planted, layers)) == 2
    with pytest.raises(CycleError):
        list(TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())
