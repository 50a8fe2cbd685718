"""Text of a pull request in GitHub's Markdown: as GitHub's own renderer reads it, it stays text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assay.layout import Handover
from assay.ledger.audit import HEADER
from assay.markdown import code, folded, picture, plain, table, worded
from assay.report.comment import MARKER, render_comment
from hostile_strings import STRINGS
from rendered import Rendered
from report_samples import (
    card,
    checks,
    commit_tables,
    finding,
    hand_over,
    inputs_of,
    verdict,
    write_tables,
)
from toy import write_rows

HARMLESS = "word"

Records = Callable[[str], dict[str, Any]]


def in_finding(field: str, check: str) -> Records:
    """Failures and warnings of a check that hold a text in one field."""

    def records(text: str) -> dict[str, Any]:
        told = {"formula": "TlBr", "file": "data/train.csv", "line": 3, field: text}
        found = [finding(**told), finding(**told, severity="warning")]
        return {check: checks(check, *found)}

    return records


def in_card(field: str) -> Records:
    """A candidate's card that holds a text in one field."""
    return lambda text: {"candidate": card(**{field: text})}


def in_verdict(field: str) -> Records:
    """A verdict that holds a text in one field: a revocation quotes the reason that was given."""
    return lambda text: {"verdict": verdict(outcome="FAIL", stage="revoked", **{field: text})}


FIELDS: dict[str, Records] = {
    **{
        f"{check}: {field}": in_finding(field, check)
        for check in ("schema", "sanity")
        for field in ("message", "formula", "file", "rule", "value")
    },
    **{f"card: {name}": in_card(name) for name in ("estimator", "correlation_id", "commit")},
    **{f"card: {name}": in_card(name) for name in ("model", "target", "unit")},
    "verdict: explanation": in_verdict("explanation"),
    "falsified: run": lambda text: {
        "sanity": checks("sanity", finding(formula="TlBr", message=f"It holds. Run: {text}"))
    },
    "metrics": lambda text: {"candidate": card(metrics={text: 1.0, "mae": 0.1})},
}


@pytest.fixture(scope="module")
def handed_over(tmp_path_factory: pytest.TempPathFactory) -> Handover:
    """An ordinary run that passed."""
    return hand_over(tmp_path_factory.mktemp("out"))


def rendered(handover: Handover, **records: Any) -> Rendered:
    """The comment about these records, as GitHub renders it."""
    return Rendered(render_comment(inputs_of(handover, **records)))


def assert_same(seen: Rendered, plain_one: Rendered) -> None:
    """Both have the same elements with the same attributes, and nothing for GitHub to act on."""
    assert seen.tags == plain_one.tags
    assert seen.triggers == []
    assert seen.comments == plain_one.comments == [MARKER[4:-3]]


def test_there_are_enough_hostile_strings():
    """The list is long, without repetition, and none of its strings vanishes."""
    assert len(set(STRINGS)) == len(STRINGS) >= 50
    assert all(code(text) for text in STRINGS)


@pytest.mark.parametrize("field", FIELDS)
def test_hostile_strings_stay_text_in_every_field(handed_over: Handover, field: str):
    """No string in any field of any record gives the comment an element, attribute or trigger."""
    records = FIELDS[field]
    harmless = rendered(handed_over, **records(HARMLESS))
    for text in STRINGS:
        assert_same(rendered(handed_over, **records(text)), harmless)


@pytest.mark.parametrize("column", ["row_id", "formula", "label", "extra column"])
def test_hostile_strings_stay_text_in_rows_of_the_train_set(tmp_path: Path, column: str):
    """The same for what a pull request writes into its table, which is listed as added rows."""
    handover = hand_over(tmp_path / "out")
    write_tables(tmp_path, handover)
    commit_tables(tmp_path)
    main = handover.train.read_text().splitlines()
    handover.predictions.unlink()  # ids like these could not be named in it

    def comment(text: str) -> Rendered:
        row = {"row_id": "t90000", "formula": "NaCl", "label": "0.5"} | {column: text}
        header = {"row_id": "row_id", "formula": "formula", "label": "formation_enthalpy"}
        write_rows(
            handover.train,
            [*header.values(), text if column == "extra column" else "note"],
            [*([*line.split(","), ""] for line in main[1:]), [*row.values(), ""][:4]],
        )
        return Rendered(render_comment(inputs_of(handover, root=tmp_path)))

    harmless = comment(HARMLESS)
    assert "added" in harmless.running
    for text in STRINGS:
        assert_same(
            comment(" ".join(text.split("\n")).replace("\0", "").replace("\r", " ")), harmless
        )


