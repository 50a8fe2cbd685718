"""The measurement of widths: it finds what is planted, and the docs show what it wrote."""

import json

import numpy as np
import pytest
from benchmarks import intervals, pages


@pytest.fixture(scope="module")
def kept() -> dict:
    """The published record."""
    return json.loads(intervals.RECORD.read_text())


def planted(count: int = 600) -> intervals.Known:
    """Rows whose errors are four times as large on one side of the space, in groups of three."""
    generator = np.random.default_rng(0)
    points = generator.normal(size=(count, 2))
    sizes = np.abs(generator.normal(size=count)) * np.where(points[:, 0] > 1, 4, 1)
    groups = np.array([f"{number}" for number in np.arange(count) // 3])
    folds, spread = np.arange(count) // 3 % 5, np.ones(count)
    formulas = ["NaCl"] * count
    return intervals.Known(formulas, groups, folds, sizes, spread, points, points[:, 0] ** 2)


def test_widths_that_ignore_the_difficulty_are_told_from_those_that_do_not():
    """Both hold their level; the worst slab shows which of them ignores the difficult side."""
    rows = planted()
    hard = np.where(rows.points[:, 0] > 1, 4.0, 1.0)
    found = {name: intervals.held(rows, one) for name, one in (("one", hard**0), ("own", hard))}
    for inside, _ in found.values():
        assert inside.mean() == pytest.approx(0.9, abs=0.02)
    worst = {
        name: min(inside[part].mean() for part in intervals.slabs(rows))
        for name, (inside, _) in found.items()
    }
    assert worst["one"] < 0.6
    assert worst["own"] > 0.8


def test_docs_show_the_published_record(kept):
    """Tables and figure are those of benchmarks/intervals.json."""
    page = (pages.FOLDER / "interval-benchmark.md").read_text(encoding="utf-8")
    for name, made in intervals.tables(kept):
        assert f"<!-- bench {name}: begin -->\n{made}\n<!-- bench {name}: end -->" in page
    assert intervals.FIGURE.read_text(encoding="utf-8") == intervals.drawn(kept)


def test_published_figures_hold_what_they_must(kept):
    """On every table no band, slab or family is worse off, and no row costs a tenth more."""
    for found in kept["tables"].values():
        one, taken = (found["ways"][name] for name in (intervals.ONE, intervals.TAKEN))
        assert taken["half_width"] <= one["half_width"]
        assert min(taken["bands"]) >= min(one["bands"])
        assert taken["worst_slab"] > one["worst_slab"]
        assert taken["auc_difficulty"] > 0.6
    example = kept["tables"][intervals.EXAMPLE]["ways"][intervals.TAKEN]
    assert example["coverage"] == pytest.approx(0.9, abs=0.02)
    assert min(example["bands"]) > 0.85
    assert kept["cost"][intervals.TAKEN] <= 1.1 * kept["cost"][intervals.ONE]
