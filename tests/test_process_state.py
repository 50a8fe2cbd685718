"""What a process keeps: no counter or list beside the values that are handed on."""

import ast
from pathlib import Path

import pytest

import assay

SOURCES = sorted(Path(assay.__file__).parent.rglob("*.py"))
# a process has one clock, and moving it is what this is for
MEANT = {"clocks.py": ["Clock.ahead"]}
CHANGING = {"append", "extend", "add", "update", "clear", "pop", "setdefault"}


def kept_by_the_process(source: str) -> list[str]:
    """What the code changes that outlives its caller: of a module or of one of its classes."""
    tree = ast.parse(source)
    classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    assigned = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    names = {
        target.id
        for node in assigned
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    found = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            match node:
                case ast.Global():
                    found += node.names
                case ast.Attribute(ast.Name(name), attribute, ast.Store()) if name in classes:
                    found.append(f"{name}.{attribute}")
                case ast.Subscript(ast.Name(name), _, ast.Store()) if name in names:
                    found.append(name)
                case ast.Call(ast.Attribute(ast.Name(name), method)) if name in names:
                    found += [name] if method in CHANGING else []
    return found


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("class A:\n    n = 0\n    def f(self):\n        A.n += 1", "A.n"),
        ("FOUND: list[str] = []\ndef f():\n    FOUND.append('a')", "FOUND"),
        ("SEEN = {}\ndef f(key):\n    SEEN[key] = 1", "SEEN"),
        ("n = 0\ndef f():\n    global n\n    n += 1", "n"),
    ],
)
def test_planted_state_is_found(source, kept):
    """A counter of a class, a list, a mapping and a number of a module are each noticed."""
    assert kept in kept_by_the_process(source)


def test_no_function_changes_what_the_process_keeps():
    """Counts and findings are values, or lie in an object that the caller has."""
    found = {path.name: kept_by_the_process(path.read_text()) for path in SOURCES}
    assert {name: kept for name, kept in found.items() if kept} == MEANT


def test_the_garbage_collector_is_told_in_one_place():
    """One module freezes and unfreezes, each at one line, so that the two stay a pair."""
    calls = [
        (path.name, word)
        for path in SOURCES
        for word in ("gc.freeze(", "gc.unfreeze(")
        for _ in range(path.read_text().count(word))
    ]
    assert calls == [("shards.py", "gc.freeze("), ("shards.py", "gc.unfreeze(")]
