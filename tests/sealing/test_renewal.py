"""`assay seal fresh`: a new set in the place of a retired one."""

import base64
import stat
from pathlib import Path

import pandas as pd
import pytest

from assay.compositions import chemical_system
from assay.errors import (
    CheckFailedError,
    RefusedError,
    UsageError,
)
from assay.layout import Layout
from assay.ledger.certificate import read_signer
from assay.repository import read_repository
from assay.schema.check import check_schema
from assay.sealing import encryption, renewal
from assay.sealing.encryption import SEALING
from assay.sealing.labels import digest_of_formulas, open_labels, open_sealed, sealed_digest
from assay.sealing.releases import LABELS, folder_of, read_release, write_release
from assay.settings import read_settings, with_value
from mini import ANIONS, VALUES, csv_of, initialize, kept, seal_fresh
from sentences import leftovers, snapshot, told
from toy import assay

TARGET = "gap [eV]"
CATIONS = ("Rb", "Cs", "Sr", "Ba", "Sc", "V", "Cr", "Mn")
SECOND = ("Y", "Zr", "Nb", "Mo", "Co", "Ni", "Cu")
PAIRED = (("Fe", "Cr"), ("Ti", "Al"), ("Cu", "Zn"))
PAIRS = [f"{cation}{anion}" for cation in CATIONS for anion in ANIONS]
FRESH = {formula: 2 + 0.01 * i for i, formula in enumerate(PAIRS)}


@pytest.fixture
def unretired(mini):
    """A sealed repository, with a table of fresh rows beside it."""
    (mini / "mine.csv").rename(mini.parent / "mine.csv")
    initialize(mini, str(mini.parent / "mine.csv"), TARGET, None)
    source(mini).write_text(csv_of(FRESH))
    return mini


@pytest.fixture
def root(unretired):
    """The same, its set retired."""
    layout = Layout(unretired)
    write_release(layout, sealed_digest(layout), open_sealed(layout)[0], "use\n")
    return unretired


def source(root):
    """The table of fresh rows."""
    return root.parent / "fresh.csv"


def table(path):
    """A table as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)  # NaN is sodium nitride


def test_fresh(root):
    """All fresh rows are sealed, all retired ones join the train set, no id stands twice."""
    layout = Layout(root)
    train, inputs = table(layout.train), table(layout.sealed_inputs)
    old_labels, old_name = open_labels(layout, TARGET), sealed_digest(layout)
    made = seal_fresh(root, str(source(root)))
    assert (made.joined_rows, made.train_rows, made.sealed_rows) == (30, 120, len(FRESH))
    now, sealed = table(layout.train), table(layout.sealed_inputs)
    pd.testing.assert_frame_equal(now[:90], train)
    joined = dict(zip(now["formula"][90:], now[TARGET][90:].astype(float), strict=True))
    assert joined == dict(zip(inputs["formula"], old_labels, strict=True))
    assert list(now["row_id"]) == [f"t{n:05d}" for n in range(1, 121)]
    assert list(sealed["row_id"]) == [f"s{n:05d}" for n in range(31, 71)]
    labels = dict(zip(sealed["formula"], open_labels(layout, TARGET), strict=True))
    assert sorted(labels.values()) == sorted(FRESH.values())
    systems = [set(map(chemical_system, part["formula"])) for part in (now, sealed)]
    assert systems[0].isdisjoint(systems[1])
    assert sealed_digest(layout) != old_name
    read_release(folder_of(layout, old_name))


def test_data_checks_hold(root):
    """After the change `assay schema` finds no failure."""
    seal_fresh(root, str(source(root)))
    assert check_schema(read_repository(root)).failures == []


def test_keys(root):
    """A new sealing key takes the place of the old one, which is kept; signing keys stay."""
    layout = Layout(root)
    old, public = encryption.read(layout, SEALING), layout.public_key.read_bytes()
    made = seal_fresh(root, str(source(root)))
    assert encryption.read(layout, SEALING) != old == base64.b64decode(made.kept.read_bytes())
    assert layout.public_key.read_bytes() == public
    assert read_signer(layout)
    assert {stat.S_IMODE(path.stat().st_mode) for path in layout.keys.iterdir()} == {0o600}
    assert encryption.read_next(layout, SEALING) is None


def test_margin(root):
    """The margin is computed anew on all rows that are public now, and comments stay."""
    before = read_settings(root).gate.margin
    made = seal_fresh(root, str(source(root)))
    text = (root / "assay.toml").read_text()
    assert read_settings(root).gate.margin == made.margin != before
    assert "# the margin is frozen" in text


def test_nothing_in_plain_text(root):
    """No fresh label stands in any file of the repository."""
    source(root).write_text(csv_of({f: 3 + i / 7919 for i, f in enumerate(FRESH)}))
    seal_fresh(root, str(source(root)))
    content = b"".join(snapshot(root).values())
    hidden = [str(v).encode() for v in open_labels(Layout(root), TARGET) if len(str(v)) > 6]
    assert len(hidden) > 30
    assert not any(value in content for value in hidden)
    assert str(VALUES["LiO"]).encode() in content
    assert not leftovers(root / "data")


def edit(path, old, new):
    """Replace text in a file that holds it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def refused(root, kind, *parts):
    """Expect a refusal that leaves every file as it was."""
    before = kept(root)
    with told(kind, kind.exit_code, *parts):
        seal_fresh(root, str(source(root)))
    assert kept(root) == before


