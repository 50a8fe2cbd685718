"""A Sphinx extension that writes the parts of the reference which follow from the code.

A page in docs/reference holds `<!-- generated: NAME -->` where such a part belongs. The comment
is invisible on GitHub; on the site the part of that name stands in its place.
"""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from error_codes import Construction, constructions, listed, modules

MARK = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n        .+)*)", re.MULTILINE)
LONG = 28  # characters of code in a cell
LIMITS = {
    "exclusiveMinimum": "above",
    "minimum": "at least",
    "exclusiveMaximum": "below",
    "maximum": "at most",
}


def setup(app: Any) -> dict[str, bool]:
    """Fill every page that is read, and let long names in tables break."""
    app.connect("source-read", lambda _, __, source: source.__setitem__(0, filled(source[0])))
    app.connect("doctree-read", lambda _, page: mark_long(page))
    return {"parallel_read_safe": True}


def mark_long(page: Any) -> None:
    """Give code of a table the class `long` where it would make its column wide."""
    from docutils import nodes

    for cell in page.findall(nodes.entry):
        for code in cell.findall(nodes.literal):
            if len(code.astext()) > LONG:
                code["classes"].append("long")


def filled(text: str) -> str:
    """The text of a page with each generated part in its place.

    Raises:
        KeyError: no part has the name that the page gives.
    """
    return MARK.sub(lambda found: PARTS[found[1]](), text)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in r] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def verbs() -> str:
    """Every verb of the command line with its arguments and options."""
    from typer.main import get_command

    from assay.cli import app

    return "\n\n".join(_command("assay", get_command(app)))


def _command(name: str, command: Any) -> Iterator[str]:
    import typer

    context = typer.Context(command)
    yield f"## `{name}`"
    yield inspect.cleandoc(command.help or "")
    told = filter(None, (one.get_help_record(context) for one in command.params))
    if rows := [[f"`{names}`", what] for names, what in told]:
        yield table(["argument or option", "what it does"], rows)
    for own in command.list_commands(context) if hasattr(command, "list_commands") else ():
        verb = command.get_command(context, own)
        if not verb.hidden:
            yield from _command(f"{name} {own}", verb)


def settings() -> str:
    """Every table and key of `assay.toml`, as its models read it."""
    from assay.settings import Settings

    return "\n\n".join(_section("", Settings, several=False))


def _section(name: str, section: type[BaseModel], *, several: bool) -> Iterator[str]:
    if name:
        yield f"## `[[{name}]]`" if several else f"## `[{name}]`"
        yield _summary(section)
    schemas = section.model_json_schema()
    told = explained(section)
    rows, inner, parts = [], [], []
    for key, field in section.model_fields.items():
        models = models_in(field.annotation)
        if models:
            inner.append((f"{name}.{key}".lstrip("."), models[0]))
        if not name:
            parts += [] if models else [f"## `[{key}]`", told[key]]
            continue
        default = "required" if field.is_required() else f"`{_toml(field.default)}`"
        kind = "tables, below" if models else _kind(schemas["properties"][key])
        rows.append([f"`{key}`", told[key], kind, default])
    if rows:
        yield table(["key", "meaning", "value", "default"], rows)
    for path, model in inner:
        yield from _section(path, model, several="." in path)
    yield from parts


def _summary(section: type[BaseModel]) -> str:
    return inspect.cleandoc(section.__doc__ or "").partition("\nAttributes:")[0].strip()


def explained(section: type[BaseModel]) -> Mapping[str, str]:
    """What the docstring of a table says of each of its keys."""
    ours = [one for one in reversed(section.__mro__) if one.__module__.startswith("assay.")]
    texts = [inspect.cleandoc(one.__doc__ or "") for one in ours]
    own = "\n".join(text.partition("\nAttributes:")[2] for text in texts)
    return {key: re.sub(r"\s+", " ", told) for key, told in ATTRIBUTE.findall(own)}


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The tables that the type of a key holds."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def _toml(value: Any) -> str:
    import tomlkit

    if value is None:
        return "none"
    if value == {}:
        return "{}"
    return tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string()


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return _kind(next(one for one in schema["anyOf"] if one.get("type") != "null"))
    if "enum" in schema:
        return ", ".join(f'`"{one}"`' for one in schema["enum"])
    if schema.get("type") == "array":
        inner = schema.get("items") or schema["prefixItems"][0]
        return f"list: {_kind(inner)}"
    if schema.get("type") == "object":
        return "table"
    kind = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    limits = [f"{word} {schema[key]:g}" for key, word in LIMITS.items() if key in schema]
    return ", ".join([kind.get(schema["type"], schema["type"]), *limits])


def properties() -> str:
    """Every sanity property, with the sentence that its docstring states."""
    from assay.sanity.suites import FAST, SLOW

    parts = []
    for names, suite in ((FAST, "fast"), (SLOW, "slow")):
        rows = [row for name in names for row in _properties(name)]
        parts += [f"## The {suite} suite", table(["kind", "property", "what must hold"], rows)]
    return "\n\n".join(parts)


def _properties(name: str) -> Iterator[list[str]]:
    from assay.sanity.suites import property_files

    (path,) = property_files([name])
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            told = (ast.get_docstring(node) or "").partition("\n\n")[0]
            yield [name, f"`{node.name}`", re.sub(r"\s+", " ", told)]


def errors() -> str:
    """Every code of an expected error with its exit code and sentences, by area."""
    import assay

    found: dict[str, dict[str, list[Construction]]] = {}
    for one in listed(constructions(modules(Path(assay.__file__).parent))):
        if one.code:
            area = found.setdefault(one.code.partition(".")[0], {})
            area.setdefault(one.code, []).append(one)
    return "\n\n".join(part for area in sorted(found) for part in _area(area, found[area]))


def _area(name: str, codes: Mapping[str, Sequence[Construction]]) -> Iterator[str]:
    yield f"## {name}"
    rows = []
    for code in sorted(codes):
        said = dict.fromkeys(one.sentence for one in codes[code])
        rows.append([f"`{code}`", str(codes[code][0].exit_code), " <br> ".join(said)])
    yield table(["code", "exit code", "sentence"], rows)


PARTS = {"errors": errors, "properties": properties, "settings": settings, "verbs": verbs}
