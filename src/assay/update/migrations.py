"""Keys of `assay.toml` that a later version of assay calls otherwise, or has no more.

A version that renames, moves or removes a key adds a line to `MIGRATIONS`; nothing else is needed
for `assay update` to carry every repository's own value over, with its comment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Migration:
    """What a version did to a key, each as `section.key`; without `new` the key is gone."""

    version: str
    old: str
    new: str | None


MIGRATIONS: tuple[Migration, ...] = ()


def migrated(text: str, migrations: Sequence[Migration] = MIGRATIONS) -> str:
    """The text of an `assay.toml` with each key under its present name; comments stay.

    A key that has its present name already is left alone, so that all migrations may be applied to
    a text of any age.

    Raises:
        ValueError: the text is not TOML.
    """
    import tomlkit

    document = tomlkit.parse(text)
    for one in migrations:
        _apply(document, one)
    return tomlkit.dumps(document)


def _apply(document: Any, migration: Migration) -> None:
    *path, key = migration.old.split(".")
    table = _table(document, path)
    if table is None or key not in table:
        return
    if migration.new is None:
        table.remove(key)
        return
    *new_path, new_key = migration.new.split(".")
    target = _table(document, new_path)
    if target is not None and new_key in target:
        table.remove(key)
    elif path == new_path:
        _rename(document, path, key, new_key)
    else:
        value = table[key]
        table.remove(key)
        _made(document, new_path).append(new_key, value)


def _table(document: Any, path: Sequence[str]) -> Any:
    for name in path:
        document = document.get(name)
        if not isinstance(document, dict):
            return None
    return document


def _made(document: Any, path: Sequence[str]) -> Any:
    import tomlkit

    for name in path:
        if name not in document:
            document.append(name, tomlkit.table())
        document = document[name]
    return document


def _rename(document: Any, path: Sequence[str], key: str, new_key: str) -> None:
    """Rename a key where it stands: the table is made again, line by line."""
    import tomlkit

    old, new = _table(document, path), tomlkit.table()
    for name, item in old.value.body:
        new.raw_append(new_key if name is not None and name.key == key else name, item)
    for part in ("indent", "comment_ws", "comment", "trail"):
        setattr(new.trivia, part, getattr(old.trivia, part))
    _table(document, path[:-1])[path[-1]] = new