def test_present_set_must_be_retired(unretired):
    """A set whose labels are not public is not thrown away."""
    refused(unretired, RefusedError, "not retired", "labels.csv", "assay seal retire")


def test_init_seals_nothing_after_a_retirement(root):
    """With the sealed file gone, `init` does not seal rows whose labels may be public."""
    Layout(root).sealed_labels.unlink()
    (Layout(root).keys / "sealing.key").unlink()
    before = snapshot(root)
    with told(RefusedError, 1, "data/retired", "assay seal fresh"):
        initialize(root, str(root.parent / "mine.csv"), TARGET, None)
    assert snapshot(root) == before


def test_labels_must_be_sealed(root):
    """With open labels there is nothing to renew."""
    Layout(root).sealed_labels.unlink()
    refused(root, RefusedError, "sealed_labels.bin", "assay init")


def test_published_labels_must_be_those_committed_to(root):
    """What joins the train set is checked."""
    layout = Layout(root)
    path = folder_of(layout, sealed_digest(layout)) / LABELS
    edit(path, "\n", " \n")
    refused(root, CheckFailedError, "labels.csv", "commits to")


@pytest.mark.parametrize(
    ("values", "kind", "parts"),
    [
        ({"Li7O": 1}, RefusedError, ["line 42", "Li7O", "the same system in data/", "take them"]),
        ({"ORb": 9}, UsageError, ["1 composition", "rejected.csv", "--duplicates"]),
        ({"RbI": "n/a", "RbP": "", "Xx": 2}, RefusedError, ["7.0%", "--set-aside"]),
        ({"RbI": -11}, UsageError, ["line 42", "outside of -10 to inf", "1 such rows"]),
    ],
)
def test_bad_rows(root, values, kind, parts):
    """Every bad row is named by its line, and nothing is written."""
    text = with_value((root / "assay.toml").read_text(), "target", "lower", "-10.0")
    (root / "assay.toml").write_text(text)
    source(root).write_text(csv_of({**FRESH, **values}))
    refused(root, kind, source(root).name, *parts)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (csv_of({f: n for n, f in enumerate(PAIRS[:29])}), ["29.0 effective groups", "below 30"]),
        (
            csv_of({**FRESH, **{f"Rb{n}O": 1 for n in range(2, 9)}}),
            ["21.4 effective groups", "below 30"],
        ),
        (csv_of({f: "yes" if i % 2 else "no" for i, f in enumerate(FRESH)}), ["is a class"]),
        (csv_of(FRESH, "band"), ["'gap [eV]'", "--target"]),
        (csv_of(FRESH, "gap [meV]"), ["in meV", "'eV'", "--unit"]),
    ],
)
def test_bad_tables(root, text, parts):
    """Nor is a table that cannot be a sealed set of this repository."""
    source(root).write_text(text)
    refused(root, UsageError, source(root).name, *parts)


def test_committed_source(root):
    """Labels that git knows are no secret any more."""
    from toy import commit, git

    git(root, "init", "--quiet")
    (root / "fresh.csv").write_text(source(root).read_text())
    commit(root, "Oops")
    refused(root, RefusedError, "fresh.csv is in git")


def test_failing_data_checks_are_foreseen(root):
    """What `assay schema` would say afterwards is said before anything is written."""
    edit(root / "assay.toml", "[split]", "upper = 7.5\n\n[split]")
    refused(root, CheckFailedError, "data checks would fail", "data/train.csv", "outside of")


RULE = """
[[gate.slices]]
name = "noted"
column = "note"
values = ["note 1"]
"""


def test_column_of_a_slice(mini):
    """The column that a slice is named by comes along, for retired and for fresh rows."""
    layout = Layout(mini)
    (mini / "assay.toml").write_text((mini / "assay.toml").read_text() + RULE)
    table(layout.pool).assign(note="").to_csv(layout.pool, index=False)
    (mini / "mine.csv").rename(mini.parent / "mine.csv")
    initialize(mini, str(mini.parent / "mine.csv"), TARGET, None)
    write_release(layout, sealed_digest(layout), open_sealed(layout)[0], "")
    inputs = table(layout.sealed_inputs)
    source(mini).write_text(csv_of(FRESH).replace("note,", "remark,"))
    refused(mini, UsageError, "fresh.csv", "'note'")
    source(mini).write_text(csv_of(FRESH))
    seal_fresh(mini, str(source(mini)))
    assert list(table(layout.train)["note"][90:]) == list(inputs["note"])
    assert sorted(table(layout.sealed_inputs)["note"]) == sorted(f"note {n}" for n in range(40))
    assert "note" not in read_release(folder_of(layout, sealed_before(inputs)))[1]


