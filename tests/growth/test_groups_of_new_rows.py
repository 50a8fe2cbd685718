"""New rows join the groups of the repository, or are left out where a group is sealed."""

import pandas as pd
import pytest

from assay.clustering import distances
from assay.compositions import identity
from assay.errors import UsageError
from assay.growth import adding
from assay.growth.placing import ADDED, SEALED
from assay.intake.choices import Choices
from assay.layout import Layout
from assay.repository import read_repository
from assay.schema.check import check_schema
from mini import initialize
from toy import commit, git

TARGET = "gap [eV]"
PARTS = range(20, 500, 40)
# dilute alloys, four compositions to a cluster and none near those of another
SERIES = [(f"{host}{1000 - part - step}{solute}{part + step}", f"{host} {part}")
          for host, solute in (("Fe", "Cr"), ("Ti", "Al"), ("Cu", "Zn"))
          for part in PARTS for step in (0, 5, 10)]  # fmt: skip


def table(root, rows, header="formula,paper,gap [eV]"):
    """A table outside of the repository, whose labels are like each other."""
    lines = [",".join([*row, f"{1 + 0.37 * n % 7.123456:.6f}"]) for n, row in enumerate(rows)]
    path = root.parent / "new.csv"
    path.write_text("\n".join([header, *lines, ""]))
    return str(path)


def made(mini, **said):
    """A repository on main that groups the series as is said."""
    (mini / "mine.csv").unlink()
    initialize(mini, table(mini, SERIES), TARGET, None, **said)
    (mini / ".gitignore").write_text("/out/\n/.assay/\n")
    git(mini, "init", "--quiet", "--initial-branch=main")
    commit(mini, "Begin")
    return mini


def add(root, source):
    """Add the rows of a table; their places by formula."""
    repository = read_repository(root)
    found = adding.read_new(repository, source, Choices())
    addition = adding.addition(repository, found, source, limit=None, agreed=False)
    adding.write_addition(repository.layout, addition)
    return dict(zip(addition.rows["formula"].map(identity), addition.rows["place"], strict=True))


def sides(root):
    """Train set and sealed inputs, as text."""
    layout = Layout(root)
    return [pd.read_csv(path, dtype=str) for path in (layout.train, layout.sealed_inputs)]


def test_rows_join_the_clusters_that_are_there(mini):
    """A row near a sealed cluster is left out, one near a cluster of main's joins it, others begin.

    By chemical system every one of them would be left out: that is the planted fault.
    """
    root = made(mini, group="composition")
    train, sealed = sides(root)
    assert set(train["group"]).isdisjoint(sealed["group"])
    hosts = (("Fe", "Cr"), ("Ti", "Al"), ("Cu", "Zn"))
    near = [(f"{a}{993 - part}{b}{part + 7}", "x") for a, b in hosts for part in PARTS]
    places = add(root, table(root, [*near, ("Ni97W3", "x"), ("Ni96W4", "x")]))
    after = sides(root)[0].iloc[len(train) :]
    assert {ADDED, SEALED} == set(places.values())
    assert set(after["group"]).isdisjoint(sealed["group"])
    assert (distances(list(after["formula"]), list(after["group"])) <= 0.05).all()
    old = after[~after["formula"].str.contains("W")]
    assert set(old["group"]) <= set(train["group"])
    assert after["group"].nunique() == old["group"].nunique() + 1
    assert check_schema(read_repository(root)).failures == []


def test_rows_of_a_sealed_paper_are_left_out(mini):
    """With groups in a column that decides, whatever the column is called by its case."""
    root = made(mini, group="paper")
    train, sealed = sides(root)
    known, secret = train["paper"][0], sealed["paper"][0]
    rows = [
        ("Ni97W3", f" {secret.upper()}"),
        ("Ni90W10", known),
        ("Ni80W20", "new"),
        (sealed["formula"][0], "q"),
    ]
    places = add(root, table(root, rows, "formula,Paper,gap [eV]"))
    assert [places[identity(formula)] for formula, _ in rows] == [SEALED, ADDED, ADDED, SEALED]
    assert list(sides(root)[0]["paper"][-2:]) == [known, "new"]
    assert check_schema(read_repository(root)).failures == []


def test_a_table_without_the_column_is_refused(mini):
    """Rows of which nobody knows the group are not added; one that has none is set aside."""
    root = made(mini, group="paper")
    with pytest.raises(UsageError) as refused:
        add(root, table(root, [("Ni97W3",)], "formula,gap [eV]"))
    assert refused.value.code == "table.no-column"


def test_where_nothing_is_sealed_nothing_is_left_out(mini):
    """With public evidence there are no sealed inputs to look at."""
    toml = mini / "assay.toml"
    toml.write_text(toml.read_text().replace("[gate]", '[gate]\nevidence = "public"'))
    root = made(mini, group="composition")
    assert not Layout(root).sealed_inputs.exists()
    assert set(add(root, table(root, [("Ni97W3", "x"), ("Fe950Cr50", "y")])).values()) == {ADDED}
