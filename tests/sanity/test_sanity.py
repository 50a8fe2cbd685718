"""The property-based tests of a model, and that planted faults are caught by the right one."""

import textwrap
from pathlib import Path

import pytest

from assay.errors import NotCarriedOutError
from assay.records import CheckReport
from assay.sanity.check import property_names, run_sanity
from assay.settings import read_settings

pytestmark = pytest.mark.slow  # each test starts a pytest of its own

SETTINGS = """
[project]
name = "toy"
package = "toy"
[target]
column = "y"
lower = -5.0
upper = 200.0
{target}
[gate]
margin = 0.1
[sanity]
examples = 15
"""

# A toy in the place of a bundle: `answer` is called with the formulas and may be at fault.
BUNDLE = """
import itertools, random, types
import numpy as np
import assay.model.bundle
from assay.compositions import parse
from assay.features import missing_properties

pytest_plugins = ["assay.sanity.plugin"]
calls = itertools.count()

def weight(formula):
    composition = parse(formula)
    for element in composition.elements:
        if missing_properties(element.symbol):
            raise ValueError(f"{formula!r} holds {element.symbol}, which has no properties")
    return float(sum(e.Z * f for e, f in composition.fractional_composition.items()))

{answer}

class Toy:
    metadata = types.SimpleNamespace(elements=["Li", "O", "Na", "Cl", "Fe", "Ti"])
    def predict(self, formulas):
        return np.array([answer(formula) for formula in formulas], dtype=float)
    @property
    def model(self):
        return types.SimpleNamespace(predict=self.predict_frame)
    def predict_frame(self, frame):
        return self.predict(list(frame["formula"]))

assay.model.bundle.load_bundle = lambda folder, trusted=(): Toy()
"""

