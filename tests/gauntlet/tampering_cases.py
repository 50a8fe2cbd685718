"""Pull requests that go for the evaluation itself, or break what configures it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

from assay import wheels
from assay.files import digest_file
from environments import exchange_machinery
from gauntlet.cases import (
    BENCHMARK,
    REFUSED,
    TARGET,
    TRAIN,
    Case,
    Change,
    Row,
    all_of,
    appended,
    edited,
    label,
    margin,
    relabelled,
    replaced,
    some,
    source,
    substituted,
)
from gauntlet.sources import BASE, features

TAMPERING, CONFIGURATION = "evaluation tampering", "workflow and configuration"

ORDER_MATTERS = features(
    "values = np.hstack([magpie(formulas), stoichiometry(formulas)])\n"
    "first = [Element(re.findall('[A-Z][a-z]?', f)[0]).Z / 10 for f in formulas]\n"
    "return np.column_stack([values, first])"
)


def _skipping(condition: str) -> Change:
    return appended(
        "tests/conftest.py",
        "\n\nimport pytest\n\n\ndef pytest_collection_modifyitems(items):\n"
        '    """Leave out what is red."""\n'
        f"    for item in items:\n        if {condition}:\n"
        '            item.add_marker(pytest.mark.skip(reason="flaky"))\n',
    )


def _predictions(edit: Callable[[dict[str, str], Path], None], *, named: bool = True) -> Change:
    """Hand over other predictions; `named` in the card, as the pull request's own code can."""

    def forge(out: Path) -> None:
        path = out / "candidate" / "predictions.csv"
        with path.open(encoding="utf-8") as stream:
            values = {row["row_id"]: row["prediction"] for row in csv.DictReader(stream)}
        edit(values, out)
        lines = [f"{row_id},{value}" for row_id, value in values.items()]
        path.write_text("\n".join(["row_id,prediction", *lines, ""]))
        if named:
            card = out / "candidate" / "candidate.json"
            content = json.loads(card.read_text())
            card.write_text(json.dumps(content | {"predictions_digest": digest_file(path)}))

    return forge


def _noisy(values: dict[str, str], out: Path) -> None:
    for number, (row_id, value) in enumerate(values.items()):
        if row_id.startswith("s"):
            values[row_id] = f"{float(value) + (0.4 if number % 2 else -0.4):.9g}"


def _perfect_on_train(values: dict[str, str], out: Path) -> None:
    _noisy(values, out)
    with (out / "candidate" / "train.csv").open(encoding="utf-8") as stream:
        values |= {row["row_id"]: row[TARGET] for row in csv.DictReader(stream)}


def _empty(values: dict[str, str], out: Path) -> None:
    for row_id in list(values)[-3:]:
        del values[row_id]


def _nan(values: dict[str, str], out: Path) -> None:
    values[next(row_id for row_id in values if row_id.startswith("s"))] = "nan"


def _report(name: str, **fields: object) -> Change:
    def forge(out: Path) -> None:
        path = out / name / f"{name}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | fields))

    return forge


def _removed(name: str) -> Change:
    return lambda out: [path.unlink() for path in (out / name).iterdir()] and None


def _linked(out: Path) -> None:
    path = out / "candidate" / "predictions.csv"
    path.rename(out / "elsewhere.csv")
    path.symlink_to(out / "elsewhere.csv")


def _another_wheel(root: Path) -> None:
    exchange_machinery(root, {"texts.py": ("", "\n# another hint\n")})


def _unpinned(root: Path) -> None:
    lock = root / wheels.LOCK
    lock.write_text(wheels.without_entry(lock.read_text()))


def _other_makefile(root: Path) -> None:
    (root / "GNUmakefile").write_text("machinery:\n\ttrue\n")


def _worse() -> Change:
    return source(BASE.replace("alpha=1.0", "alpha=1000.0"))


def _without_tenth(rows: list[Row]) -> list[Row]:
    return [row for number, row in enumerate(rows) if number % 10]


