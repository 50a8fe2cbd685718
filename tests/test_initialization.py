"""`assay init`: a table of one's own becomes a split, sealed and configured repository."""

import io
import sys

import numpy as np
import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json

from assay import initialization
from assay.compositions import chemical_system, reduced_formula
from assay.errors import CheckFailedError, NotCarriedOutError, RefusedError, UsageError
from assay.initialization import few_rows, next_steps, read_source
from assay.intake.choices import Choices
from assay.intake.groupings import CannotDecideError
from assay.layout import Layout
from assay.ledger.certificate import read_signer
from assay.repository import read_repository
from assay.sealing.labels import open_labels, open_sealed
from assay.settings import read_settings
from assay.tables import read_numbers, read_table
from assay.verbs import tables
from assay.verbs.tables import bound_agreed
from mini import ANIONS, CATIONS, FORMULAS, VALUES, csv_of, initialize, kept, write_model
from sentences import leftovers, snapshot, told
from toy import assay, git


@pytest.fixture
def root(mini):
    """A repository with a model that fits at once, a pool, and no data yet."""
    return mini


def test_from_csv(root):
    """Rows are divided without shared systems, none is lost, and ids and digits are kept."""
    made = initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    layout = Layout(root)
    train = read_table(layout.train, ["row_id", "formula", "gap [eV]"])
    held_out = read_table(layout.sealed_inputs, ["row_id", "formula"])
    labels = open_labels(layout, "gap [eV]")
    assert (made.train_rows, made.sealed_rows) == (len(train), len(held_out))
    systems = [set(map(chemical_system, part["formula"])) for part in (train, held_out)]
    assert systems[0].isdisjoint(systems[1])
    assert len(systems[1]) == round(0.25 * len(CATIONS) * len(ANIONS))
    assert list(train["row_id"])[:2] == ["t00001", "t00002"]
    assert list(held_out["row_id"])[:2] == ["s00001", "s00002"]
    values = read_numbers(train, "gap [eV]", layout.train)
    found = dict(zip([*train["formula"], *held_out["formula"]], [*values, *labels], strict=True))
    assert found == {reduced_formula(formula): value for formula, value in VALUES.items()}
    assert read_signer(layout)


def test_nothing_in_plain_text(root):
    """No held-out label stands in any file that git would take, nor in a left-over one."""
    (root / "data" / "sealed_labels.csv").write_text("row_id,gap\ns00001,9.87654321\n")
    (root / "mine.csv").rename(root.parent / "mine.csv")
    initialize(root, str(root.parent / "mine.csv"), "gap [eV]", None)
    layout = Layout(root)
    content = b"".join(snapshot(root).values())
    hidden = {str(value).encode() for value in open_labels(layout, "gap [eV]")}
    shown = set(pd.read_csv(layout.train, dtype=str)["gap [eV]"].map(str.encode))
    rare = {value for value in hidden - shown if len(value) > 5}
    assert len(rare) > 10
    assert not any(value in content for value in rare)
    assert any(value in content for value in shown), "the search would find a label"
    assert not layout.open_labels.exists()
    assert b"9.87654321" not in content
    assert not leftovers(root / "data")


def test_configuration(root):
    """Column, unit and margin are set, stale bounds go, the person's comments stay."""
    told = read_settings(root).target
    line = f"A model of **{told.column}** (unit: {told.unit}) from formulas."
    (root / "README.md").write_text(line)
    made = initialize(root, str(root / "mine.csv"), "gap [eV]", "eV [indirect] #2")
    text = (root / "assay.toml").read_text()
    settings = read_settings(root)
    assert settings.target.column == "gap [eV]"
    assert settings.target.kind == "number"
    assert settings.target.unit == "eV [indirect] #2"
    assert settings.target.lower == 0
    assert settings.gate.margin == made.model.margin
    assert "# mine" in text
    assert "# the margin is frozen" in text
    assert "**gap [eV]** (unit: eV [indirect] #2) from" in (root / "README.md").read_text()
    card = (root / "data" / "README.md").read_text()
    assert "mine.csv" in card
    assert str(len(VALUES)) in card


def test_bounds_of_the_same_target_stay(root):
    """Fresh rows of the configured target keep its bounds."""
    (root / "mine.csv").write_text(csv_of(VALUES, "old [eV]"))
    initialize(root, str(root / "mine.csv"), None, None)
    assert read_settings(root).target.lower == -10.0


