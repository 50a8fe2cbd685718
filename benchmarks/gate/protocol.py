"""The whole protocol: its jobs, its findings, and the record that is kept of a run."""

import ast
import hashlib
import platform
from dataclasses import asdict
from types import ModuleType
from typing import Any

import numpy as np
import scipy
from benchmarks.gate import (
    attacks,
    bars,
    boundary,
    class_rarities,
    creep,
    example,
    groupings,
    learners,
    lookups,
    metrics,
    power,
    pushes,
    rarities,
    replay,
    reseeds,
    rows,
    transport,
)
from benchmarks.gate.findings import Finding
from benchmarks.gate.tables import ROOT
from benchmarks.gate.workers import Job, run

ITEMS: tuple[ModuleType, ...] = (
    attacks,
    boundary,
    rarities,
    class_rarities,
    metrics,
    replay,
    example,
    pushes,
    power,
    transport,
    reseeds,
    creep,
    learners,
    lookups,
    rows,
    groupings,
)
MODULES = (
    "gate/decision",
    "gate/comparisons",
    "gate/guards",
    "gate/metrics",
    "gate/policy",
    "gate/remedies",
    "gate/statistics",
)
# A text of so many words is said to people.
SENTENCE = 3


def jobs(size: bars.Size) -> list[Job]:
    """Everything there is to run, what takes longest first."""
    return [job for item in ITEMS for job in item.jobs(size)]


def carry_out(size: bars.Size, workers: int) -> tuple[list[Finding], dict[str, float]]:
    """All findings in the order of the items, and the processor seconds of each item."""
    results, seconds = run(jobs(size), workers)
    found = [finding for item in ITEMS for finding in item.findings(results)]
    return sorted(found, key=lambda finding: int(finding.item.split()[0])), seconds


def record(size: bars.Size, found: list[Finding], seconds: dict[str, float]) -> dict[str, Any]:
    """What is written down of a run."""
    return {
        "size": asdict(size),
        "seed": bars.SEED,
        "sealed_rows": list(bars.SEALED_ROWS),
        "pull_requests": bars.PULL_REQUESTS,
        "gate": gate_digest(),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        "processor_minutes": {name: round(taken / 60, 1) for name, taken in seconds.items()},
        "findings": [finding.as_record() for finding in found],
    }


def gate_digest() -> str:
    """SHA-256 of what the gate's modules do: comments, imports and what they say are left out."""
    trees = [
        _bare((ROOT / "src" / "assay" / f"{name}.py").read_text(encoding="utf-8"))
        for name in MODULES
    ]
    return hashlib.sha256("\n".join(trees).encode()).hexdigest()


def _bare(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [part for part in body if not _does_nothing(part)]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.dump(_Wordless().visit(tree))


class _Wordless(ast.NodeTransformer):
    """Takes out sentences: how a verdict is told is not what the gate does."""

    def visit_JoinedStr(self, _: ast.JoinedStr) -> ast.Constant:
        return ast.Constant("")

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if len(str(node.value).split()) >= SENTENCE else node


def _does_nothing(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Import | ast.ImportFrom)  # where modules stand is not what they do
