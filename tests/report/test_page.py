"""The report page: self-contained, safe against its own contents, with the right pictures."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.report import plots
from assay.report.page import render_page
from assay.report.summary import ReportInputs
from report_samples import Tags, card, checks, finding, hand_over, settings, verdict, write_tables

HOSTILE = '"><script>alert(1)</script><img src=//example.org/x onerror=alert(1)>{{ 7 * 7 }}'


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
    """No script, no style sheet, picture or font from elsewhere; the only address is a link."""
    page = _page(tmp_path)
    assert not page.names & {"script", "link", "iframe", "object", "embed", "base", "form"}
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


def test_change_on_pool_needs_a_reference(tmp_path: Path) -> None:
    """Candidate and reference are drawn on the rows they share, and only if there is one."""
    assert "59 unlabelled compositions" in _page(tmp_path / "a").text
    assert "Candidate and reference" not in _page(tmp_path / "b", reference=False).text


@pytest.mark.parametrize("field", ["message", "formula", "file", "rule", "value"])
def test_hostile_text_is_escaped(tmp_path: Path, field: str) -> None:
    """What a pull request writes is shown as it is, and neither read as HTML nor evaluated."""
    hostile = finding(**{"formula": "TlBr", field: HOSTILE})
    page = _page(
        tmp_path,
        sanity=checks("sanity", hostile),
        candidate=card(estimator=HOSTILE, correlation_id=HOSTILE, commit=HOSTILE),
    )
    assert not page.names & {"script", "img"}
    assert page.text.count(HOSTILE) >= 3
    assert not [name for _, attributes in page.tags for name in attributes if name == "onerror"]


def test_failed_check_leads_the_page(tmp_path: Path) -> None:
    """After a failed check the page shows the findings, and no verdict even if there is one."""
    page = _page(tmp_path, schema=checks("schema", finding(file="data/train.csv", line=7)))
    assert "1 data check failed" in page.text
    assert "data/train.csv:7" in page.text
    assert "PASS" not in page.text


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


def test_open_labels_are_said(tmp_path: Path) -> None:
    """While labels lie open the page says so, and how to seal them."""
    assert "assay init" in _page(tmp_path / "a", verdict=verdict(sealed=False)).text
    assert "assay init" not in _page(tmp_path / "b").text


def test_error_by_element_is_the_mean_over_its_rows() -> None:
    """A row counts once for each of its elements, whatever the amounts."""
    found = plots.element_errors(["Fe2O3", "FeO", "NaCl"], np.array([1.0, 3.0, 5.0]))
    assert found["Fe"] == (2.0, 2)
    assert found["O"] == (2.0, 2)
    assert found["Cl"] == (5.0, 1)


def test_plots_take_degenerate_data_and_hostile_names() -> None:
    """Constant predictions, one class only, and names with markup or dollars draw all the same."""
    same, ones = np.zeros(5), np.ones(5)
    drawn = [
        plots.parity(same, same, "<b>$x_{$", "$/kg"),
        plots.residuals(same, same, "$"),
        plots.change(same, same, "1"),
        plots.agreement(same, same, "1"),
        plots.reliability(ones, ones),
        plots.scores(ones, ones),
        plots.periodic_table({"H": (0.0, 1)}, "<b>$x_{$"),
    ]
    assert "measured <b>$x_{$ ($/kg)" in Tags(drawn[0]).text
    for svg in drawn:
        assert Tags(svg).names <= {
            "svg", "defs", "style", "g", "path", "text", "tspan", "use", "clippath", "rect"
        }  # fmt: skip
        assert not re.search(r"#0[0-9a-f]0[0-9a-f]0[0-9a-f]\b", svg)


def test_many_points_become_one_picture() -> None:
    """A pool of tens of thousands of rows does not make a page of tens of megabytes."""
    values = np.random.default_rng(0).normal(size=(2, 50_000))
    svg = plots.agreement(values[0], values[1], "eV")
    assert "data:image/png;base64," in svg
    assert len(svg) < 500_000


def test_plots_are_deterministic() -> None:
    """The same numbers give the same bytes."""
    values = np.linspace(0, 1, 50)
    assert plots.parity(values, values, "x", "eV") == plots.parity(values, values, "x", "eV")