SOUND = "def answer(formula): return weight(formula)"


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A repository with six training rows and a folder in the place of a bundle."""
    (tmp_path / "data").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "out" / "bundle").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntestpaths = ["tests"]\n')
    (tmp_path / "assay.toml").write_text(SETTINGS.format(target=""))
    formulas = ["Li2O", "Na2O", "NaCl", "FeTiO3", "Fe2O3", "LiCl"]
    rows = [f"t{n:05d},{formula},{n}.5" for n, formula in enumerate(formulas, start=1)]
    (tmp_path / "data" / "train.csv").write_text("\n".join(["row_id,formula,y", *rows, ""]))
    return tmp_path


def check(toy: Path, answer: str) -> CheckReport:
    """Run the kit against a toy that answers with the given code."""
    code = BUNDLE.replace("{answer}", textwrap.dedent(answer))
    (toy / "tests" / "conftest.py").write_text(code)
    return run_sanity(toy, read_settings(toy), toy / "out" / "bundle")


def rules(report: CheckReport) -> set[str]:
    """The names of the properties that were falsified."""
    return {finding.rule for finding in report.failures}


def formula_of(report: CheckReport, rule: str) -> str:
    """The falsifying formula of a property."""
    [formula] = [finding.formula for finding in report.failures if finding.rule == rule]
    return str(formula)


def test_a_sound_model_passes_and_leaves_junit(toy: Path) -> None:
    """A model without a fault falsifies nothing, and every property was executed."""
    (toy / "tests" / "conftest.py").write_text(BUNDLE.replace("{answer}", SOUND))
    junit = toy / "junit.xml"
    report = run_sanity(toy, read_settings(toy), toy / "out" / "bundle", junit)
    assert report.findings == []
    assert report.passed
    assert report.executed == len(property_names()) - 1  # no elemental value is declared
    assert "test_threads_agree" in junit.read_text()


def test_sensitivity_to_order_is_caught(toy: Path) -> None:
    """A model that reads the first element alone is falsified by two elements, shrunk."""
    report = check(
        toy,
        """
        def answer(formula):
            weight(formula)
            return float(next(iter(parse(formula))).Z)
        """,
    )
    rule = "test_order_of_elements_does_not_matter"
    assert rules(report) == {rule}
    assert formula_of(report, rule) == "LiO"
    [finding] = report.failures
    assert "LiO gives 3, but OLi gives 8" in finding.message
    assert "@reproduce_failure" in finding.message


def test_sensitivity_to_multiples_is_caught(toy: Path) -> None:
    """A model of amounts instead of shares is falsified by a multiple of a formula."""
    report = check(toy, "def answer(formula): return weight(formula) + parse(formula).num_atoms")
    rule = "test_multiples_of_a_formula_agree"
    assert rules(report) == {rule}
    assert formula_of(report, rule) == "Li"


def test_dependence_on_spelling_is_caught(toy: Path) -> None:
    """A model that looks at brackets is falsified by a bracketed formula."""
    report = check(toy, "def answer(formula): return weight(formula) + formula.count('(')")
    assert rules(report) == {"test_equivalent_spellings_agree"}
    assert "(" in formula_of(report, "test_equivalent_spellings_agree")


def test_a_model_that_is_not_repeatable_is_caught(toy: Path) -> None:
    """A prediction that drifts from call to call is falsified as such."""
    report = check(toy, "def answer(formula): return weight(formula) + 1e-3 * next(calls)")
    assert "test_a_row_does_not_depend_on_its_batch" in rules(report)
    assert "the same formula gives" in " ".join(finding.message for finding in report.failures)


def test_noise_that_cannot_be_replayed_is_caught(toy: Path) -> None:
    """Noise from outside of the seeded generators is reported, though Hypothesis calls it flaky."""
    noise = "random.SystemRandom().random() * (random.SystemRandom().random() < 0.2)"
    report = check(toy, f"def answer(formula): return weight(formula) + {noise}")
    assert "test_a_row_does_not_depend_on_its_batch" in rules(report)


def test_a_prediction_out_of_bounds_is_caught(toy: Path) -> None:
    """A value beyond target.upper, or not a number, is falsified with formula and value."""
    report = check(
        toy,
        """
        def answer(formula):
            return weight(formula) + (1000 if "Ti" in formula else 0)
        """,
    )
    rule = "test_predictions_are_finite_and_within_bounds"
    assert rules(report) == {rule}
    [finding] = report.failures
    assert "Ti" in str(finding.formula)
    assert float(str(finding.value)) > 1000
    assert finding.line is not None


def test_imputing_is_caught(toy: Path) -> None:
    """A model that makes numbers of what it cannot read or featurise is falsified twice."""
    report = check(
        toy,
        """
        def answer(formula):
            try:
                return weight(formula)
            except ValueError:
                return 7.5
        """,
    )
    assert rules(report) == {
        "test_unreadable_formulas_are_refused",
        "test_elements_without_properties_are_refused",
    }
    refused = formula_of(report, "test_elements_without_properties_are_refused")
    assert "He" in refused
    assert "7.5" in " ".join(finding.message for finding in report.failures)


def test_side_effects_are_caught(toy: Path) -> None:
    """A model that draws from the global generator is falsified though its answer is right."""
    report = check(
        toy,
        """
        def answer(formula):
            np.random.random()
            return weight(formula)
        """,
    )
    assert rules(report) == {"test_prediction_has_no_side_effects"}


def test_the_elemental_value_is_a_warning(toy: Path) -> None:
    """A declared value of pure elements that the model misses warns, and names the element."""
    (toy / "assay.toml").write_text(SETTINGS.format(target="element_value = 0.0"))
    report = check(toy, SOUND)
    assert report.passed
    [finding] = report.findings
    assert (finding.severity, finding.formula) == ("warning", "Fe")


def test_the_students_tests_count_and_a_skipped_property_fails(toy: Path) -> None:
    """The repository's own property is run; deselecting one of assay's is itself a failure."""
    (toy / "tests" / "test_own.py").write_text(
        textwrap.dedent(
            '''
            from assay.sanity.strategies import in_space
            from hypothesis import given

            @given(formula=in_space(["Na", "Cl"]))
            def test_salt_is_light(predict, formula):
                """Salt is lighter than it is."""
                assert predict([formula])[0] < 12
            '''
        )
    )
    (toy / "tests" / "test_broken.py").write_text("import no_such_module\n")
    report = check(
        toy,
        SOUND
        + "\n\ndef pytest_collection_modifyitems(items):"
        + "\n    items[:] = [i for i in items if 'threads' not in i.name]\n",
    )
    found = {finding.rule: finding for finding in report.failures}
    assert set(found) == {"test_salt_is_light", "test_threads_agree", "collection"}
    assert found["test_salt_is_light"].formula == "NaCl"
    assert found["test_salt_is_light"].file == "tests/test_own.py"
    assert found["collection"].file == "tests/test_broken.py"


def test_without_a_bundle_nothing_is_said(toy: Path) -> None:
    """A missing bundle is an error of the run, not a verdict on a model."""
    with pytest.raises(NotCarriedOutError, match="run `assay train` first"):
        run_sanity(toy, read_settings(toy), toy / "nowhere")


def test_a_crash_of_pytest_is_not_a_pass(toy: Path) -> None:
    """A conftest that ends the process leaves no record: the check could not be carried out."""
    (toy / "tests" / "conftest.py").write_text("import os\nos._exit(0)\n")
    with pytest.raises(NotCarriedOutError, match="before it could report"):
        run_sanity(toy, read_settings(toy), toy / "out" / "bundle")


def test_a_bundle_that_cannot_be_loaded_is_no_verdict(toy: Path) -> None:
    """An empty bundle ends in the loader's own sentence, not in failed properties."""
    (toy / "tests" / "conftest.py").write_text('pytest_plugins = ["assay.sanity.plugin"]\n')
    with pytest.raises(NotCarriedOutError, match=r"no property could be tested: assay\.json"):
        run_sanity(toy, read_settings(toy), toy / "out" / "bundle")
