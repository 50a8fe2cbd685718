"""Pull requests by which a check does not happen, or by half, and the honest ones beside them."""

import json
from pathlib import Path
from typing import Any

from assay.files import digest_file
from assay.layout import Layout
from assay.sealing.encryption import seal
from environments import exchange_machinery
from gauntlet.cases import (
    GOOD,
    POOL,
    REFUSED,
    SEALED,
    Case,
    Change,
    Row,
    all_of,
    appended,
    edited,
    substituted,
)
from gauntlet.data_cases import LEAKAGE
from gauntlet.sources import features
from gauntlet.tampering_cases import CONFIGURATION, ORDER_MATTERS, TAMPERING

OWN = "test_mixtures_stay_near_what_was_measured"
ORDER = "test_order_of_elements_does_not_matter"
TESTS = "tests/test_my_model.py"


def _profile(examples: int) -> Change:
    return appended(
        "tests/conftest.py",
        "\n\ndef pytest_configure(config):\n"
        '    """Try another number of examples."""\n'
        "    from hypothesis import settings\n\n"
        f'    settings.register_profile("mine", max_examples={examples})\n'
        '    settings.load_profile("mine")\n',
    )


_NOTHING_RUNS = appended(
    "tests/conftest.py",
    '\n\ndef pytest_runtest_protocol(item):\n    """Run nothing."""\n    return True\n',
)
_XFAILED = appended(
    "tests/conftest.py",
    "\n\nimport pytest\n\n\ndef pytest_collection_modifyitems(items):\n"
    '    """Expect what is red to fail."""\n'
    '    for item in items:\n        if "threads" in item.name:\n'
    '            item.add_marker(pytest.mark.xfail(reason="flaky"))\n',
)
# among the features, which the bundle loads before the first property runs
_PATCHED = all_of(
    features("return np.hstack([magpie(formulas), stoichiometry(formulas)])"),
    appended(
        "src/formation_enthalpy/features.py",
        "\n\nimport gc\nimport types\n\nfrom hypothesis import settings\n\n"
        "for _test in gc.get_objects():\n"
        '    if type(_test) is types.FunctionType and vars(_test).get("is_hypothesis_test"):\n'
        "        _test._hypothesis_internal_use_settings = settings(max_examples=1)\n",
    ),
)


def _resealed(root: Path) -> None:
    layout = Layout(root)
    rows = b"row_id,formula,formation_enthalpy\n"
    layout.sealed_labels.write_bytes(seal(rows, digest_file(layout.sealed_inputs), bytes(32)))


def _other_key(root: Path) -> None:
    key = Layout(root).public_key
    key.write_text(key.read_text().replace("A", "B"))


def _swapped(rows: list[Row]) -> list[Row]:
    return [rows[1], rows[0], *rows[2:]]


def _tallies(check: str, change: Any) -> Change:
    """Hand over other counts than the check left."""

    def forge(out: Path) -> None:
        path = out / check / f"{check}.json"
        content = json.loads(path.read_text())
        content["tallies"] = [one for each in content["tallies"] for one in change(each)]
        path.write_text(json.dumps(content))

    return forge


def _card(**fields: object) -> Change:
    def forge(out: Path) -> None:
        path = out / "candidate" / "candidate.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | fields))

    return forge


def _wheel(module: str, old: str, new: str) -> Change:
    return lambda root: exchange_machinery(root, {module: (old, new)}) and None


def _pinned(root: Path, version: str) -> None:
    """Pin another version of a package that no model needs."""
    lock = root / "requirements.lock"
    lines = lock.read_text().splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if line.startswith("tqdm=="))
    lines[place] = f"tqdm=={version} \\\n"
    lock.write_text("".join(lines))


