"""The report page: self-contained, safe against its own contents, with the right pictures."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from assay.report import page as page_module
from assay.report.inputs import ReportInputs
from assay.report.page import render_page
from hostile_strings import STRINGS
from report_samples import (
    Tags,
    card,
    checks,
    commit_tables,
    finding,
    hand_over,
    inputs_of,
    settings,
    verdict,
    write_tables,
)
from toy import write_rows


def _page(folder: Path, *, kind: str = "number", reference: bool = True, **records: Any) -> Tags:
    handover = hand_over(folder / "out", **records)
    predictions = write_tables(folder, handover, kind=kind)
    shifted = {row: value + 0.01 for row, value in predictions.items() if row != "p00000"}
    inputs = ReportInputs(
        handover,
        settings(kind=kind, unit="eV/atom" if kind == "number" else "1"),
        folder,
        shifted if reference else None,
        "https://example.org/runs/1",
    )
    return Tags(render_page(inputs))


def test_page_loads_nothing(tmp_path: Path) -> None:
    """No style sheet, picture, font or script from elsewhere; the only address is a link."""
    page = _page(tmp_path)
    assert not page.names & {"link", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "data"):
            address = attributes.get(name) or ""
            inside = address.startswith(("#", "data:image/png;base64,")) or not address
            assert inside or (tag == "a" and address == "https://example.org/runs/1")
        assert not [name for name in attributes if name.startswith("on")]


def test_page_shows_verdict_numbers_and_provenance(tmp_path: Path) -> None:
    """Verdict, fixed gate line, public numbers, and every digest are on the page."""
    text = _page(tmp_path).text
    for part in ("PASS", "confirmed on the sealed set", "sealed use 14/100", "0.1012"):
        assert part in text
    assert text.count("3f9a" * 16) >= 7
    assert "assay-77e2" in text


def test_number_has_parity_and_class_has_reliability(tmp_path: Path) -> None:
    """Each kind of target gets its own pictures, with units on the axes."""
    number, yes_no = _page(tmp_path / "a").text, _page(tmp_path / "b", kind="class").text
    for part in ("Parity", "Residuals", "measured formation enthalpy (eV/atom)", "predicted (eV/"):
        assert part in number
        assert part not in yes_no
    for part in ("Reliability", "Scores", "predicted probability", "Brier score"):
        assert part in yes_no
        assert part not in number


def test_coverage_is_told_for_a_number_alone(tmp_path: Path) -> None:
    """The interval's coverage stands among the numbers and by its picture; a class has neither."""
    page = _page(tmp_path / "number")
    told = [f"Coverage of the 90% interval, {which}" for which in ("new groups", "rows at random")]
    assert all(name in page.text for name in told)
    assert "intervals made from half of the groups hold" in page.text
    page = _page(tmp_path / "class", kind="class")
    assert "Coverage of the" not in page.text
    assert "half of the groups" not in page.text


def test_change_on_pool_needs_a_reference(tmp_path: Path) -> None:
    """Candidate and reference are drawn on the rows they share, and only if there is one."""
    assert "59 unlabelled compositions" in _page(tmp_path / "a").text
    assert "Candidate and reference" not in _page(tmp_path / "b", reference=False).text


