"""Where the package makes its expected errors: code, exit code and sentence, read with `ast`."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BASE = "AssayError"
VALUE = "…"  # in a sentence, for what is known only when it is said

Modules = Mapping[str, ast.Module]


@dataclass(frozen=True)
class Construction:
    """One place where an error is made; `code` is empty where it is not a literal."""

    place: str
    code: str
    exit_code: int
    sentence: str


def modules(folder: Path) -> Modules:
    """The parsed modules of a package, by their path in it."""
    return {
        path.relative_to(folder).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.py"))
    }


def constructions(package: Modules) -> Iterator[Construction]:
    """Every call of `AssayError` or of a class that is derived from it, in order."""
    ends = exit_codes(package)
    shared = _texts(*package.values())
    for name, module in package.items():
        texts = shared | _texts(module)
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and _name(node.func) in ends:
                sentence = _sentence(node.args[0], texts) if node.args else VALUE
                place, end = f"{name}, line {node.lineno}", ends[_name(node.func)]
                yield Construction(place, _code(node), end, sentence)


def exit_codes(package: Modules) -> dict[str, int]:
    """The exit code of each kind of expected error: its own, or that of what it derives from."""
    classes = [
        node
        for module in package.values()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    ]
    known = {BASE: 0}
    for _ in classes:  # as often as classes can be derived from each other
        for one in classes:
            bases = [known[_name(base)] for base in one.bases if _name(base) in known]
            if bases or one.name == BASE:
                known[one.name] = _own_exit_code(one, *bases)
    return known


def _own_exit_code(one: ast.ClassDef, *inherited: int) -> int:
    for node in one.body:
        if isinstance(node, ast.Assign) and _name(node.targets[0]) == "exit_code":
            return int(ast.literal_eval(node.value))
    return inherited[0]


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _code(call: ast.Call) -> str:
    for given in call.keywords:
        if given.arg == "code" and isinstance(given.value, ast.Constant):
            return str(given.value.value)
    return ""


def _texts(*parsed: ast.Module) -> dict[str, str]:
    """The constants that are a text; of a name with two meanings none."""
    found: dict[str, str] = {}
    for module in parsed:
        for node in module.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                name, value = _name(node.targets[0]), node.value.value
                if isinstance(value, str) and name.isupper():
                    found[name] = value if found.get(name, value) == value else VALUE
    return found


def _sentence(node: ast.expr, texts: Mapping[str, str]) -> str:
    """The sentence with the mark for each value that only a run knows."""
    said = re.sub(r"\s+", " ", _said(node, texts))
    return re.sub(f"{VALUE}(?: ?{VALUE})+", VALUE, said)


def _said(node: ast.expr, texts: Mapping[str, str]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_said(part, texts) for part in parts)
        case ast.FormattedValue(value=value):
            return _said(value, texts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _said(left, texts) + _said(right, texts)
    return texts.get(_name(node), VALUE)
