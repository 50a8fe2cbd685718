"""A family of elements that the interval does not cover is found, and one that it covers is not."""

from dataclasses import replace

import numpy as np
import pytest

from assay.compositions import elements
from assay.model.intervals import Interval, fit_interval
from assay.report.advice import told
from assay.report.family_coverage import ROWS, RULE, family_findings, short_families
from report_samples import hand_over, inputs_of, write_tables
from toy import trained_formulas

FORMULAS = trained_formulas()
OXIDES = np.array(["O" in elements(formula) for formula in FORMULAS])
LEVEL = 0.9


def inside(oxides: float, others: float, seed: int = 0) -> np.ndarray:
    """Rows that lie within their interval, at random, with these shares of both kinds."""
    drawn = np.random.default_rng(seed).random(len(FORMULAS))
    return drawn < np.where(OXIDES, oxides, others)


def test_family_below_its_level_is_found():
    """Seven in ten oxides are too few; that families share rows with them does not hide it."""
    found = short_families(FORMULAS, inside(0.7, 0.93), LEVEL)
    rows, share = found["oxide"]
    assert rows == OXIDES.sum()
    assert share == pytest.approx(0.7, abs=0.06)
    assert "halogen" not in found


def test_family_without_any_row_inside_is_found():
    """Where nothing varies there is no sampling error, and all the less doubt."""
    found = short_families(FORMULAS, inside(0.0, 0.95), LEVEL)
    assert found["oxide"] == (OXIDES.sum(), 0.0)


def test_families_at_their_level_are_seldom_found():
    """The chance is shared by all families: of forty draws few have a finding."""
    found = [short_families(FORMULAS, inside(0.9, 0.9, seed), LEVEL) for seed in range(40)]
    assert sum(map(bool, found)) <= 6


def test_few_rows_are_not_judged():
    """A family of few rows, none of them inside, is no finding; with more it is."""
    few = np.flatnonzero(OXIDES)[: ROWS - 1].tolist()
    many = np.flatnonzero(OXIDES)[: 3 * ROWS].tolist()
    rng = np.random.default_rng(0)
    for rows, count in ((few, 0), (many, 1)):
        held = rng.random(len(rows)) < 0.2
        found = short_families([FORMULAS[row] for row in rows], held, LEVEL)
        assert ("oxide" in found) == bool(count)


def intervals(oxides: float) -> Interval:
    """Of one width, where the errors of oxides are so many times larger."""
    sizes = np.abs(np.random.default_rng(0).normal(size=len(FORMULAS)))
    return fit_interval(sizes * np.where(OXIDES, oxides, 1.0), np.ones(len(FORMULAS)), LEVEL)


def test_finding_is_a_warning_that_says_whether_the_reference_has_it():
    """One width for all, planted: the family is named, and it is no news if it was so before."""
    bad, good = intervals(4.0), intervals(1.0)
    for before, on_main in ((None, None), (good, False), (bad, True)):
        first = family_findings(FORMULAS, bad, before)[0]
        assert (first.rule, first.severity, first.on_main) == (RULE, "warning", on_main)
        assert "'oxide'" in first.message
    assert family_findings(FORMULAS, good, None) == []


def test_report_lists_it_among_the_findings(tmp_path, monkeypatch):
    """It refuses nothing: it stands with the other warnings."""
    handover = hand_over(tmp_path / "out")
    write_tables(tmp_path, handover)
    inputs = inputs_of(handover, root=tmp_path)
    assert RULE not in {one.finding.rule for one in told(inputs)}
    short = replace(inputs.interval, scores=inputs.interval.scores + 9)
    monkeypatch.setattr("assay.report.family_coverage.ROWS", 5)
    monkeypatch.setattr("assay.report.family_coverage.SYSTEMS", 1)
    again = inputs_of(handover, root=tmp_path)
    mixed = short.scores.copy()
    mixed[::7] = 0
    vars(again)["interval"] = replace(short, scores=mixed)
    assert RULE in {one.finding.rule for one in told(again)}
