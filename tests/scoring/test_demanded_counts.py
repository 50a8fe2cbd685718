"""Fewer examples, properties, folds or rows than main demands are refused, one sentence each."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assay.datasets import Dataset
from assay.errors import NotCarriedOutError
from assay.records import FORMAT, CheckReport, Tally
from assay.sanity.suites import KIT, drawn_names, wanted_names
from assay.scoring.acceptance import Demand, require_properties, require_training
from assay.settings import Settings, parse_settings
from test_records import CARD
from toy import SETTINGS

ROWS = pd.DataFrame({"row_id": ["1", "2", "3"], "formula": ["NaCl", "KCl", "LiF"]})
DRAWN = frozenset(drawn_names())
DATA = Dataset(ROWS, np.array([1.0, 2.0, 3.0]), ROWS[:2], ROWS)


def settings() -> Settings:
    """The toy's settings."""
    return parse_settings(SETTINGS)


def report(tallies: list[Tally], **fields: Any) -> CheckReport:
    """A record of the sanity checks with these counts."""
    return CheckReport(check="sanity", subject="0" * 64, executed=1, tallies=tallies, **fields)


def whole() -> list[Tally]:
    """A count for every property that must run, on all examples."""
    return [
        Tally(name=name, where=f"{KIT}spelling", examples=25 if name in DRAWN else None)
        for name in wanted_names(settings())
    ]


@pytest.mark.parametrize("name", wanted_names(settings()))
def test_every_property_that_is_missing_or_short_is_refused(name: str) -> None:
    """Each in turn: without a count, with one of the author's test of that name, or too small."""
    require_properties(settings(), report(whole()))
    place = [one.name for one in whole()].index(name)
    own = whole()[place].model_copy(update={"where": "tests/test_my_model.py"})
    mutations: list[list[Tally]] = [[], [own]]
    if name in DRAWN:
        short = (whole()[place].model_copy(update={"examples": n}) for n in (None, 0, 1, 24))
        mutations += [[one] for one in short]
        done = whole()[place].model_copy(update={"examples": 2, "exhausted": True})
        require_properties(settings(), report([*whole()[:place], done, *whole()[place + 1 :]]))
    for mutated in mutations:
        tallies = [*whole()[:place], *mutated, *whole()[place + 1 :]]
        with pytest.raises(NotCarriedOutError, match=name):
            require_properties(settings(), report(tallies))
    # a newer assay may have another name for it
    require_properties(
        settings(), report([*whole()[:place], *whole()[place + 1 :]], format=FORMAT + 1)
    )


def test_a_record_without_counts_is_refused_whatever_its_format() -> None:
    """A record of before there were counts, or one that was emptied, shows nothing."""
    for tallies in ([], [Tally(name="test_own", where="tests/test_own.py")]):
        for number in (1, FORMAT, FORMAT + 1):
            with pytest.raises(NotCarriedOutError, match="older assay"):
                require_properties(settings(), report(tallies, format=number))


@pytest.mark.parametrize("field", ["rows", "out_of_fold", "folds", "predicted"])
def test_every_count_of_the_training_is_demanded(field: str) -> None:
    """Rows, folds and predictions: one less, none, or no word is refused; more is not."""
    counts = {"rows": 3, "out_of_fold": 3, "folds": 5, "predicted": 5}
    demand = Demand(settings(), DATA, 3, changed=False)
    require_training(demand, CARD.model_copy(update=counts))
    require_training(demand, CARD.model_copy(update=counts | {field: counts[field] + 1}))
    for less in (None, 0, counts[field] - 1):
        with pytest.raises(NotCarriedOutError, match=str(counts[field])):
            require_training(demand, CARD.model_copy(update=counts | {field: less}))


def test_the_scoring_refuses_before_it_decides(toy: Path) -> None:
    """A record that lost one count ends the scoring with exit code 3, and spends nothing."""
    import json

    from assay.layout import Handover, Layout
    from toy import assay, git

    path = Handover(Layout(toy).out).schema
    content = json.loads(path.read_text())
    content["tallies"] = [one for one in content["tallies"] if one["name"] != "leakage.near"]
    path.write_text(json.dumps(content))
    done = assay(toy, "score")
    assert done.returncode == 3
    assert "leakage.near" in done.stderr
    assert "assay-ledger" not in git(toy, "branch", "--list")
