"""Groups of a person's table: which are tried, what is chosen, and what is written."""

import re
import sys
from itertools import combinations

import pandas as pd
import pytest

from assay import initialization
from assay.clustering import NEAR, shares
from assay.compositions import chemical_system
from assay.errors import RefusedError, UsageError
from assay.groups import counted, group_names
from assay.intake.adoption import SetOptions, by_public_rows
from assay.intake.choices import Choices
from assay.intake.division import evidence
from assay.intake.groupings import (
    CannotDecideError,
    candidates,
    command,
    groupings_text,
    public_way,
    recommended,
)
from assay.intake.intake import take_in
from assay.layout import Layout
from assay.repository import read_repository
from assay.schema.check import check_schema
from assay.settings import parse_settings, read_settings
from assay.tables import read_table
from assay.verbs import tables
from mini import FORMULAS, SETTINGS, initialize, kept

METALS = re.findall("[A-Z][a-z]", "LiNaMgAlTiZrGaInSnPbRbCsCaSrBaHfNbTaMn")


def written(root, rows, header="formula,gap [eV]"):
    """A table of one's own."""
    lines = [",".join(map(str, row)) for row in rows]
    (root / "mine.csv").write_text("\n".join([header, *lines, ""]))
    return str(root / "mine.csv")


def families(giants=12, size=60):
    """A few alloys that were studied for long, and 160 systems of two rows each."""
    small = list(combinations(METALS, 2))[:160]
    rows = [f"{a}{n}{b}" for a, b in small for n in (1, 3)]
    hosts = ["Fe", "Co", "Ni", "Cu", "Zn", "Y", "La", "Ce", "Mo", "W", "Pt", "Au"][:giants]
    rows += [f"{host}{10 + n}Si{100 - n}" for host in hosts for n in range(size)]
    return [(formula, 1 + 0.37 * n % 7.123456) for n, formula in enumerate(rows)]


def series():
    """Sixty dilute alloys of three metals, in steps of half a per cent, with gaps between parts."""
    parts = range(0, 300, 60)
    return [
        (f"{host}{1000 - part - step}{solute}{part + step}", 1 + 0.01 * part + 0.1 * step)
        for host, solute in (("Fe", "Cr"), ("Ti", "Al"), ("Cu", "Zn"))
        for part in parts
        for step in (5, 10, 15, 20)
    ]


@pytest.fixture
def any_chance(monkeypatch):
    """Let sets be sealed whatever their chance to certify a model is: labels here are noise."""
    monkeypatch.setattr(initialization, "HOPELESS", 0.0)


def sides(root):
    """The train set and the sealed inputs."""
    layout = Layout(root)
    return (read_table(path, ["formula"]) for path in (layout.train, layout.sealed_inputs))


def test_a_few_giant_families_do_not_decide_everything(mini, any_chance):
    """By system alone a sealed set could decide nothing; with a cap that is found it can.

    The cap stands in assay.toml and on the page, and the giants are learnt from.
    """
    source = written(mini, families())
    made = initialize(mini, source, unit="eV", anyway=False)
    settings = read_settings(mini)
    assert settings.gate.rows_per_group == 50
    train, sealed = sides(mini)
    assert evidence(sealed, settings).effective >= settings.gate.minimum_groups
    assert sum("Si" in formula for formula in train["formula"]) == 12 * 60
    assert "50 rows" in made.grouping
    assert f"{len(sealed)}" in made.grouping


def test_without_a_cap_that_helps_nothing_is_sealed(mini):
    """The planted case: a number of rows that lets the giants in is kept, and refused."""
    settings = SETTINGS.replace("margin = 1.0", "margin = 1.0\nrows_per_group = 1000")
    (mini / "assay.toml").write_text(settings)
    source = written(mini, families())
    with pytest.raises(RefusedError) as caught:
        initialize(mini, source, unit="eV", anyway=False)
    assert caught.value.code == "data.cannot-decide"
    assert not Layout(mini).sealed_labels.exists()


