"""Figures in words."""

from pathlib import Path

import pytest

from assay.report.figures import in_unit, number, public_numbers, signed
from report_samples import card, hand_over, inputs_of, verdict, write_tables


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (number(0.123456), "0.1235"),
        (number(-4.0, "eV"), "-4 eV"),
        (number(2.0, "1"), "2"),
        (signed(0.00123456), "+0.00123"),
        (signed(-1.0), "-1"),
        (signed(0.0), "0"),
        (in_unit("eV"), " (eV)"),
        (in_unit("1"), ""),
    ],
)
def test_figures_are_short_and_have_their_units(made: str, told: str) -> None:
    """Four digits, three for a change, and units only where there are some."""
    assert made == told


def test_scorers_figures_go_before_what_the_run_claims(tmp_path: Path) -> None:
    """What is in the verdict is not told again from the card; no figure where there is none."""
    handover = hand_over(tmp_path)
    rows = public_numbers(inputs_of(handover))
    assert [row.name for row in rows] == [
        "MAE",
        "RMSE",
        "R²",
        "Mean change of predictions on the pool",
    ]
    assert rows[0][1:] == ("eV/atom", "0.1012", "0.102", "")
    assert rows[1][1:] == ("eV/atom", "0.2", "", "")
    assert rows[2].unit == ""
    figures = verdict().model_copy(update={"figures": []})
    assert public_numbers(inputs_of(handover, verdict=figures))[0][2:4] == ("0.1012", "")


def test_reference_has_the_same_figures_from_public_rows(tmp_path: Path) -> None:
    """Where both models predict the train rows nobody has to guess the reference's RMSE."""
    handover = hand_over(tmp_path / "out")
    predictions = write_tables(tmp_path, handover)
    inputs = inputs_of(handover, root=tmp_path, reference_predictions=predictions)
    rows = {row.name: row.reference for row in public_numbers(inputs)}
    residual = inputs.evidence.train.candidate - inputs.evidence.train.target
    assert float(rows["RMSE"]) == pytest.approx((residual**2).mean() ** 0.5, rel=1e-3)


def test_coverage_is_of_the_public_rows_and_claimed_only_without_them(tmp_path: Path) -> None:
    """What a card says of its own interval is shown only where nobody can look for himself."""
    boast = {"level": 0.9, "grouped": 0.987, "random": 0.9}
    handover = hand_over(tmp_path / "out")
    card(interval_coverage=boast).write(handover.candidate)
    name = "Coverage of the 90% interval, new groups"
    claimed = {row.name: row.candidate for row in public_numbers(inputs_of(handover))}
    assert claimed[name] == "98.7%"
    write_tables(tmp_path, handover)
    inputs = inputs_of(handover, root=tmp_path)
    looked = {row.name: row.candidate for row in public_numbers(inputs)}
    assert looked[name] == f"{inputs.coverage.grouped:.1%}" != "98.7%"
    assert looked["Coverage of the 90% interval, rows at random"] == f"{inputs.coverage.random:.1%}"