def bad() -> list[Case]:
    """What must be red by the name of the check that did not happen."""
    return [
        Case(
            "profile-of-one",
            TAMPERING,
            "A Hypothesis profile of one example is loaded beside a model that fails with more.",
            ORDER,
            all_of(_profile(1), ORDER_MATTERS),
        ),
        Case(
            "own-profile-of-one",
            TAMPERING,
            "A Hypothesis profile tries the author's own property on one example.",
            OWN,
            _profile(1),
        ),
        Case(
            "nothing-runs",
            TAMPERING,
            "A hook of the author's runs no test, beside a model that would fail.",
            ORDER,
            all_of(_NOTHING_RUNS, ORDER_MATTERS),
        ),
        Case(
            "property-xfailed",
            TAMPERING,
            "A property is marked as one that is expected to fail.",
            "test_threads_agree",
            _XFAILED,
        ),
        Case(
            "property-deselected",
            TAMPERING,
            "pytest's options leave a property out.",
            "test_threads_agree",
            substituted(
                "pyproject.toml",
                'addopts = ["--strict-config", ',
                'addopts = ["-k", "not threads", "--strict-config", ',
            ),
        ),
        Case(
            "examples-patched",
            TAMPERING,
            "Code of the model lowers the number of examples of all properties.",
            "test_a_row_does_not_depend_on_its_batch",
            _PATCHED,
        ),
        Case(
            "wheel-without-leakage",
            TAMPERING,
            "A wheel of assay comes by itself that leaves the rules of leakage out.",
            REFUSED,
            _wheel("schema/suites.py", "        *_leakage_rules(train, sealed),\n", ""),
        ),
        Case(
            "wheel-of-one-example",
            TAMPERING,
            "A wheel of assay comes by itself that tries one example a property.",
            REFUSED,
            lambda root: (
                exchange_machinery(
                    root,
                    {
                        "sanity/plugin.py": ("max_examples=sanity.examples", "max_examples=1"),
                        "sanity/shortfalls.py": ('(test.get("examples") or 0) < examples', "False"),
                    },
                )
                and None
            ),
        ),
        Case(
            "rule-not-counted",
            TAMPERING,
            "The record of the data checks has no count for one rule.",
            REFUSED,
            forge=_tallies("schema", lambda one: [one] * (one["name"] != "leakage.near")),
        ),
        Case(
            "rows-not-read",
            TAMPERING,
            "The data checks read half of the train set.",
            REFUSED,
            forge=_tallies("schema", lambda one: [one | {"rows": one["rows"] // 2}]),
        ),
        Case(
            "property-not-counted",
            TAMPERING,
            "The record of the sanity checks has no count for one property.",
            REFUSED,
            forge=_tallies("sanity", lambda one: [one] * (one["name"] != "test_threads_agree")),
        ),
        Case(
            "examples-not-drawn",
            TAMPERING,
            "The record of the sanity checks counts one example a property.",
            REFUSED,
            forge=_tallies("sanity", lambda one: [one | {"examples": one["examples"] and 1}]),
        ),
        Case(
            "nothing-counted",
            TAMPERING,
            "The record of the sanity checks has no counts, as those of an older assay.",
            REFUSED,
            forge=_tallies("sanity", lambda one: []),
        ),
        Case(
            "folds-left-out",
            TAMPERING,
            "The public errors come from two folds, where main asks for five.",
            REFUSED,
            forge=_card(folds=2),
        ),
        Case(
            "sealed-rows-reordered",
            LEAKAGE,
            "Two sealed inputs change places.",
            "kept.inputs",
            edited(SEALED, _swapped),
        ),
        Case(
            "sealed-row-added",
            LEAKAGE,
            "A row without a label is added to the sealed inputs.",
            "kept.inputs",
            edited(SEALED, lambda rows: [*rows, rows[0] | {"row_id": "s90000"}]),
        ),
        Case(
            "labels-resealed",
            LEAKAGE,
            "Other labels are sealed for the same inputs, under another key.",
            "kept.labels",
            _resealed,
        ),
        Case(
            "pool-altered",
            LEAKAGE,
            "A row of the pool becomes another composition.",
            "kept.pool",
            edited(POOL, lambda rows: [rows[0] | {"formula": rows[1]["formula"]}, *rows[1:]]),
        ),
        Case(
            "certificate-key-exchanged",
            CONFIGURATION,
            "The public key that certificates are verified against is another.",
            "kept.key",
            _other_key,
        ),
    ]


def good() -> list[Case]:
    """Honest neighbours of these."""
    said: list[tuple[str, str, Change]] = [
        (
            "fixture-added",
            "The author's conftest gets a fixture.",
            appended(
                "tests/conftest.py",
                "\n\nimport pytest\n\n\n@pytest.fixture\ndef salt():\n"
                '    """Rock salt."""\n    return "NaCl"\n',
            ),
        ),
        ("profile-of-more", "A Hypothesis profile tries more examples.", _profile(40)),
        (
            "slow-property",
            "A property of the author's own is tried on five examples, as it says itself.",
            appended(
                TESTS,
                "\n\nfrom hypothesis import settings\n\n\n@settings(max_examples=5)\n"
                '@given(formula=in_space(["Li", "O"]))\n'
                "def test_lithium_oxides_are_finite(predict: Predict, formula: str) -> None:\n"
                '    """Whatever lithium and oxygen make has a number."""\n'
                "    assert np.isfinite(predict([formula])[0])\n",
            ),
        ),
        (
            "lock-upgraded",
            "A package that the model does not need is locked in a newer version.",
            lambda root: _pinned(root, "99.0"),
        ),
        (
            "workflow-commented",
            "A workflow gets a comment.",
            appended(".github/workflows/gate.yml", "# checks every pull request\n"),
        ),
    ]
    return [Case(name, "good", sentence, GOOD, change) for name, sentence, change in said]


def cases() -> list[Case]:
    """All of them."""
    return [*bad(), *good()]