@pytest.mark.parametrize(
    ("name", "values", "lower"),
    [
        ("gap [eV]", VALUES, 0.0),
        ("gap [eV]", dict.fromkeys(FORMULAS[:9], 0.0) | dict(list(VALUES.items())[9:]), 0.0),
        ("gap [eV]", VALUES | {"NaCl": -1e-9}, -np.inf),
        ("melting point [°C]", VALUES, -np.inf),
        ("log10_k_vrh", VALUES, -np.inf),
        ("old [eV]", VALUES, -10.0),
    ],
)
def test_a_lower_bound_is_proposed_where_no_label_is_negative(root, name, values, lower):
    """It is 0, on a scale that begins there, unless `assay.toml` has one; the page says it."""
    (root / "mine.csv").write_text(csv_of(values, name))
    unit = None if "[" in name else "1"
    initialize(root, str(root / "mine.csv"), name, unit)
    assert read_settings(root).target.lower == lower
    page = (root / "out" / "intake" / "summary.txt").read_text()
    assert ("lower = 0" in page) == (lower == 0.0 or name.startswith("old"))


def test_a_person_may_refuse_the_bound(root, monkeypatch):
    """On a terminal it is asked for; elsewhere nobody is, and it is written."""
    found = read_source(root, str(root / "mine.csv"), Choices(target="gap [eV]"))
    assert bound_agreed(found)
    monkeypatch.setattr(tables, "_on_terminal", lambda: True)
    for word in (True, False):
        monkeypatch.setattr(tables.typer, "confirm", lambda *_, word=word, **__: word)
        assert bound_agreed(found) is word
    initialize(root, str(root / "mine.csv"), "gap [eV]", bounded=False)
    assert read_settings(root).target.lower == -np.inf


@pytest.mark.parametrize(("rows", "share"), [(30, 0.05), (31, 0.10)])
def test_margin(root, monkeypatch, rows, share):
    """The margin is 5 % of the public error, 10 % if the sealed set is small, in three digits."""
    from assay.datasets import read_dataset
    from assay.model.builder import load_builder
    from assay.model.training import fit_out_of_fold
    from assay.planning import first_model

    monkeypatch.setattr(first_model, "SMALL_SET", rows)
    made = initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    assert made.sealed_rows == 30
    repository = read_repository(root)
    data = read_dataset(repository)
    predicted = fit_out_of_fold(load_builder(repository), data, repository.settings).out_of_fold
    assert made.model.margin == float(f"{share * np.abs(predicted - data.target).mean():.3g}")


def test_class(root):
    """A yes/no column makes a class of 1 and 0, and sets the kind."""
    write_model(root, "LogisticRegression")
    answers = {f: "yes" if i % 3 else "No" for i, f in enumerate(FORMULAS)}
    (root / "mine.csv").write_text(csv_of(answers, "metal"))
    initialize(root, str(root / "mine.csv"), "metal", "1")
    assert read_settings(root).target.kind == "class"
    assert set(pd.read_csv(root / "data" / "train.csv")["metal"]) == {0, 1}
    assert set(open_labels(Layout(root), "metal")) == {0.0, 1.0}


def test_matminer_dataset(root, tmp_path, monkeypatch):
    """A dataset that matminer has fetched before is divided and sealed like a CSV."""
    monkeypatch.setenv("MATMINER_DATA", str(tmp_path))
    frame = pd.DataFrame({"composition": FORMULAS, "gap expt": VALUES.values()})
    store_dataframe_as_json(frame, str(tmp_path / "matbench_expt_gap.json.gz"), pbar=False)
    made = initialize(root, "matbench_expt_gap", "gap expt", "eV")
    assert made.train_rows + made.sealed_rows == len(FORMULAS)
    assert "matbench_expt_gap" in (root / "data" / "README.md").read_text()
    assert len(open_labels(Layout(root), "gap expt")) == made.sealed_rows


def test_kept_table(root):
    """The table that the template set aside is the source when none is named."""
    (root / ".assay" / "source").mkdir(parents=True)
    (root / "mine.csv").rename(root / ".assay" / "source" / "mine.csv")
    assert initialize(root, None, "gap [eV]", None).sealed_rows == 30


