"""Where the package makes its expected errors: code, exit code and sentence, read with `ast`.

`python scripts/error_codes.py` writes `tests/error_sentences.txt`, so that a review sees each
changed sentence in one place.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BASE = "AssayError"
ROOT = Path(__file__).parents[1]
SNAPSHOT = ROOT / "tests" / "error_sentences.txt"
VALUE = "…"  # in a sentence, for what is known only when it is said
# Classes that carry a sentence to where an error is made of it: code, exit code and sentence.
CARRIERS = {
    "Decision": ("verdict.not-pass", 1, "{outcome}: {explanation}."),
    "WheelFault": ("wheel.not-as-pinned", 3, "{file}: {sentence}."),
}

Modules = Mapping[str, ast.Module]
Texts = Mapping[str, str]


@dataclass(frozen=True)
class Construction:
    """One place where an error is made; `code` is empty where it is not a literal."""

    place: str
    code: str
    exit_code: int
    sentence: str


@dataclass(frozen=True)
class Maker:
    """A function that only makes one error, or carrier of a sentence, of what it is given."""

    module: str
    function: ast.FunctionDef
    made: ast.Call

    def texts(self, call: ast.Call, given: Texts, own: Texts) -> Texts:
        """The texts that the function's names stand for in this call of it."""
        names = self.function.args
        unset = dict.fromkeys((one.arg for one in names.args), VALUE)
        ends = zip(names.args[::-1], names.defaults[::-1], strict=False)
        usual = {one.arg: _said(value, own) for one, value in ends}
        words = {one.arg or "": _said(one.value, given) for one in call.keywords}
        listed = zip(names.args, call.args, strict=False)
        known = {**own, **unset, **usual, **words, **{n.arg: _said(v, given) for n, v in listed}}
        return {**known, **_texts(ast.walk(self.function), known)}


def modules(folder: Path) -> Modules:
    """The parsed modules of a package, by their path in it."""
    return {
        path.relative_to(folder).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.py"))
    }


def constructions(package: Modules) -> Iterator[Construction]:
    """Every call of `AssayError` or of a class that is derived from it, in order.

    A function that only makes one is read at each call of it.
    """
    ends = exit_codes(package)
    makers = _makers(package, [*ends, *CARRIERS])
    inner = {id(maker.made) for maker in makers.values()}
    own_sentences = _constructors(package)
    own: dict[str, Texts] = {name: {} for name in package}
    for _ in range(3):  # own texts, those that are made of imported ones, and their importers
        own = {name: _with_imported(module, own) for name, module in package.items()}
    for name, module in package.items():
        for call, texts in _calls(module, own[name]):
            place, made, said = f"{name}, line {call.lineno}", call, texts
            if (maker := makers.get(_named(name, _name(call.func)))) is not None:
                made, said = maker.made, maker.texts(call, texts, own[maker.module])
            elif id(call) in inner:
                continue
            if (kind := _name(made.func)) in ends:
                sentence = _sentence(*_made(made, own_sentences.get(kind), said))
                yield Construction(place, _code(made), ends[kind], sentence)
            elif kind in CARRIERS:
                yield _carried(place, made, _fields(package, kind), said)


def listed(made: Iterable[Construction]) -> list[Construction]:
    """The constructions without passes, and those that say values alone if others say more."""
    found = [one for one in made if not one.sentence.startswith("PASS: ")]
    in_words = {one.code for one in found if re.search(r"\w", one.sentence)}
    return [one for one in found if one.code not in in_words or re.search(r"\w", one.sentence)]


def _named(module: str, function: str) -> tuple[str, str]:
    """What a call in a module may mean: a private function of it, or a public one of any."""
    return (module if function.startswith("_") else "", function)


def _makers(package: Modules, kinds: Sequence[str]) -> dict[tuple[str, str], Maker]:
    """The functions that end by returning their only call of these kinds, and that are called."""
    found: dict[tuple[str, str], list[Maker]] = {}
    for name, module in package.items():
        for node in module.body:
            if isinstance(node, ast.FunctionDef):
                calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
                made = [one for one in calls if _name(one.func) in kinds]
                last = node.body[-1]
                if len(made) == 1 and isinstance(last, ast.Return) and last.value is made[0]:
                    same = found.setdefault(_named(name, node.name), [])
                    same.append(Maker(name, node, made[0]))
    called = {
        _named(name, _name(node.func))
        for name, module in package.items()
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
    }
    return {name: same[0] for name, same in found.items() if len(same) == 1 and name in called}


def _fields(package: Modules, kind: str) -> list[str]:
    """The fields of a dataclass, in order."""
    (node,) = (
        node
        for module in package.values()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and node.name == kind
    )
    return [
        one.target.id
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    ]


def _carried(place: str, call: ast.Call, fields: Sequence[str], texts: Texts) -> Construction:
    """The error that is made of what a carrier is given."""
    code, exit_code, sentence = CARRIERS[_name(call.func)]
    given = {**dict(zip(fields, call.args, strict=False)), **_words(call)}
    said = {name: _sentence(value, texts) for name, value in given.items()}
    return Construction(place, code, exit_code, sentence.format_map(said))


def _words(call: ast.Call) -> dict[str, ast.expr]:
    return {one.arg: one.value for one in call.keywords if one.arg is not None}


def snapshot(made: Iterable[Construction]) -> str:
    """A line for each distinct code, exit code and sentence, sorted."""
    lines = {f"{one.code} {one.exit_code} {one.sentence}\n" for one in listed(made)}
    return "".join(sorted(lines))


def _calls(node: ast.AST, texts: Texts) -> Iterator[tuple[ast.Call, Texts]]:
    """Every call with the texts that its names stand for."""
    if isinstance(node, ast.FunctionDef):
        texts = {**texts, **_texts(ast.walk(node), texts)}
    if isinstance(node, ast.Call):
        yield node, texts
    for block in _blocks(node):
        inner = {**texts, **_texts(block, texts)}
        for child in block:
            yield from _calls(child, inner)


def _blocks(node: ast.AST) -> Iterator[list[ast.AST]]:
    """The parts of a node: a list of statements that run one after the other, or a child alone."""
    for _, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield value
            continue
        parts = value if isinstance(value, list) else [value]
        yield from ([one] for one in parts if isinstance(one, ast.AST))


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