def tampering() -> list[Case]:
    """Attempts to pass by changing what is asked, or what is answered."""
    return [
        Case(
            "property-skipped",
            TAMPERING,
            "A property that is red is marked to be skipped.",
            "test_threads_agree",
            _skipping('item.name == "test_threads_agree"'),
        ),
        Case(
            "all-skipped",
            TAMPERING,
            "Every property is marked to be skipped.",
            "test_order_of_elements_does_not_matter",
            _skipping("True"),
        ),
        Case(
            "severity-lowered",
            TAMPERING,
            "The bounds of labels become a warning, and a label lies outside.",
            "target.bounds",
            all_of(
                appended("assay.toml", '\n[severity]\n"target.bounds" = "warning"\n'),
                replaced(30, **{TARGET: "99"}),
            ),
        ),
        Case(
            "bounds-widened",
            TAMPERING,
            "The physical bounds are widened for labels that lie outside.",
            "target.bounds",
            all_of(
                substituted("assay.toml", "upper = 5.0", "upper = 500.0"),
                replaced(30, **{TARGET: "99"}),
            ),
        ),
        Case(
            "rows-limit-raised",
            TAMPERING,
            "A tenth of the rows goes, and the limit is raised along with it.",
            "history.rows",
            all_of(
                appended("assay.toml", "\n[data]\nmaximum_rows_removed = 0.5\n"),
                edited(TRAIN, _without_tenth),
            ),
        ),
        Case(
            "tolerance-raised",
            TAMPERING,
            "The order of elements matters, and the tolerance is raised until it does not.",
            "test_order_of_elements_does_not_matter",
            all_of(
                ORDER_MATTERS,
                substituted("assay.toml", "[sanity]\n", "[sanity]\ntolerance = 100.0\n"),
            ),
        ),
        Case(
            "machinery-with-model",
            TAMPERING,
            "Another wheel of assay comes together with a change of the model.",
            "machinery.alone",
            all_of(_another_wheel, source(BASE.replace("alpha=1.0", "alpha=1.1"))),
        ),
        Case(
            "wheel-unpinned",
            TAMPERING,
            "The lock loses the hash of assay's wheel, so that any wheel could take its place.",
            "machinery.pinned",
            _unpinned,
        ),
        Case(
            "margin-raised",
            TAMPERING,
            "The gate's margin is raised together with a model that needs it.",
            "history.policy",
            all_of(_worse(), margin(5.0)),
        ),
        Case(
            "folds-changed",
            TAMPERING,
            "The folds of the public errors are drawn with another seed, and the model changes.",
            "history.policy",
            all_of(
                source(BASE.replace("alpha=1.0", "alpha=1.1")),
                substituted("assay.toml", "folds = 5\nseed = 0", "folds = 5\nseed = 7"),
            ),
        ),
        Case(
            "forged-noise",
            TAMPERING,
            "Predictions of the sealed inputs are altered after the fact, to ask about labels.",
            BENCHMARK,
            forge=_predictions(_noisy),
        ),
        Case(
            "forged-public-errors",
            TAMPERING,
            "Public errors are forged to look better, and the sealed predictions are noise.",
            BENCHMARK,
            forge=_predictions(_perfect_on_train),
        ),
        Case(
            "unnamed-predictions",
            TAMPERING,
            "The predictions handed over are not those that the card names.",
            REFUSED,
            forge=_predictions(_noisy, named=False),
        ),
        Case(
            "rows-missing",
            TAMPERING,
            "Some rows have no prediction.",
            REFUSED,
            forge=_predictions(_empty),
        ),
        Case(
            "nan-handed-over", TAMPERING, "A prediction is nan.", REFUSED, forge=_predictions(_nan)
        ),
        Case(
            "predictions-linked",
            TAMPERING,
            "The predictions are a symbolic link.",
            REFUSED,
            forge=_linked,
        ),
        Case(
            "nothing-executed",
            TAMPERING,
            "The record of the sanity checks says that none was executed.",
            REFUSED,
            forge=_report("sanity", executed=0),
        ),
        Case(
            "other-check",
            TAMPERING,
            "The record of the data checks is handed over as that of the sanity checks.",
            REFUSED,
            forge=_report("sanity", check="schema"),
        ),
        Case(
            "labels-from-the-gate",
            TAMPERING,
            "Train labels are drawn towards what an earlier model predicted.",
            "history.rows",
            relabelled(lambda row: 0.8 * label(row) - 0.08, some(120, seed=3)),
        ),
    ]


def configuration() -> list[Case]:
    """Mistakes and tricks in what is not data and not model."""
    return [
        Case(
            "key-misspelt",
            CONFIGURATION,
            "A key of assay.toml is misspelt.",
            REFUSED,
            substituted("assay.toml", "examples = 25", "exampels = 25"),
        ),
        Case(
            "not-toml",
            CONFIGURATION,
            "assay.toml has an unclosed quote.",
            REFUSED,
            substituted("assay.toml", 'baseline = "mean"', 'baseline = "mean'),
        ),
        Case(
            "one-fold",
            CONFIGURATION,
            "The public errors are to come from a single fold.",
            REFUSED,
            substituted("assay.toml", "folds = 5", "folds = 1"),
        ),
        Case(
            "unknown-rule",
            CONFIGURATION,
            "[severity] names a rule that does not exist.",
            REFUSED,
            appended("assay.toml", '\n[severity]\n"target.bound" = "warning"\n'),
        ),
        Case(
            "package-renamed",
            CONFIGURATION,
            "assay.toml names a package that does not exist.",
            REFUSED,
            substituted("assay.toml", 'package = "formation_enthalpy"', 'package = "enthalpies"'),
        ),
        Case(
            "kind-changed",
            CONFIGURATION,
            "The target is declared a class.",
            "history.target",
            substituted("assay.toml", 'kind = "number"', 'kind = "class"'),
        ),
        Case(
            "key-committed",
            CONFIGURATION,
            "The sealing key is committed along with everything else.",
            "files.no_key",
            _key_committed,
        ),
        Case(
            "makefile-in-front",
            CONFIGURATION,
            "A GNUmakefile is committed, which `make` reads in the place of the Makefile.",
            "files.no_environment",
            _other_makefile,
        ),
        Case(
            "sanity-not-handed-over",
            CONFIGURATION,
            "The job that runs the sanity checks is taken out of the workflow.",
            REFUSED,
            forge=_removed("sanity"),
        ),
        Case(
            "schema-not-handed-over",
            CONFIGURATION,
            "The job that runs the data checks is taken out of the workflow.",
            REFUSED,
            forge=_removed("schema"),
        ),
        Case(
            "tests-broken",
            CONFIGURATION,
            "The repository's own tests cannot be collected.",
            "collection",
            appended("tests/test_my_model.py", "\n\nimport absent_package\n"),
        ),
        Case(
            "own-property-fails",
            CONFIGURATION,
            "A property that the repository declares does not hold.",
            "test_chlorides_are_heavier_than_air",
            appended(
                "tests/test_my_model.py",
                "\n\ndef test_chlorides_are_heavier_than_air(predict):\n"
                '    """Sodium chloride is predicted above 100 eV/atom."""\n'
                '    assert predict(["NaCl"])[0] > 100\n',
            ),
        ),
    ]


def _key_committed(root: Path) -> None:
    path = root / ".assay" / "keys" / "sealing.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("AGE-LIKE-KEY\n")
    (root / ".gitignore").write_text("/out/\n")


def cases() -> list[Case]:
    """All of them."""
    return [*tampering(), *configuration()]