def test_a_table_of_small_groups_keeps_all_its_rows(mini, any_chance):
    """Where chemical systems alone are enough there is no cap, and nothing is written of groups."""
    made = initialize(mini, written(mini, families(giants=0)), unit="eV", anyway=False)
    settings = read_settings(mini)
    assert settings.gate.rows_per_group is None
    assert settings.split.model_fields_set == {"folds"}
    assert "tried" not in made.grouping


def test_a_column_divides_papers_and_is_kept(mini):
    """No paper stands on both sides, both tables hold the column, the pool does not."""
    rows = [(formula, 1 + 0.37 * n % 7, f"paper {n // 3}") for n, formula in enumerate(FORMULAS)]
    initialize(mini, written(mini, rows, "formula,gap [eV],Source"), group="source")
    assert read_settings(mini).split.group == "Source"
    train, sealed = sides(mini)
    assert set(train["Source"]).isdisjoint(sealed["Source"])
    assert len(train) + len(sealed) == len(FORMULAS)
    assert "Source" not in read_table(Layout(mini).pool, ["formula"])
    report = check_schema(read_repository(mini))
    assert not report.failed


def test_rows_without_a_paper_are_set_aside_and_listed(mini):
    """Nobody knows which rows they go with; the list says what to do about each."""
    rows = [(f, 1 + 0.37 * n % 7, "" if n < 2 else n // 3) for n, f in enumerate(FORMULAS)]
    source = written(mini, rows, "formula,gap [eV],paper")
    initialize(mini, source, group="paper")
    listed = pd.read_csv(Layout(mini).rejected)
    assert list(listed["code"]) == ["group.missing"] * 2
    assert sum(map(len, sides(mini))) == len(FORMULAS) - 2


@pytest.mark.parametrize("group", ["note", "formula", "gap [eV]", "nothing"])
def test_a_column_that_groups_nothing_is_refused(mini, group):
    """One that differs in every row, or is no column of groups, is no grouping."""
    with pytest.raises(UsageError) as caught:
        initialize(mini, str(mini / "mine.csv"), "gap [eV]", group=group)
    assert caught.value.code in {"table.no-grouping", "table.no-column"}


def test_a_dilute_series_is_divided_into_compact_clusters(mini):
    """By system three alloys are three groups; by composition each part of a series is one.

    Nothing sealed is near anything to train on, and the rules hold of what was written.
    """
    rows = series()
    source = written(mini, rows)
    with pytest.raises(UsageError):
        initialize(mini, source, unit="eV")
    initialize(mini, source, unit="eV", group="composition")
    train, sealed = sides(mini)
    assert len(set(train["group"]) | set(sealed["group"])) == 15
    assert set(train["group"]).isdisjoint(sealed["group"])
    apart = [
        abs(one - other).max()
        for one in shares(list(train["formula"]))
        for other in shares(list(sealed["formula"]))
    ]
    assert min(apart) > NEAR
    pool = read_table(Layout(mini).pool, ["group"])
    assert set(pool["group"]) & (set(train["group"]) | set(sealed["group"]))
    assert not check_schema(read_repository(mini)).failed


def test_candidates_are_tried_in_the_order_of_their_promises(mini):
    """The first that decides is recommended; the table shows those before it as well."""
    found = take_in(written(mini, families()), Choices(unit="eV", target="gap [eV]"))
    settings = parse_settings(SETTINGS).model_copy()
    listed = candidates(settings, found)
    best = recommended(listed)
    assert [one.settings.gate.rows_per_group for one in listed[:3]] == [None, 50, 20]
    assert not listed[0].decides
    assert best is listed[1]
    assert "--group system --rows-per-group 50" in groupings_text(listed)
    names = group_names(found.rows, "system")
    kept = counted(list(found.rows["formula"]), names, 50).sum()
    assert (best.rows, best.groups) == (kept, len(set(map(chemical_system, found.rows["formula"]))))


def test_where_no_sealed_set_decides_the_way_on_is_public_evidence(mini):
    """Sixty rows of three alloys: no grouping helps, and the refusal says what does."""
    with pytest.raises(CannotDecideError) as caught:
        initialize(mini, written(mini, series()), unit="eV", anyway=False)
    assert caught.value.code == "data.cannot-decide"
    assert "--evidence public --group composition --extent 0.05" in str(caught.value)


def test_public_rows_are_grouped_so_that_they_decide(mini):
    """Three alloys are three systems and fifteen clusters: the way on names the grouping.

    The planted case: public evidence by chemical system is refused, and nothing is written.
    """
    found = take_in(written(mini, series()), Choices(unit="eV", target="gap [eV]"))
    before = kept(mini)
    with pytest.raises(RefusedError) as caught:
        initialization.initialize(mini, found, SetOptions(evidence="public"))
    assert caught.value.code == "data.few-public-groups"
    assert kept(mini) == before
    way = public_way(parse_settings(SETTINGS), found)
    assert command(way) in str(caught.value)
    initialization.initialize(mini, *by_public_rows(found, SetOptions(), way))
    settings = read_settings(mini)
    assert (settings.public, settings.split.group, settings.split.extent) == (
        *(True, "composition"),
        0.05,
    )


def test_no_division_is_proposed_that_would_be_refused(mini, monkeypatch):
    """Half of sixty systems can decide by their number, and would never certify this model.

    So the first refusal names public evidence. The planted case asks for no chance, and gets the
    larger share.
    """
    pairs = list(combinations(METALS, 2))[:60]
    noise = [(f"{a}{b}", round(1 + 0.37 * (n * n) % 7.1, 3)) for n, (a, b) in enumerate(pairs)]
    with pytest.raises(CannotDecideError) as caught:
        initialize(mini, written(mini, noise), unit="eV", anyway=False)
    assert "--sealed-fraction" not in str(caught.value)
    monkeypatch.setattr(initialization, "HOPELESS", 0.0)
    with pytest.raises(RefusedError) as caught:
        initialize(mini, written(mini, noise), unit="eV", anyway=False)
    assert "--sealed-fraction 0.5" in str(caught.value)


def test_a_set_that_the_gate_would_not_open_is_not_sealed(mini):
    """There are groups enough, and too few of them differ from the mean to open any label.

    That is what `score` would say of this very model, whatever the labels are.
    """
    with pytest.raises(CannotDecideError) as caught:
        initialize(mini, written(mini, families(giants=0)), unit="eV", anyway=False)
    assert caught.value.code == "data.hopeless"
    assert command(caught.value.way) in str(caught.value)
    assert not Layout(mini).sealed_labels.exists()


@pytest.mark.parametrize(("answer", "group"), [("3", "paper"), ("system", "system")])
def test_on_a_terminal_the_grouping_is_asked_for(mini, monkeypatch, answer, group):
    """A column of papers is offered beside systems and compositions, and its rows are read."""
    rows = [(formula, n / 7, n // 3) for n, formula in enumerate(FORMULAS)]
    source = written(mini, rows, "formula,gap [eV],paper")
    choices = Choices(target="gap [eV]")
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(tables.typer, "prompt", lambda *_, **__: answer)
    found = tables.with_group(lambda choices: take_in(source, choices), choices)
    assert found.group == group


def test_without_a_terminal_it_is_said_that_systems_are_taken(mini, capsys):
    """A column that may be the right one is named, and nothing is asked."""
    rows = [(formula, n / 7, n // 3) for n, formula in enumerate(FORMULAS)]
    source = written(mini, rows, "formula,gap [eV],paper")
    choices = Choices(target="gap [eV]")
    found = tables.with_group(lambda choices: take_in(source, choices), choices)
    assert found.group == "system"
    assert "'paper'" in capsys.readouterr().err
