"""What main demands of the data checks is what they do, and a rule that is switched off is seen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from assay.datasets import read_tables
from assay.errors import NotCarriedOutError
from assay.records import FORMAT, CheckReport
from assay.repository import read_repository
from assay.schema.check import check_schema, tallied
from assay.schema.data_docs import Outcome, validated
from assay.schema.demands import demanded, demanded_of_changes
from assay.schema.suites import suites
from assay.scoring.acceptance import Demand, require_rules
from schema_samples import NUMBER, SETTINGS, commit, edit

CLASS = 'kind = "class"\nunit = "1"'
UNBOUNDED = 'unit = "eV/atom"'
TABLES = {"train", "sealed_inputs", "pool", "main", "elements"}
Mutation = Callable[[Outcome], Outcome]


@pytest.fixture
def changed(sound: Path) -> Path:
    """A repository whose train set has one more row than main's."""
    commit(sound)
    edit(sound, "train.csv", lambda lines: lines.append("t00099,NaMg,-0.7"))
    return sound


@pytest.mark.parametrize("target", [NUMBER, CLASS, UNBOUNDED])
def test_every_rule_is_demanded_and_no_other(sound: Path, target: str) -> None:
    """A rule that is added to a suite, or taken out, is demanded or not with the same commit."""
    (sound / "assay.toml").write_text(SETTINGS.format(target=target))
    if target == CLASS:
        path = sound / "data" / "train.csv"
        pd.read_csv(path).assign(y=[0, 1] * 15).to_csv(path, index=False)
    commit(sound)
    repository = read_repository(sound)
    settings, main = repository.settings, repository.base.settings
    assert ours(sound) == {table: set(rules) for table, rules in demanded(settings).items()}
    edit(sound, "train.csv", lambda lines: lines.append("t00099,NaMg,1"))
    labels = read_tables(repository).target
    for table, rules in demanded_of_changes(settings, labels).items():
        assert set(rules) <= ours(sound)[table]
    further = demanded_of_changes(settings, labels)
    both = {
        table: {*demanded(settings).get(table, ()), *further.get(table, ())} for table in TABLES
    }
    assert main is not None
    assert ours(sound) == both


def ours(root: Path) -> dict[str, set[str]]:
    """The rules that the suites hold, by the tables that something is demanded of."""
    repository = read_repository(root)
    found = suites(repository, repository.base.settings)
    return {
        table.name: {rule.name for rule in rules} for table, rules in found if table.name in TABLES
    }


def demand_of(root: Path) -> Demand:
    """What main demands here."""
    repository = read_repository(root)
    data = read_tables(repository)
    mains = replace(data, train=data.train[:-1], target=data.target[:-1])
    return Demand(repository.settings, mains, len(data.train), changed=True)


def dropped(_: Outcome) -> Outcome:
    """The rule is not evaluated."""
    table, _, _ = _
    return table, [], []


def emptied(outcome: Outcome) -> Outcome:
    """The rule gets a table without rows."""
    table, rules, results = outcome
    return replace(table, frame=table.frame[:0]), rules, results


def shortened(outcome: Outcome) -> Outcome:
    """The rule gets all rows but the last."""
    table, rules, results = outcome
    return replace(table, frame=table.frame[:-1]), rules, results


def test_every_rule_switched_off_emptied_or_shortened_is_refused(changed: Path) -> None:
    """Whatever the suites hold, each rule in turn: its count is missing or too small, exit 3."""
    repository = read_repository(changed)
    outcomes = list(validated(suites(repository, repository.base.settings)))
    demand = demand_of(changed)
    require_rules(demand, report(outcomes))
    tried = 0
    for place, (table, rules, results) in enumerate(outcomes):
        if table.name not in TABLES:
            continue
        for number, rule in enumerate(rules):
            alone = (table, [rule], [results[number]])
            rest = (table, rules, [*results[:number], *results[number + 1 :]])
            for mutation in (dropped, emptied, shortened):
                if table.name == "elements" and mutation is not dropped:
                    continue  # as many rows as main has elements, which no count is kept of
                mutated = [*outcomes[:place], rest, mutation(alone), *outcomes[place + 1 :]]
                with pytest.raises(NotCarriedOutError) as caught:
                    require_rules(demand, report(mutated))
                assert rule.name in str(caught.value), (rule.name, mutation.__name__)
                assert "assay check" in str(caught.value)
                tried += 1
    assert tried >= 100


def report(outcomes: list[Outcome]) -> CheckReport:
    """The record of the data checks that these outcomes make."""
    tallies = list(tallied(outcomes))
    return CheckReport(check="schema", subject="0" * 64, executed=1, tallies=tallies)


def test_a_table_that_is_not_checked_is_refused_of_any_format(changed: Path) -> None:
    """A newer assay may name its rules otherwise, but no table is without one, and none is cut."""
    demand, record = demand_of(changed), check_schema(read_repository(changed))
    newer = record.model_copy(update={"format": FORMAT + 1})
    require_rules(demand, newer)
    without = [one for one in newer.tallies if one.name != "leakage.near"]
    require_rules(demand, newer.model_copy(update={"tallies": without}))
    for table in ("train", "sealed_inputs", "pool", "main"):
        rest = [one for one in newer.tallies if one.where != table]
        cut = [
            one.model_copy(update={"rows": one.rows - 1}) if one.where == table else one
            for one in newer.tallies
        ]
        for tallies in ([], rest, cut):
            with pytest.raises(NotCarriedOutError):
                require_rules(demand, newer.model_copy(update={"tallies": tallies}))
