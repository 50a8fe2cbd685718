"""The fast and the slow suite, and the command that shows a failed property again."""

import ast
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assay.records import Finding
from assay.texts import on_one_line

if TYPE_CHECKING:
    from assay.settings import Settings

MARKER = "slow_sanity"
# the word by which a run of the author's tests may start its slow suite
GO, WITHHOLD = b"+", b"-"
KIT = "assay.sanity.properties."
FOLDER = Path(__file__).resolve().with_name("properties")
FAST = ("spelling", "physics", "repetition", "refusal", "budget")
SLOW = ("training",)
PLUGIN = "assay.sanity.plugin"
LONGEST = 500

# what is altered before it is shown in a comment, see `report.markdown.code`
_ALTERED = re.compile("`{10,}|<!--")
# as Hypothesis prints it, and nothing beside it that a reviewer would paste along
_EXAMPLE = re.compile(r"@reproduce_failure\('[\d.]+', b'[A-Za-z0-9+/=\\]*'\)", re.ASCII)
_ALL_CASES = "all cases of the test, since the name of this one cannot be shown as it is"
_NO_COMMAND = "the name of its test cannot be shown as it is"


def property_files(modules: Sequence[str] = FAST + SLOW) -> list[Path]:
    """The files of `assay.sanity.properties`, in the order of the suites."""
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


def reproduction(node: str) -> tuple[str, str]:
    """The command for a POSIX shell, and what to say of it, if anything.

    Args:
        node: pytest's id of the test, not to be trusted: it becomes one quoted word.

    Returns:
        The command and "". Where showing it on one line of a comment, a page or a terminal would
        alter it, that for all parameters of the test and a clause that says so; where that is no
        better, "" and a clause.
    """
    for name, note in ((node, ""), (node.partition("[")[0], _ALL_CASES)):
        named = ["--pyargs", name] if name.startswith(KIT) else [name]
        command = shlex.join(["pytest", "-p", PLUGIN, *named])
        # pytest takes a dash for an option, and reads options from a file @name
        if name and name[0] not in "-@" and _is_shown_unaltered(command):
            return command, note
    return "", _NO_COMMAND


def _is_shown_unaltered(command: str) -> bool:
    line = " ".join(on_one_line(command).split())
    return line == command and len(line) <= LONGEST and not _ALTERED.search(line)


def example_of(finding: Finding) -> str:
    """The line that makes Hypothesis try the very same example, or "" where it is anything else."""
    line = finding.example or ""
    return line if _EXAMPLE.fullmatch(line) else ""


def told_with_command(finding: Finding) -> str:
    """What a finding says and, of a failed property, how to see it again: the command is last."""
    parts = [finding.message]
    if example := example_of(finding):
        parts.append(f"Exactly this example: {example}.")
    if finding.node:
        command, note = reproduction(finding.node)
        parts += [f"({note[0].upper()}{note[1:]}.)"] if note else []
        parts += [f"Run: {command}"] if command else []
    return " ".join(parts)