@pytest.fixture
def divided(root):
    """A repository whose rows are divided already and not yet sealed, as the example ships."""
    layout = Layout(root)
    rows = list(VALUES.items())
    parts = [("t", layout.train, rows[:90]), ("s", layout.sealed_inputs, rows[90:])]
    for letter, path, part in parts:
        frame = pd.DataFrame(part, columns=["formula", "old [eV]"])
        frame.insert(0, "row_id", [f"{letter}{n:05d}" for n in range(1, len(part) + 1)])
        if letter == "s":
            frame[["row_id", "old [eV]"]].to_csv(layout.open_labels, index=False)
            frame = frame[["row_id", "formula"]]
        frame.to_csv(path, index=False)
    return root


def test_shipped_split(divided):
    """Without a source the split that is there is sealed, cell for cell; nothing else moves."""
    layout = Layout(divided)
    labels, before = layout.open_labels.read_text(), snapshot(divided / "data")
    made = initialize(divided, None, None, None)
    assert (made.train_rows, made.sealed_rows) == (90, 30)
    table = pd.read_csv(io.BytesIO(open_sealed(layout)[0].labels), dtype=str)
    assert list(table["formula"]) == list(pd.read_csv(layout.sealed_inputs)["formula"])
    assert table.drop(columns="formula").to_csv(index=False) == labels
    after = snapshot(divided / "data")
    assert before.keys() - after.keys() == {"sealed_labels.csv"}
    assert after.keys() - before.keys() == {"sealed_labels.bin"}
    assert all(after[name] == before[name] for name in after.keys() & before.keys())


@pytest.mark.parametrize(
    ("name", "old", "new", "kind", "parts"),
    [
        ("sealed_labels.csv", "s00003,", "s00004,", NotCarriedOutError, ["sealed_inputs.csv"]),
        ("sealed_labels.csv", "s00030,", "s00030,x", UsageError, ["line 31", "old [eV]"]),
        ("sealed_labels.csv", "old [eV]", "gap", UsageError, ["'old [eV]'"]),
        ("sealed_inputs.csv", "formula", "material", UsageError, ["'formula'"]),
        ("train.csv", "t00003,", "t00003,,", UsageError, ["line 4", "4 cells"]),
    ],
)
def test_bad_split(divided, name, old, new, kind, parts):  # noqa: PLR0913 (a table)
    """Labels that could never be scored are not sealed: nothing is written."""
    path = divided / "data" / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    before = snapshot(divided)
    with told(kind, kind.exit_code, *parts):
        initialize(divided, None, None, None)
    assert snapshot(divided) == before


def test_second_time(root):
    """An initialised repository is not initialised again, and stays as it is."""
    initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    before = kept(root)
    with told(RefusedError, 1, "sealed_labels.bin", "initialised"):
        initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    (root / "data" / "sealed_labels.bin").unlink()
    with told(RefusedError, 1, "sealing.key", "move it away"):
        initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    (root / ".assay" / "keys" / "sealing.key").unlink()
    (root / "certificate.pub").rename(root / "old.pub")
    with told(RefusedError, 1, "signing.key", "move it away"):
        initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    (root / "old.pub").rename(root / "certificate.pub")
    initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    after = kept(root)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"data/sealed_labels.bin", ".assay/keys/sealing.key"}


def test_labels_that_git_would_commit(root):
    """A table inside the repository is refused unless git ignores it, and nothing is written."""
    git(root, "init", "--quiet")
    before = snapshot(root)
    with told(RefusedError, 1, "mine.csv", "git would commit it", ".assay/source"):
        initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    assert snapshot(root) == before
    (root / ".gitignore").write_text("/.assay/\n")
    (root / ".assay" / "source").mkdir(parents=True)
    (root / "mine.csv").rename(root / ".assay" / "source" / "mine.csv")
    assert initialize(root, None, "gap [eV]", None).sealed_rows


@pytest.mark.parametrize(
    ("table", "target", "parts"),
    [
        (csv_of(VALUES, "gp"), "gap", ["no column 'gap'", "mine.csv", "--target", "'gp'"]),
        (csv_of(VALUES).replace("formula", "x").replace(",", ",1"), "gap [eV]", ["--formula"]),
        (csv_of({**VALUES, "O2Li2": 5}), "gap [eV]", ["1 composition", "--duplicates", "median"]),
        ("", "gap [eV]", ["empty"]),
        (csv_of({"NaCl": 1, "Na2Cl": 2}), "gap [eV]", ["mine.csv", "1 chemical system"]),
        (csv_of({"NaCl": 1, "KCl": 2, "LiF": 3}), "gap [eV]", ["2 chemical systems", "3 folds"]),
        (csv_of(dict.fromkeys(VALUES, 2)), "gap [eV]", ["2 in every row", "--target"]),
        (csv_of(VALUES), "formula", ["'formula'"]),
        (
            csv_of({f: "yes" if i % 2 else "no" for i, f in enumerate(VALUES)}),
            "gap [eV]",
            ["Ridge"],
        ),
    ],
)
def test_bad_sources(root, table, target, parts):
    """Each is one sentence and exit code 2, and leaves every file as it was."""
    (root / "mine.csv").write_text(table)
    before = kept(root)
    with told(UsageError, 2, *parts):
        initialize(root, str(root / "mine.csv"), target, None)
    assert kept(root) == before