def test_hostile_strings_stay_text_in_the_history(handed_over: Handover):
    """Lines of the ledger quote reasons and commits: these stay text, too."""

    def comment(text: str) -> Rendered:
        history = (HEADER, tuple(text for _ in HEADER))
        return rendered(handed_over, history=history)

    harmless = comment(HARMLESS)
    for text in STRINGS:
        assert_same(comment(text), harmless)


def test_check_for_text_bites(handed_over: Handover, monkeypatch: pytest.MonkeyPatch):
    """Shown as they are, most of the strings are found, and every kind of harm among them."""
    harmless = rendered(handed_over, **FIELDS["card: estimator"](HARMLESS))
    monkeypatch.setattr("assay.report.comment.code", lambda text, *_, **__: text or HARMLESS)
    caught, tags = 0, set()
    for text in STRINGS:
        seen = rendered(handed_over, **FIELDS["card: estimator"](text))
        tags |= {tag for tag, _ in seen.tags}
        caught += bool(seen.triggers) or seen.tags != harmless.tags
    assert caught > 50
    assert {"a", "img", "h1", "svg", "form", "base"} <= tags  # a filter of GitHub's stops scripts


@given(st.text(max_size=300), st.booleans())
def test_code_span_holds_any_text(text: str, cell: bool):
    """Any text whatever becomes exactly one code span, or nothing, on one line."""
    span = code(text, cell=cell)
    if not span:
        return
    (inline,) = [
        token for token in MarkdownIt("commonmark").parse(f"x {span} y") if token.type == "inline"
    ]
    kinds = [child.type for child in inline.children or []]
    assert kinds == ["text", "code_inline", "text"]
    assert not cell or "|" not in span


@given(st.text(max_size=300))
def test_plain_text_has_nothing_to_act_on(text: str):
    """A sentence put into running text keeps no character of Markdown, HTML or GitHub."""
    assert not set(plain(text)) & set("@#[]`*|\\>!~\n{}_$")
    assert "//" not in plain(text)


@given(st.text(max_size=300))
def test_worded_text_is_plain_and_code(text: str):
    """Backticks make code and nothing else does, whatever stands around and in them."""
    seen = Rendered(f"x {worded(text)} y")
    assert {tag for tag, _ in seen.tags} <= {"p", "code"}


def test_commands_in_a_sentence_become_code():
    """Punctuation stays beside the command it follows."""
    assert worded("run `assay plan`, then (`assay score`).") == (
        "run `assay plan`, then (`assay score`)."
    )


def test_table_and_fold_are_read_as_such():
    """Figures stand to the right, and Markdown inside a fold is still Markdown."""
    seen = Rendered(folded("More", table(["a", "b"], [["**x**", "1"]], 1)))
    names = [tag for tag, _ in seen.tags]
    assert names[:2] == ["details", "summary"]
    assert {"table", "strong"} <= set(names)
    assert ("td", (("align", "right"),)) in seen.tags


@pytest.mark.parametrize("text", STRINGS)
def test_hostile_strings_stay_words_of_a_picture(text: str):
    """Alt text and address hold whatever comes: one image, its width, and nothing beside it."""
    seen = Rendered(f"x\n\n{picture(text, text, 390)}\n\ny")
    ((name, found),) = (tag for tag in seen.tags if tag[0] != "p")
    assert name == "img"
    assert [key for key, _ in found] == ["src", "alt", "width"]
    assert seen.running.split() == ["x", "y"]
    assert seen.comments == []
    assert not set(dict(found)["alt"] or "") & set('@#[]`*|\\>!~\n{}$"')


@pytest.mark.parametrize("blank", ["\u3164", "\u2800\u2800", "\uffa0 \u115f", "\u200b", "\u034f"])
def test_what_is_drawn_as_nothing_is_no_text(blank: str):
    """A finding of invisible letters leaves no empty code span, and hides no end of a line."""
    assert code(blank) == ""
    assert code(f"a{blank}b") == "`a b`"
    assert plain(blank) == ""