def sealed_before(inputs):
    """The name of the set with these inputs."""
    return digest_of_formulas(list(inputs["formula"]))


def test_rows_of_the_retired_set_that_train_has(root):
    """A composition that train holds by now does not join a second time."""
    layout = Layout(root)
    formula = table(layout.sealed_inputs)["formula"][0]
    with layout.train.open("a") as stream:
        stream.write(f"t00777,{formula},1.5\n")
    made = seal_fresh(root, str(source(root)))
    now = table(layout.train)
    assert (made.joined_rows, made.train_rows) == (29, 120)
    assert list(now["formula"]).count(formula) == 1
    assert list(now["row_id"][91:]) == [f"t{n:05d}" for n in range(778, 807)]


def test_twice(root):
    """A second set follows once the first fresh one is retired; ids go on counting."""
    layout = Layout(root)
    seal_fresh(root, str(source(root)))
    source(root).write_text(csv_of({f"{c}{a}": i for i, c in enumerate(SECOND) for a in ANIONS}))
    refused(root, RefusedError, "not retired")
    write_release(layout, sealed_digest(layout), open_sealed(layout)[0], "")
    made = seal_fresh(root, str(source(root)))
    assert made.train_rows == 120 + len(FRESH)
    assert table(layout.sealed_inputs)["row_id"][0] == "s00071"
    assert table(layout.train)["row_id"].is_unique
    assert len(list(layout.retired.iterdir())) == 2


class Crash(BaseException):
    """The power goes."""


@pytest.mark.parametrize("step", range(1, 11))
def test_crash(root, monkeypatch, step):
    """Whichever write is the last one, running the verb again brings everything to its end."""
    layout, replace, done = Layout(root), Path.replace, []
    name, old = sealed_digest(layout), encryption.read(layout, SEALING)
    monkeypatch.setattr(renewal, "_rehearse", lambda *_: None)

    def failing(path, target):
        done.append(target)
        if len(done) == step:
            raise Crash
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", failing)
        with pytest.raises(Crash):
            seal_fresh(root, str(source(root)))
    assert sealed_digest(layout) == name  # which is retired, so nothing passes meanwhile
    made = seal_fresh(root, str(source(root)))
    assert made.train_rows == 120
    assert table(layout.train)["formula"].is_unique
    assert sorted(open_labels(layout, TARGET)) == sorted(FRESH.values())
    known = [base64.b64decode(path.read_bytes()) for path in layout.keys.glob("sealing*")]
    assert old in known
    assert not list(layout.keys.glob("*.next.key"))


def test_crash_is_planted(root, monkeypatch):
    """The writing has eight steps, so the test above leaves none out."""
    done, replace = [], Path.replace
    monkeypatch.setattr(renewal, "_rehearse", lambda *_: None)
    monkeypatch.setattr(Path, "replace", lambda a, b: (done.append(b), replace(a, b))[1])
    seal_fresh(root, str(source(root)))
    assert len(done) == 10
    assert done[-1] == Layout(root).sealed_inputs


def test_command_line(root):
    """The verb prints sizes, margin, files and steps, and no key; again it exits with 1."""
    runs = [assay(root, "seal", "fresh", str(source(root))) for _ in range(2)]
    assert runs[0].returncode == 0, runs[0].stderr
    assert (
        "30 retired rows joined the train set, which has 120; 40 sealed; margin" in runs[0].stdout
    )
    for path in Layout(root).keys.glob("sealing*"):
        assert str(path) in runs[0].stdout
        assert path.read_text().strip() not in runs[0].stdout + runs[0].stderr
    for word in (SEALING.variable, "heldout", "assay.toml", str(source(root)), "data/README.md"):
        assert word in runs[0].stdout
    assert "data/pool.csv: it has 300 rows, the gate wants 400" in runs[0].stdout
    assert runs[1].returncode == 1
    assert runs[1].stderr.count("\n") == 1
    assert "not retired" in runs[1].stderr


def test_fresh_rows_get_clusters_of_their_own(mini):
    """Where groups are clusters, retired rows keep theirs and fresh ones get new ones."""
    series = {f"{host}{100 - n}{one}{n}": n for host, one in PAIRED for n in (1, 2, 30, 31, 60, 61)}
    table_of = mini.parent / "mine.csv"
    table_of.write_text(csv_of(series))
    initialize(mini, str(table_of), TARGET, "eV", group="composition")
    layout = Layout(mini)
    retired = table(layout.sealed_inputs)
    write_release(layout, sealed_digest(layout), open_sealed(layout)[0], "use\n")
    source(mini).write_text(csv_of(FRESH))
    seal_fresh(mini, str(source(mini)), unit="eV")
    train, sealed = table(layout.train), table(layout.sealed_inputs)
    assert set(train["group"]).isdisjoint(sealed["group"])
    assert list(train["group"][-len(retired) :]) == list(retired["group"])
    assert len(set(sealed["group"])) == len(FRESH)
