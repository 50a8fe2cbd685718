"""The planted pull requests: enough of every kind, and judged by the check that each names."""

from collections import Counter
from pathlib import Path

import pytest

from gauntlet.base import make_base
from gauntlet.cases import BENCHMARK, GOOD, Case, substituted
from gauntlet.families import all_cases
from gauntlet.harness import Outcome, run


def test_there_are_enough_of_every_kind() -> None:
    """At least sixty bad ones in eight families and fifteen good ones, each with its own name."""
    cases = all_cases()
    families = Counter(case.family for case in cases if case.caught_by != GOOD)
    assert len({case.name for case in cases}) == len(cases)
    assert len({case.sentence for case in cases}) == len(cases)
    assert families.total() >= 60
    assert len(families) >= 8
    assert sum(case.caught_by == GOOD for case in cases) >= 15


def test_an_outcome_suits_only_the_check_that_was_named() -> None:
    """Caught by another check, or not at all, is not as planted."""
    bad, good = Case("b", "f", "s", "target.bounds"), Case("g", "f", "s", GOOD)
    assert Outcome(["columns", "target.bounds"], "", "").suits(bad)
    assert not Outcome(["columns"], "", "").suits(bad)
    assert not Outcome([], "PASS", "").suits(bad)
    assert Outcome([], "PASS", "").suits(good)
    assert not Outcome([BENCHMARK], "INCONCLUSIVE", "").suits(good)


def test_a_case_that_plants_nothing_is_an_error(tmp_path: Path) -> None:
    """An edit whose text is not there raises, lest a case pass for another reason."""
    (tmp_path / "a.txt").write_text("one")
    with pytest.raises(ValueError, match=r"'two' stands 0 times in a\.txt"):
        substituted("a.txt", "two", "three")(tmp_path)


@pytest.mark.slow
def test_cases_go_through_both_halves(tmp_path: Path) -> None:
    """One case each that the data checks, the gate and nobody stops end as the record says."""
    base = make_base(tmp_path)
    chosen = {case.name: case for case in all_cases()}
    for name in ("sentinel", "forged-noise", "regularization"):
        (tmp_path / name).mkdir()
        assert run(chosen[name], base, tmp_path / name).suits(chosen[name]), name