def test_repeated_rows(root):
    """Rows that repeat a composition within the tolerance are left out, and counted aloud."""
    near = {"O2Li2": VALUES["LiO"] + 0.04, "F3Na3": VALUES["NaF"]}
    (root / "mine.csv").write_text(csv_of({**VALUES, **near}))
    done = assay(root, "init", "mine.csv", "--target", "gap [eV]", "--anyway")
    assert done.returncode == 0, done.stderr
    assert "2 compositions in several rows" in done.stdout
    assert "90 rows to train on, 30 sealed" in done.stdout
    tolerance = read_settings(root).data.duplicate_tolerance
    assert tolerance == pytest.approx(
        0.05 * np.subtract(*np.quantile([*VALUES.values(), *near.values()], [0.75, 0.25])), rel=0.01
    )


def test_tolerance_of_the_configuration(root):
    """`data.duplicate_tolerance` decides where it is set, so a wider one lets the rows through."""
    (root / "mine.csv").write_text(csv_of({**VALUES, "O2Li2": VALUES["LiO"] + 0.2}))
    with told(UsageError, 2, "rejected.csv", "--duplicates"):
        initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    with (root / "assay.toml").open("a") as stream:
        stream.write("\n[data]\nduplicate_tolerance = 0.25\n")
    assert initialize(root, str(root / "mine.csv"), "gap [eV]", None).repeated == 1
    assert read_settings(root).data.duplicate_tolerance == 0.25


def test_a_rule_for_repeated_rows(root):
    """The rule of the command line stands in `assay.toml` and in the data card afterwards."""
    (root / "mine.csv").write_text(csv_of({**VALUES, "O2Li2": VALUES["LiO"] + 3}))
    assert initialize(root, str(root / "mine.csv"), "gap [eV]", duplicates="lowest").repeated == 1
    assert read_settings(root).data.duplicates == "lowest"
    assert "`lowest`" in (root / "data" / "README.md").read_text()


def test_rows_set_aside(root):
    """A few rows that cannot be read stop nothing; they stand in the card and in rejected.csv."""
    (root / "mine.csv").write_text(csv_of({**VALUES, "XxO": 1, "KF.2H2O": 2}))
    done = assay(root, "init", "mine.csv", "--target", "gap [eV]", "--anyway")
    assert done.returncode == 0, done.stderr
    assert "set aside 2 rows" in done.stdout
    assert "122 rows; 2 set aside (2 formula.unreadable)" in (root / "data/README.md").read_text()
    assert len(pd.read_csv(root / "out" / "intake" / "rejected.csv")) == 2


def test_a_class_of_the_template_gets_classifiers(root):
    """For a class the template's regressors become classifiers; an error undoes that."""
    path = root / "src" / "mini_model" / "model.py"
    tree = "DecisionTreeRegressor"
    text = path.read_text().replace("Ridge()", f"{tree}(random_state=seed, max_depth=2)")
    path.write_text(f"from sklearn.tree import {tree}\n{text}")
    drawn = np.random.default_rng(0).choice(["metal", "insulator"], len(FORMULAS))
    answers = dict(zip(FORMULAS, drawn, strict=True))
    (root / "mine.csv").write_text(csv_of(answers, "kind"))
    sound = path.read_text()
    path.write_text(sound.replace("max_depth=2", "max_depth='deep'"))
    before = path.read_text()
    assert assay(root, "init", "mine.csv", "--target", "kind", "--anyway").returncode == 2
    assert path.read_text() == before
    path.write_text(sound)
    made = initialize(root, str(root / "mine.csv"), "kind")
    assert made.changed == "src/mini_model/model.py"
    assert "DecisionTreeClassifier(" in path.read_text()
    assert read_settings(root).target.classes == ("insulator", "metal")
    assert made.changed.startswith("src/")
    assert " src " in next_steps(root)


