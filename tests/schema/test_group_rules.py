"""Groups that stand in a column: whole, compact, apart, and as they are on main."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.clustering import clusters
from schema_samples import NUMBER, SETTINGS, check, commit, edit, found, only, write

COLUMN = "paper"
SEALED_STEELS = [f"Ti{100 - n}Al{n}" for n in (1, 2, 20, 21, 40, 41)]
STEELS = [f"Fe{100 - n}Cr{n}" for n in (1, 2, 10, 11, 20, 21, 30, 31)]

Lines = Callable[[list[str]], None]


@pytest.fixture
def papers(sound: Path) -> Path:
    """The sound repository with a column of papers, 15 to train on and 15 sealed."""
    return with_column(sound, COLUMN, lambda number, side: f"{side}{number // 2}")


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Two dilute series in clusters, iron to train on and titanium sealed."""
    names = [clusters(part, 0.05) for part in (STEELS, SEALED_STEELS)]
    data = tmp_path / "data"
    train = zip(STEELS, names[0], strict=True)
    rows = [f"t{n:05d},{row},{name},{n}" for n, (row, name) in enumerate(train, 1)]
    write(data / "train.csv", "row_id,formula,group,y", rows)
    sealed = zip(SEALED_STEELS, names[1], strict=True)
    rows = [f"s{n:05d},{row},{name}" for n, (row, name) in enumerate(sealed, 1)]
    write(data / "sealed_inputs.csv", "row_id,formula,group", rows)
    write(data / "pool.csv", "row_id,formula,group", ["p00001,Fe98Mn2,Fe99Cr", "p00002,TiO2,TiO2"])
    settings = SETTINGS.format(target='unit = "MPa"') + 'group = "composition"\n'
    (tmp_path / "assay.toml").write_text(settings)
    return tmp_path


def with_column(root: Path, name: str, cell: Callable[[int, str], str]) -> Path:
    """The same tables with a column of groups behind the others."""
    for table, side in (("train.csv", "t"), ("sealed_inputs.csv", "s")):
        path = root / "data" / table
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        write(path, f"{header},{name}", [f"{row},{cell(n, side)}" for n, row in enumerate(rows)])
    settings = SETTINGS.format(target=NUMBER) + f'group = "{name}"\n'
    (root / "assay.toml").write_text(settings)
    return root


def replaced(line: int, old: str, new: str) -> Lines:
    """A change of one line, counted as an editor does."""

    def change(lines: list[str]) -> None:
        assert old in lines[line - 1]
        lines[line - 1] = lines[line - 1].replace(old, new)

    return change


def failures(root: Path) -> set[str]:
    """The rules that a repository breaks."""
    return set(check(root).failed)


def test_sound_groups_pass(papers: Path) -> None:
    """A column of papers breaks no rule as init writes it."""
    assert failures(papers) == set()


def test_sound_clusters_pass(series: Path) -> None:
    """Clusters of dilute series break no rule, though all rows are of two chemical systems."""
    assert failures(series) <= {"systems.enough"}


def test_a_missing_cell_is_found(papers: Path) -> None:
    """A row without a paper would be a group of its own."""
    edit(papers, "train.csv", replaced(4, ",t1", ","))
    assert only(check(papers), "groups.present").line == 4


def test_one_composition_is_in_one_group(papers: Path) -> None:
    """Another spelling under another paper's name is found, under its own it is not."""
    edit(papers, "train.csv", lambda lines: lines.append("t00099,Li2F2,-0.1,t9"))
    assert only(check(papers), "groups.one").line == 32
    edit(papers, "train.csv", replaced(32, ",t9", ",t0"))
    assert not found(check(papers), "groups.one")


@pytest.mark.parametrize("paper", ["s3", "S3", "s3 ", "\uff533"])
def test_no_group_stands_on_both_sides(papers: Path, paper: str) -> None:
    """A row of a sealed paper may not be learnt from, whatever its chemistry or its spelling."""
    edit(papers, "train.csv", lambda lines: lines.append(f"t00099,TiF3,-1,{paper}"))
    assert only(check(papers), "leakage.group").line == 32


def test_a_shared_system_is_no_leak_between_papers(papers: Path) -> None:
    """The promise is new papers: one chemical system may stand on both sides, not one composition.

    By chemical system the same row is refused.
    """
    edit(papers, "train.csv", lambda lines: lines.append("t00099,LiO3,-1,t3"))
    assert not failures(papers)
    edit(papers, "train.csv", replaced(32, "LiO3", "Li2O2"))
    assert failures(papers) == {"leakage.composition"}


def test_a_group_of_main_stays(papers: Path) -> None:
    """Whoever moves a row of main to another paper moves it to another fold: it is not silent."""
    commit(papers)
    edit(papers, "train.csv", replaced(4, ",t1", ",t2"))
    assert only(check(papers), "history.groups").line == 4


def test_a_row_that_is_added_to_a_known_paper_passes(papers: Path) -> None:
    """New rows of known and of new papers need nothing else."""
    commit(papers)
    rows = ["t00098,TiF3,-1,t3", "t00099,TiCl3,-1.1,new"]
    edit(papers, "train.csv", lambda lines: lines.extend(rows))
    assert "history.groups" not in failures(papers)


def test_a_cluster_is_compact(series: Path) -> None:
    """A row far from the composition that its cluster is named after is found, as is a bad name."""
    edit(series, "train.csv", lambda lines: lines.append("t00099,Fe50Cr50,Fe99Cr,9"))
    edit(series, "train.csv", lambda lines: lines.append("t00098,Fe40Cr60,first,9"))
    assert {one.line for one in found(check(series), "groups.extent")} == {10, 11}


def test_a_dilute_series_is_not_divided_by_a_change(series: Path) -> None:
    """A new row within a sealed cluster is refused, whatever cluster it says it is of.

    Titanium with 3.4 % of aluminium is more than 1 % from every sealed row, so no other rule sees
    it; with 10 % it is a composition of its own, and may be learnt from.
    """
    commit(series)
    row = "t00099,Ti966Al34,Ti966Al34,9"
    edit(series, "train.csv", lambda lines: lines.append(row))
    assert {"history.groups"} <= failures(series)
    assert "leakage.near" not in failures(series)
    edit(series, "train.csv", replaced(10, row, "t00099,Ti9Al,Ti9Al,9"))
    assert "history.groups" not in failures(series)


def test_a_new_row_joins_the_cluster_that_it_lies_in(series: Path) -> None:
    """Given one of its own, it would be judged by a model that has learnt its neighbours."""
    commit(series)
    edit(series, "train.csv", lambda lines: lines.append("t00099,Fe975Cr25,Fe975Cr25,9"))
    name = only(check(series), "history.groups").message.split("write ")[1].split(" ")[0]
    edit(series, "train.csv", replaced(10, "Fe975Cr25,9", f"{name},9"))
    assert not found(check(series), "history.groups")
