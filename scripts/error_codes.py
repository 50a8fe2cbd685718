"""Where the package makes its expected errors: code, exit code and sentence, read with `ast`.

`python scripts/error_codes.py` writes `tests/error_sentences.txt`, so that a review sees each
changed sentence in one place.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BASE = "AssayError"
ROOT = Path(__file__).parents[1]
SNAPSHOT = ROOT / "tests" / "error_sentences.txt"
VALUE = "…"  # in a sentence, for what is known only when it is said

Modules = Mapping[str, ast.Module]
Texts = Mapping[str, str]


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
    own_sentences = _constructors(package)
    own: dict[str, Texts] = {name: {} for name in package}
    for _ in range(3):  # own texts, those that are made of imported ones, and their importers
        own = {name: _with_imported(module, own) for name, module in package.items()}
    for name, module in package.items():
        for call, texts in _calls(module, own[name]):
            if (kind := _name(call.func)) in ends:
                sentence = _sentence(*_made(call, own_sentences.get(kind), texts))
                yield Construction(f"{name}, line {call.lineno}", _code(call), ends[kind], sentence)


def snapshot(made: Iterable[Construction]) -> str:
    """A line for each distinct code, exit code and sentence, sorted."""
    lines = {f"{one.code} {one.exit_code} {one.sentence}\n" for one in made}
    return "".join(sorted(lines))


def _calls(node: ast.AST, texts: Texts) -> Iterator[tuple[ast.Call, Texts]]:
    """Every call with the texts that its names stand for."""
    if isinstance(node, ast.FunctionDef):
        texts = {**texts, **_texts(ast.walk(node), texts)}
    if isinstance(node, ast.Call):
        yield node, texts
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, texts)


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


def _constructors(package: Modules) -> dict[str, ast.FunctionDef]:
    """The constructors by class, where a class makes its sentence of what it is given."""
    return {
        one.name: init
        for module in package.values()
        for one in ast.walk(module)
        if isinstance(one, ast.ClassDef) and one.name != BASE
        for init in one.body
        if isinstance(init, ast.FunctionDef) and init.name == "__init__"
    }


def _made(
    call: ast.Call, constructor: ast.FunctionDef | None, texts: Texts
) -> tuple[ast.expr, Texts]:
    """What is handed to the base class, and the texts that its names stand for."""
    if constructor is None:
        return (call.args[0] if call.args else ast.Name(VALUE)), texts
    names = [one.arg for one in constructor.args.args[1:]]
    given = {name: _said(value, texts) for name, value in zip(names, call.args, strict=False)}
    (handed,) = (
        node
        for node in ast.walk(constructor)
        if isinstance(node, ast.Call) and _name(node.func) == "__init__"
    )
    return handed.args[0], {**texts, **given}


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


def _texts(nodes: Iterable[ast.AST], known: Texts) -> dict[str, str]:
    """The text that each name is given; of a name that is given two it is not known which."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and (name := _name(node.targets[0])):
            text = _said(node.value, {**known, **found})
            found[name] = text if found.get(name, text) == text else VALUE
        if isinstance(node, ast.FunctionDef):
            found[f"{node.name}()"] = _returned(node, {**known, **found})
    return found


def _returned(function: ast.FunctionDef, known: Texts) -> str:
    """The texts that a function gives; empty and unknown ones make all of them unknown."""
    inner = [node for part in function.body for node in ast.walk(part)]
    texts = {**known, **_texts(inner, known)}
    values = [node.value for node in inner if isinstance(node, ast.Return)]
    return _choice([_said(value, texts) if value else "" for value in values])


def _choice(texts: Iterable[str]) -> str:
    distinct = list(dict.fromkeys(texts))
    return VALUE if not distinct or {"", VALUE} & set(distinct) else " / ".join(distinct)


def _with_imported(module: ast.Module, own: Mapping[str, Texts]) -> Texts:
    """The texts of a module, and those of the package that it imports by their names."""
    found: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            texts = own.get(f"{node.module.removeprefix('assay.').replace('.', '/')}.py", {})
            names = ((one.name, one.asname or one.name) for one in node.names)
            found.update({here: texts[name] for name, here in names if name in texts})
    return found | _texts(module.body, found)


def _sentence(node: ast.expr, texts: Texts) -> str:
    """The sentence with the mark for each value that only a run knows."""
    said = re.sub(r"\s+", " ", _said(node, texts))
    return re.sub(f"{VALUE}(?: ?{VALUE})+", VALUE, said)


def _said(node: ast.expr, texts: Texts) -> str:
    said = VALUE
    match node:
        case ast.Constant(value=str(text)):
            said = text
        case ast.JoinedStr(values=parts):
            said = "".join(_said(part, texts) for part in parts)
        case ast.FormattedValue(value=value):
            said = _said(value, texts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            said = _said(left, texts) + _said(right, texts)
        case ast.IfExp(body=one, orelse=other):
            said = _choice([_said(one, texts), _said(other, texts)])
        case ast.Call(func=ast.Name(id=name)):
            said = texts.get(f"{name}()", VALUE)
        case ast.Name(id=name):
            said = texts.get(name, VALUE)
    return said


if __name__ == "__main__":
    found = constructions(modules(ROOT / "src" / "assay"))
    SNAPSHOT.write_text(snapshot(found), encoding="utf-8")
