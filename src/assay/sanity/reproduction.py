"""The command that shows a failed property again, to be copied from wherever it is shown.

The name of a test is text of the pull request: a parametrised one may hold any character.
"""

import re
import shlex

from assay.records import Finding
from assay.sanity.tiers import KIT
from assay.texts import on_one_line

PLUGIN = "assay.sanity.plugin"
LONGEST = 500

# what is altered before it is shown in a comment, see `report.markdown.code`
_ALTERED = re.compile("`{10,}|<!--")
# as Hypothesis prints it, and nothing beside it that a reviewer would paste along
_EXAMPLE = re.compile(r"@reproduce_failure\('[\d.]+', b'[A-Za-z0-9+/=\\]*'\)", re.ASCII)
_ALL_CASES = "all cases of the test, since the name of this one cannot be shown as it is"
_NO_COMMAND = "the name of its test cannot be shown as it is"


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