def test_sealed_row_without_features(root):
    """A row that would be sealed and that the model cannot take is named before anything is."""
    path = root / "src" / "mini_model" / "model.py"
    path.write_text(path.read_text().replace("Stoichiometry", "Magpie"))
    layout = Layout(root)
    layout.train.write_text(
        "row_id,formula,old [eV]\n"
        + "".join(f"t{n:05d},{f},{v}\n" for n, (f, v) in enumerate(VALUES.items(), 1))
    )
    layout.sealed_inputs.write_text("row_id,formula\ns00001,HeBr\n")
    layout.open_labels.write_text("row_id,old [eV]\ns00001,1\n")
    before = snapshot(root)
    with told(UsageError, 2, "cannot be fitted", "He"):
        initialize(root, None, None, None)
    assert snapshot(root) == before


def systems(root, number):
    """A table with one row for each of so many chemical systems."""
    cations = [
        *CATIONS,
        *[
            "Rb",
            "Cs",
            "Sr",
            "Ba",
            "Sc",
            "V",
            "Cr",
            "Mn",
            "Co",
            "Ni",
            "Cu",
            "Zn",
            "Y",
            "Zr",
            "Nb",
            "Mo",
        ],
    ]
    formulas = [f"{cation}{anion}" for cation in cations for anion in ANIONS][:number]
    (root / "mine.csv").write_text(csv_of({f: 1 + 0.37 * i % 7 for i, f in enumerate(formulas)}))


def test_a_set_that_can_decide_nothing_is_not_sealed(root, monkeypatch):
    """Below the least number of groups `init` names the share that suffices."""
    systems(root, 108)
    monkeypatch.setattr(initialization, "HOPELESS", 0.0)  # labels here are noise
    before = kept(root)
    with told(RefusedError, 1, "27 effective groups", "below 30", "--sealed-fraction 0.3."):
        initialize(root, str(root / "mine.csv"), "gap [eV]", anyway=False)
    assert kept(root) == before
    made = initialize(root, str(root / "mine.csv"), "gap [eV]", fraction=0.3, anyway=False)
    assert made.sealed_rows == 33
    assert read_settings(root).split.sealed_fraction == 0.3


def test_a_set_that_can_never_decide_is_sealed_on_a_word_alone(root):
    """Where no share suffices the way on is more rows, or `--anyway`."""
    systems(root, 40)
    with told(CannotDecideError, 1, "10 effective groups", "--evidence public", "--anyway"):
        initialize(root, str(root / "mine.csv"), "gap [eV]", anyway=False)
    assert initialize(root, str(root / "mine.csv"), "gap [eV]", anyway=True).sealed_rows == 10


def test_the_pool_is_of_the_tables_chemistry(root):
    """The example's pool gives way to compositions near the table, or to a person's list."""
    initialize(root, str(root / "mine.csv"), "gap [eV]")
    pool = list(read_table(Layout(root).pool, ["row_id", "formula"])["formula"])
    assert len(pool) == 300
    assert not {*pool} & {*map(reduced_formula, VALUES)}
    assert "KBr" not in pool


def test_a_pool_of_ones_own(root):
    """`--pool` takes what will be predicted."""
    (root / "wanted.csv").write_text("formula\nNaBr\nRbI\n")
    initialize(root, str(root / "mine.csv"), "gap [eV]", pool=root / "wanted.csv")
    assert list(read_table(Layout(root).pool, ["formula"])["formula"]) == ["NaBr", "RbI"]


def test_columns_of_slices(root):
    """A column that a slice is named by goes along, on both sides; a missing one is told."""
    with (root / "assay.toml").open("a") as stream:
        stream.write('\n[[gate.slices]]\nname = "noted"\ncolumn = "note"\nvalues = ["note 1"]\n')
    initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    layout = Layout(root)
    train = read_table(layout.train, [])
    held_out = read_table(layout.sealed_inputs, [])
    assert list(train.columns) == ["row_id", "formula", "note", "gap [eV]"]
    assert list(held_out.columns) == ["row_id", "formula", "note"]
    notes = {f"note {n}" for n in range(len(VALUES))}
    assert {*train["note"], *held_out["note"]} == notes


def test_column_of_a_slice_is_missing(root):
    """Without the column nothing is written."""
    with (root / "assay.toml").open("a") as stream:
        stream.write('\n[[gate.slices]]\nname = "old"\ncolumn = "age"\nvalues = ["old"]\n')
    before = kept(root)
    with told(UsageError, 2, "mine.csv", "'age'"):
        initialize(root, str(root / "mine.csv"), "gap [eV]", None)
    assert kept(root) == before


