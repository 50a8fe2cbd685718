"""The command that shows a failed property again: pasted into a shell, it names that very test."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.records import Finding
from assay.report.comment import render_comment
from assay.report.page import render_page
from assay.sanity.suites import LONGEST, example_of, reproduction, told_with_command
from assay.texts import on_one_line
from hostile_strings import STRINGS
from rendered import Rendered
from report_samples import Tags, checks, finding, hand_over, inputs_of

TEST = "tests/test_own.py::TestOwn::test_it"
PASTED = [
    "Li2O", "a b", "it's", '"x"', "$HOME", "$(touch hacked)", "`touch hacked`", "`", "``a``",
    "a;b|c&d>e", "[[x]]", "*?~!", "\\n\\", "Na₂O-Å", "a]::b[c", "#1 @octocat", "<b>x</b>", "%0A",
    "'\"'\"'", "$'x'", "-",
]  # fmt: skip
UNSHOWN = ["a  b", "a\nb", "a\tb", "\u202ex", "\x1b[31m", "<!--", "`" * 10, "x" * LONGEST, "##[add"]


class _Code(Rendered):
    """Collects what stands in code, as somebody who copies it gets it."""

    def __init__(self, markdown: str) -> None:
        self.spans: list[str] = []
        super().__init__(markdown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag == "code":
            self.spans.append("")

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if self._depth and self.spans:
            self.spans[-1] += data


def _shown(folder: Path, node: str) -> tuple[_Code, Tags]:
    """Comment and page of a property that failed under this name."""
    broken = checks("sanity", finding(rule="test_it", message="It breaks.", node=node))
    inputs = inputs_of(hand_over(folder), sanity=broken)
    return _Code(render_comment(inputs)), Tags(render_page(inputs))


def _pasted(command: str, folder: Path) -> list[str]:
    """The words that a shell hands to pytest."""
    told = subprocess.run(
        ["bash", "--norc", "-c", f"pytest() {{ printf '%s\\0' \"$@\"; }}\n{command}"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return told.stdout.split("\0")[:-1]


@pytest.mark.parametrize("parameters", PASTED)
def test_command_survives_the_way_from_the_comment_into_a_shell(tmp_path: Path, parameters: str):
    """Brackets, quotes, `$` and backticks arrive as they were, and the shell runs none of them."""
    node = f"{TEST}[{parameters}]"
    command, note = reproduction(node)
    assert note == ""
    comment, page = _shown(tmp_path, node)
    (copied,) = (span for span in comment.spans if span.startswith("pytest"))
    assert copied == command
    assert command in page.text
    assert _pasted(copied, tmp_path) == ["-p", "assay.sanity.plugin", node]
    assert not (tmp_path / "hacked").exists()


def test_a_command_without_quotes_does_not_survive(tmp_path: Path):
    """The check bites: between double quotes, as it once was told, a shell runs what is inside."""
    _pasted(f'pytest -p assay.sanity.plugin "{TEST}[`touch hacked`]"', tmp_path)
    assert (tmp_path / "hacked").exists()


@pytest.mark.parametrize("parameters", UNSHOWN)
def test_what_cannot_be_shown_is_left_out_and_said_to_be(tmp_path: Path, parameters: str):
    """Then the command runs the test with all its parameters, and a clause says why."""
    command, note = reproduction(f"{TEST}[{parameters}]")
    assert command == f"pytest -p assay.sanity.plugin {TEST}"
    comment, page = _shown(tmp_path, f"{TEST}[{parameters}]")
    assert command in comment.spans
    assert f"({note})" in comment.running
    assert f"({note})" in page.text


@pytest.mark.parametrize(
    "node", ["", "-pevil", "@evil", "@evil[a]", "--co", "[x  y]", "a\nb::c", "x" * 600]
)
def test_where_there_is_no_command_none_is_shown(tmp_path: Path, node: str):
    """A name that would be an option of pytest's, or that no part can be shown of, has a clause."""
    command, note = reproduction(node)
    assert command == ""
    comment, _ = _shown(tmp_path, node)
    assert not [span for span in comment.spans if span.startswith("pytest")]
    assert not node or note in comment.running


@given(st.text(max_size=80))
def test_told_command_is_one_quoted_word_on_one_line(text: str):
    """Whatever a name holds, what is told of it needs no change to be shown on a terminal."""
    command, note = reproduction(text)
    assert bool(command) or bool(note)
    assert on_one_line(command) == command
    assert " ".join(command.split()) == command


def test_hostile_names_of_tests_stay_text(tmp_path: Path):
    """No name gives comment or page an element that a harmless one would not."""
    comment, page = _shown(tmp_path, "word")
    for text in STRINGS:
        for name in (text, f"{TEST}[{text}]"):
            seen, paged = _shown(tmp_path, name)
            assert seen.tags == comment.tags
            assert seen.triggers == []
            assert paged.tags == page.tags


def test_terminal_and_annotation_end_with_the_command():
    """The message comes first, then the example, and last what can be copied to the line's end."""
    usual = {"rule": "r", "severity": "failure", "message": "It breaks."}
    told = told_with_command(Finding.model_validate(usual | {"node": f"{TEST}[a b]"}))
    assert told == f"It breaks. Run: pytest -p assay.sanity.plugin '{TEST}[a b]'"
    found = usual | {"node": f"{TEST}[a\nb]", "example": "@reproduce_failure('1', b'A')"}
    assert told_with_command(Finding.model_validate(found)) == (
        "It breaks. Exactly this example: @reproduce_failure('1', b'A'). (All cases of the test, "
        "since the name of this one cannot be shown as it is.) "
        f"Run: pytest -p assay.sanity.plugin {TEST}"
    )
    assert told_with_command(Finding.model_validate(usual)) == "It breaks."


HYPOTHESIS = "@reproduce_failure('6.112.1', b'AXicY2BkAAIAAAcAAg==')"
FORGED = [
    "@reproduce_failure('1', b'A') or __import__('os').system('touch hacked')",
    "@reproduce_failure('1', b'A')\nimport hacked",
    "@reproduce_failure('1', b'A') ",
    "@reproduce_failure('1', b'A'.join(evil()))",
    "@reproduce_failure('1', b'\u0391')",
    "@reproduce_failure('\u0661', b'A')",
    "@evil",
    "import os",
]


@pytest.mark.parametrize("line", FORGED)
def test_example_that_hypothesis_did_not_print_is_not_shown(tmp_path: Path, line: str):
    """What a reviewer would paste is that one decorator or nothing, in all three places."""
    for example, shown in ((HYPOTHESIS, True), (line, False)):
        usual = {"rule": "test_it", "message": "It breaks.", "node": TEST, "example": example}
        broken = checks("sanity", finding(**usual))
        inputs = inputs_of(hand_over(tmp_path / str(shown)), sanity=broken)
        told = told_with_command(Finding.model_validate(usual | {"severity": "failure"}))
        comment, page = _Code(render_comment(inputs)), Tags(render_page(inputs))
        for words in (told, comment.running, page.text):
            assert ("his example" in words) == shown
        assert (HYPOTHESIS in comment.spans) == shown


def test_example_of_the_installed_hypothesis_is_shown():
    """The form that is let through is the one that Hypothesis prints today."""
    from hypothesis import __version__
    from hypothesis.core import encode_failure

    line = f"@reproduce_failure({__version__!r}, {encode_failure([1, 2.5, 'Fe'])!r})"
    kept = {"rule": "r", "severity": "failure", "message": "m", "example": line}
    assert example_of(Finding.model_validate(kept)) == line