def test_only_our_own_script_is_allowed_to_run(tmp_path: Path) -> None:
    """The policy names the digest of the one script, and allows nothing else by name or place."""
    page = _page(tmp_path)
    (policy,) = (given["content"] for tag, given in page.tags if given.get("http-equiv"))
    (script,) = re.findall(r"<script>(.*?)</script>", page.page, flags=re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in str(policy)
    assert str(policy).startswith("default-src 'none'")
    assert len(script) < 2000
    assert [given for tag, given in page.tags if tag == "script"] == [{}]


def _hostile(text: str, severity: str) -> dict[str, Any]:
    told = dict.fromkeys(("message", "formula", "file", "rule", "value"), text)
    found = finding(**told, line=3, severity=severity)
    words = ("estimator", "correlation_id", "commit", "model", "target", "unit")
    return {
        "schema": checks("schema", found),
        "sanity": checks("sanity", found),
        "candidate": card(**dict.fromkeys(words, text), metrics={text: 1.0}),
        "verdict": verdict(outcome="FAIL", stage="revoked", explanation=text),
        "history": (tuple("abc"), tuple(text for _ in "abc")),
    }


@pytest.mark.parametrize("severity", ["failure", "warning"])
def test_hostile_strings_stay_text_in_every_field(tmp_path: Path, severity: str) -> None:
    """No string in any field of any record gives the page an element, attribute or value.

    Failures hide the verdict, so that it is seen beside warnings.
    """
    handover = hand_over(tmp_path)

    def page(text: str) -> Tags:
        return Tags(render_page(inputs_of(handover, **_hostile(text, severity))))

    harmless = page("word")
    for text in STRINGS:
        seen = page(text)
        assert seen.tags == harmless.tags
        assert text.split()[0] in seen.text


def test_check_for_text_on_the_page_bites(tmp_path: Path, monkeypatch: Any) -> None:
    """Without escaping, the strings that hold mark-up make elements and handlers."""
    handover = hand_over(tmp_path)
    template = page_module._template()
    monkeypatch.setattr(template.environment, "autoescape", False)
    unescaped = template.environment.from_string(page_module._text("page.html"))
    monkeypatch.setattr(page_module, "_template", lambda: unescaped)
    pages = [
        Tags(render_page(inputs_of(handover, **_hostile(text, "failure")))) for text in STRINGS
    ]
    assert {"b", "iframe", "form", "picture", "base"} <= set().union(*(one.names for one in pages))
    assert any(key == "onerror" for one in pages for _, given in one.tags for key in given)


@pytest.mark.parametrize("column", [0, 1, 2], ids=["row_id", "formula", "label"])
def test_hostile_strings_stay_text_in_rows_of_the_train_set(tmp_path: Path, column: int) -> None:
    """The same for what a pull request writes into its table."""
    handover = hand_over(tmp_path / "out")
    write_tables(tmp_path, handover)
    commit_tables(tmp_path)
    main = handover.train.read_text().splitlines()
    handover.predictions.unlink()  # ids like these could not be named in it

    def page(text: str) -> Tags:
        row = ["t90000", "NaCl", "0.5"]
        row[column] = text
        write_rows(
            handover.train, main[0].split(","), [*(line.split(",") for line in main[1:]), row]
        )
        return Tags(render_page(inputs_of(handover, root=tmp_path)))

    plain = page("word")
    assert "1 added" in plain.text
    for text in STRINGS:
        one_line = " ".join(text.split("\n")).replace("\x00", "").replace("\r", " ")
        seen = page(one_line)
        assert seen.tags == plain.tags
        assert one_line.split()[0] in seen.text


def test_failed_check_leads_the_page(tmp_path: Path) -> None:
    """After a failed check the page shows the findings, and no verdict even if there is one."""
    page = _page(tmp_path, schema=checks("schema", finding(file="data/train.csv", line=7)))
    assert "1 data check failed" in page.text
    assert "data/train.csv:7" in page.text
    assert "PASS" not in page.text


def test_warnings_that_main_has_stand_apart(tmp_path: Path) -> None:
    """They have a table of their own below the findings, and the new ones are counted."""
    old = finding(severity="warning", message="an old one", on_main=True)
    new = finding(severity="warning", message="a new one", on_main=False)
    text = _page(tmp_path, schema=checks("schema", old, new)).text
    assert "1 new warning, 1 that main has, too" in text
    brought, standing = text.split("Warnings that main has, too")
    assert ("a new one" in brought, "an old one" in brought) == (True, False)
    assert ("a new one" in standing, "an old one" in standing) == (False, True)
    alone = _page(tmp_path, schema=checks("schema", old)).text
    assert "no new warning, 1 that main has, too" in alone


def test_page_without_any_record(tmp_path: Path) -> None:
    """With nothing handed over there is still a page, which says that nothing is said."""
    inputs = ReportInputs(hand_over(tmp_path, **dict.fromkeys(
        ("schema", "sanity", "candidate", "verdict"))), settings())  # fmt: skip
    text = Tags(render_page(inputs)).text
    assert "this says nothing about the model" in text


def test_bad_predictions_leave_a_page_without_pictures(tmp_path: Path) -> None:
    """A predictions file with a row too few is named in place of the pictures."""
    handover = hand_over(tmp_path / "out")
    write_tables(tmp_path, handover)
    lines = handover.predictions.read_text(encoding="utf-8").splitlines()
    handover.predictions.write_text("\n".join(lines[:-1]), encoding="utf-8")
    page = Tags(render_page(ReportInputs(handover, settings(), tmp_path)))
    assert "Not drawn: predictions.csv" in page.text
    assert "svg" not in page.names


def test_sealed_labels_are_not_read(tmp_path: Path) -> None:
    """The page is byte for byte the same whatever the labels are, or if they cannot be read."""
    handover = hand_over(tmp_path / "out")
    write_tables(tmp_path, handover)
    inputs = ReportInputs(handover, settings(), tmp_path)
    before = render_page(inputs)
    labels = tmp_path / "data" / "sealed_labels.csv"
    labels.write_text("row_id,formation_enthalpy\ns00001,1\n", encoding="utf-8")
    assert render_page(inputs) == before
    labels.unlink()
    labels.mkdir()
    assert render_page(inputs) == before


def test_what_to_do_next_is_said_once_with_its_command(tmp_path: Path) -> None:
    """Under the verdict, the command as code; the table repeats it for other parts alone."""
    page = _page(tmp_path, verdict=verdict(outcome="FAIL", stage="public"))
    assert page.text.count("Next:") == 1
    assert '<p class="todo"><strong>Next:</strong> find in the report' in page.page
    assert "then <code>assay score</code>." in page.page


def test_open_labels_are_said(tmp_path: Path) -> None:
    """While labels lie open the page says so, and how to seal them."""
    assert "assay init" in _page(tmp_path / "a", verdict=verdict(sealed=False)).text
    assert "assay init" not in _page(tmp_path / "b").text
