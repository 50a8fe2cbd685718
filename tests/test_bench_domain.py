"""The measurement of the domain: it finds what is planted, and the docs show what it wrote."""

import json

import numpy as np
import pandas as pd
import pytest
from benchmarks import domain, pages


@pytest.fixture(scope="module")
def kept() -> dict:
    """The published record."""
    return json.loads(domain.RECORD.read_text())


def errors(inside: float, outside: float) -> pd.DataFrame:
    """Six hundred rows in 200 systems of which a tenth is outside, with these mean errors."""
    generator = np.random.default_rng(0)
    groups = np.arange(600) // 3
    far = groups % 10 == 0
    error = generator.exponential(np.where(far, outside, inside))
    return pd.DataFrame({"error": error, "group": groups, "far": far})


def test_larger_errors_outside_are_found_and_equal_ones_are_not():
    """A planted difference has an interval above zero; without one the interval holds zero."""
    larger, equal = errors(0.1, 0.3), errors(0.1, 0.1)
    low, high = domain.comparison(larger, larger["far"])["difference"]
    assert 0.05 < low < 0.2 < high < 0.4
    low, high = domain.comparison(equal, equal["far"])["difference"]
    assert low < 0 < high
    found = domain.comparison(larger, larger["far"])
    assert found["share_outside"] == pytest.approx(0.1)
    assert found["groups_outside"] == 20


def test_rows_of_one_system_are_not_taken_for_independent():
    """Where systems share their errors the interval is as wide as systems, not rows, make it."""
    rows = errors(0.1, 0.3)
    rows["error"] = rows.groupby("group")["error"].transform("first")
    alone = rows.assign(group=np.arange(len(rows)))
    wide, narrow = (domain.comparison(one, one["far"])["difference"] for one in (rows, alone))
    assert wide[1] - wide[0] > 1.3 * (narrow[1] - narrow[0])


def test_docs_show_the_published_record(kept):
    """Tables and figure are those of benchmarks/domain.json."""
    page = (pages.FOLDER / "domain-benchmark.md").read_text(encoding="utf-8")
    for name, made in domain.tables(kept):
        assert f"<!-- bench {name}: begin -->\n{made}\n<!-- bench {name}: end -->" in page
    assert domain.FIGURE.read_text(encoding="utf-8") == domain.drawn(kept)


def test_published_figures_hold_what_they_must(kept):
    """Errors are larger outside by each rule taken, not by the one left; coverage is honest."""
    assert abs(kept["interval"]["grouped"] - kept["interval"]["level"]) <= 0.02
    elements = kept["elements"].values()
    assert np.mean([one["unseen"] > one["seen"] for one in elements]) > 0.5
    for name, found in kept["rules"].items():
        assert (found["difference"][0] > 0) != name.startswith("not taken"), name