def test_no_source(root):
    """With neither rows nor a source the sentence says what to name."""
    with told(UsageError, 2, "sealed_labels.csv", "name a CSV"):
        initialize(root, None, None, None)


@pytest.mark.parametrize("words", [{"unit": "eV"}, {"target": "x"}, {"fraction": 0.3}])
def test_words_about_a_table_that_is_not_there_are_refused(divided, words):
    """What is said of a table is not lost in silence where the rows are divided already."""
    before = kept(divided)
    with told(UsageError, 2, "divided already", "assay.toml"):
        initialize(divided, None, **words)
    assert kept(divided) == before


def test_element_without_features(root):
    """Rows that the model's features cannot take are set aside at intake, each with its element."""
    path = root / "src" / "mini_model" / "model.py"
    path.write_text(path.read_text().replace("Stoichiometry", "Magpie"))
    rare = {"HeBr": 1, "Ne2O": 2, "XxO": 3}
    (root / "mine.csv").write_text(csv_of({**VALUES, **rare}))
    found = read_source(root, str(root / "mine.csv"), Choices(target="gap [eV]"))
    told_of = {fault.value: (fault.code, fault.reason) for fault in found.faults}
    assert [told_of[text][0] for text in rare] == [
        "formula.no-features",
        "formula.no-features",
        "formula.unreadable",
    ]
    assert "of He" in told_of["HeBr"][1]
    assert "of Ne" in told_of["Ne2O"][1]
    assert "mini_model.model" not in sys.modules  # what init changes there is imported again
    made = initialize(root, str(root / "mine.csv"), "gap [eV]")
    assert made.train_rows + made.sealed_rows == len(VALUES)
    assert "2 formula.no-features" in (root / "data" / "README.md").read_text()


def test_features_that_take_any_element_set_nothing_aside(root):
    """Whether a formula has features is for the repository's own to say."""
    (root / "mine.csv").write_text(csv_of({**VALUES, "HeBr": 1}))
    found = read_source(root, str(root / "mine.csv"), Choices(target="gap [eV]"))
    assert (found.set_aside, len(found.rows)) == (0, len(VALUES) + 1)


def test_a_feature_without_a_finite_value(root):
    """An infinite feature is no number either, and is named as a missing one is."""
    path = root / "src" / "mini_model" / "model.py"
    text = path.read_text().replace(
        "StoichiometryFeatures(),",
        "FunctionTransformer(lambda x: [[1e308 * len(f) ** 9] for f in x['formula']]),",
    )
    path.write_text(f"from sklearn.preprocessing import FunctionTransformer\n{text}")
    (root / "mine.csv").write_text(csv_of({"O": 1, "Fe2O3": 2, "F": 3}))
    found = read_source(root, str(root / "mine.csv"), Choices(target="gap [eV]"))
    assert [(f.value, f.code) for f in found.faults] == [("Fe2O3", "formula.no-features")]


def test_command_line(root):
    """The verb prints sizes, margin and the steps on GitHub; a second time it exits with 1."""
    order = ("init", "mine.csv", "--target", "gap [eV]", "--anyway")
    runs = [assay(root, *order) for _ in range(2)]
    assert runs[0].returncode == 0, runs[0].stderr
    assert "90 rows to train on, 30 sealed" in runs[0].stdout
    for word in ("ASSAY_SEALING_KEY", "ASSAY_SIGNING_KEY", "heldout", "certificate.pub"):
        assert word in runs[0].stdout
    assert "assay seal" in runs[0].stdout
    assert "with 30 sealed rows most verdicts will be INCONCLUSIVE" in runs[0].stdout
    assert "repeat" not in runs[0].stdout
    key = (root / ".assay" / "keys" / "sealing.key").read_text().strip()
    assert key not in runs[0].stdout + runs[0].stderr
    assert runs[1].returncode == RefusedError.exit_code == CheckFailedError.exit_code
    assert runs[1].stderr.count("\n") == 1
    assert "Traceback" not in runs[1].stderr


def test_few_sealed_rows_are_warned_of():
    """Below the smallest set that was studied there is a warning, from it on none."""
    assert "`assay plan`" in str(few_rows(299))
    assert few_rows(300) is None


def test_next_steps_name_the_files(root):
    """The steps name the very files that hold the secrets."""
    keys = Layout(root).keys
    assert str(keys / "sealing.key") in next_steps(root)
    assert str(keys / "signing.key") in next_steps(root)
