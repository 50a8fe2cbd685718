"""Every property of a model is broken by a planted fault that it alone catches."""

# ruff: noqa: F401, F811 (a fixture is imported)

import re
from pathlib import Path

import pytest
from catching import Caught, caught
from planted import SOUND, falsified, weight

from assay.compositions import elements
from assay.sanity.suites import FAST, property_names

TRUE_RELATIONS = """
[[sanity.monotonic]]
along = "O"
direction = "decreasing"
between = ["FeO", "Fe2O3"]
tolerance = 0.0
[[sanity.symmetric]]
exchange = ["Ti", "Fe"]
tolerance = 4.0
"""
# The fault, what catches it, and what is declared beside it.
FAULTS = {
    "test_order_of_elements_does_not_matter": """
        def answer(formula):
            return weight(formula) + 1e-3 * next(iter(parse(formula))).Z
        """,
    "test_multiples_of_a_formula_agree": """
        def answer(formula):
            return weight(formula) + 1e-3 * parse(formula).num_atoms
        """,
    "test_equivalent_spellings_agree": """
        def answer(formula):
            return weight(formula) + 1e-3 * formula.count("(")
        """,
    "test_predictions_are_finite_and_within_bounds": """
        def answer(formula):
            return float("nan") if len(elements(formula)) == 6 else weight(formula)
        """,
    "test_the_bundle_is_of_the_declared_target": """
        def answer(formula):
            return weight(formula)
        def change(model):
            model.metadata.unit = "eV"
        """,
    "test_training_rows_are_predicted_in_their_unit": """
        def answer(formula):
            return weight(formula) / 27.2
        """,
    "test_no_jump_lies_between_two_compositions": """
        def answer(formula):
            most = max(parse(formula).fractional_composition.values())
            return weight(formula) + 500 * (0.95 < most < 0.98)
        """,
    "test_a_row_does_not_depend_on_its_batch": """
        def answer(formula):
            return weight(formula)
        def change(model):
            plain = model.predict
            model.predict = lambda formulas: plain(formulas) + 1e-3 * (len(formulas) == 1)
        """,
    "test_large_batches_change_nothing": """
        def answer(formula):
            return weight(formula)
        def change(model):
            plain = model.predict
            def predict(formulas):
                values = plain(formulas)
                few = len(values) < 1000
                return values if few else np.clip(values, *np.quantile(values, (0.1, 0.9)))
            model.predict = predict
        """,
    "test_earlier_batches_leave_no_trace": """
        state = {"unfinished": False}
        def answer(formula):
            return weight(formula)
        def change(model):
            plain = model.predict
            def predict(formulas):
                before, state["unfinished"] = state["unfinished"], True
                values = plain(formulas)  # a refusal ends here
                state["unfinished"] = False
                return values + 1e-3 * before
            model.predict = predict
        """,
    "test_prediction_has_no_side_effects": """
        def answer(formula):
            np.random.random()
            return weight(formula)
        """,
    "test_threads_agree": """
        import threading
        running = []
        def answer(formula):
            return weight(formula)
        def change(model):
            plain = model.predict
            def predict(formulas):
                running.append(threading.get_ident())
                try:
                    time.sleep(0.001)
                    return plain(formulas) + 1e-3 * (len(set(running)) > 1)
                finally:
                    running.remove(threading.get_ident())
            model.predict = predict
        """,
    "test_unreadable_formulas_are_refused": """
        def answer(formula):
            try:
                parse(formula)
            except ValueError:
                return 7.5
            return weight(formula)
        """,
    "test_elements_without_properties_are_refused": """
        def answer(formula):
            try:
                return weight(formula)
            except ValueError:
                parse(formula)
                return 7.5
        """,
}


# another unit is another scale, too
BOTH = {
    "test_training_rows_are_predicted_in_their_unit": {
        "test_predictions_have_the_scale_of_the_labels"
    }
}


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_caught_by_its_property_alone(caught: Caught, rule: str) -> None:
    """A model with one fault falsifies one property, and no other but for a wider one."""
    caught(FAULTS[rule], wanted={rule} | BOTH.get(rule, set()))


def test_a_sound_model_falsifies_nothing(tmp_path: Path) -> None:
    """A model without a fault passes everything, also in another process, and what is declared."""
    assert falsified(tmp_path, SOUND, TRUE_RELATIONS, spawn=True) == {}


def test_a_reset_of_the_random_generators_is_caught(caught: Caught) -> None:
    """Seeding the global generators is a side effect, with Hypothesis's own seed, 0, as well."""
    caught(
        """
        def answer(formula):
            np.random.seed(0)
            return weight(formula)
        """,
        wanted={"test_prediction_has_no_side_effects"},
    )


def test_a_buffer_that_threads_share_is_caught(caught: Caught) -> None:
    """Rows that lie in one place while they are predicted are mixed up by threads alone."""
    caught(
        """
        buffer = {}
        def answer(formula):
            return weight(formula)
        def change(model):
            plain = model.predict
            def predict(formulas):
                buffer["rows"] = formulas
                time.sleep(0.002)
                return plain(buffer["rows"])
            model.predict = predict
        """,
        wanted={"test_threads_agree"},
    )


def test_a_threshold_on_an_amount_is_caught(caught: Caught) -> None:
    """A cliff at an amount of oxygen breaks continuity: on its two sides, and on ways across it."""
    caught(
        """
        def answer(formula):
            return weight(formula) + 20 * (parse(formula).get_atomic_fraction("O") > 0.6001)
        """,
        wanted={
            "test_no_jump_lies_between_two_compositions",
            "test_small_changes_have_small_effects",
        },
    )


def test_jitter_by_the_composition_is_caught(caught: Caught) -> None:
    """Noise that is the same for the same composition, and small, makes neighbours differ."""
    found = caught(
        """
        def answer(formula):
            fractions = parse(formula).fractional_composition
            shares = sorted((e.Z, round(n, 9)) for e, n in fractions.items())
            return weight(formula) + 2 * random.Random(str(shares)).random()
        """,
        wanted={"test_neighbours_of_training_rows_are_usually_close"},
    )
    [error] = found.values()
    assert 0 <= float(error.value) - weight(error.formula) <= 2


def test_another_process_is_another(caught: Caught) -> None:
    """A model that depends on the hashes of text, which differ by process, is caught alone."""
    caught(
        """
        def answer(formula):
            key = "-".join(sorted(elements(formula)))
            return weight(formula) + 1e-3 * (hash(key) % 7)
        """,
        spawn=True,
        wanted={"test_processes_agree"},
    )


def test_a_file_beside_the_bundle_is_caught(
    caught: Caught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that reads a file of the repository when it predicts is caught alone, and told so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shift.txt").write_text("0.5")
    found = caught(
        """
        def answer(formula):
            return weight(formula) + float(open("shift.txt").read())
        """,
        spawn=True,
        wanted={"test_processes_agree"},
    )
    assert re.fullmatch(
        r"the model predicts only where the repository's files lie: put what it needs into the "
        r"model or the package \(FileNotFoundError: .*'shift.txt'\)",
        str(found["test_processes_agree"]),
    )


def test_another_answer_without_its_file_is_caught(
    caught: Caught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that goes on without the file that it looks for predicts something else there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shift.txt").write_text("0.5")
    caught(
        """
        from pathlib import Path
        def answer(formula):
            return weight(formula) + 0.5 * Path("shift.txt").exists()
        """,
        spawn=True,
        wanted={"test_processes_agree"},
    )


def test_a_parser_of_plain_brackets_is_caught(caught: Caught) -> None:
    """A model that knows one level of round brackets, and overlooks others, is caught alone."""
    caught(
        r"""
        import re
        def spread(group):
            return "".join(f"{s}{float(n or 1) * int(group[2] or 1)}"
                           for s, n in re.findall(r"([A-Z][a-z]?)([\d.]*)", group[1]))
        def answer(formula):
            parse(formula)
            flat = re.sub(r"\(([A-Za-z\d.]+)\)(\d*)", spread, formula)
            return weight(re.sub(r"[()\[\]{}]\d*", "", flat))
        """,
        wanted={"test_equivalent_spellings_agree"},
    )


def test_a_slow_model_is_caught(caught: Caught) -> None:
    """A model that answers fewer rows a second than asked for is caught alone."""
    caught(
        """
        def answer(formula):
            time.sleep(0.002 * formula.startswith("("))
            return weight(formula)
        """,
        "rows_per_second = 600",
        spawn=True,
        wanted={"test_rows_per_second"},
    )


def test_a_greedy_model_is_caught(caught: Caught) -> None:
    """A model that holds more memory than it may, if only for a moment, is caught alone."""
    caught(
        """
        def answer(formula):
            if formula == "(Li2O)2":
                np.ones(2**27)
            return weight(formula)
        """,
        "memory = 1.0",
        spawn=True,
        wanted={"test_memory_of_a_prediction"},
    )


def test_a_broken_monotonic_relation_is_caught(caught: Caught) -> None:
    """A model that falls where it is declared to rise is caught alone, on the declared line."""
    found = caught(
        SOUND,
        TRUE_RELATIONS.replace("decreasing", "increasing"),
        wanted={"test_declared_monotonic_relations_hold"},
    )
    [error] = found.values()
    assert elements(error.formula) == {"Fe", "O"}
    assert "increasing along O" in str(error)


def test_a_broken_symmetry_is_caught(caught: Caught) -> None:
    """A model that tells apart two elements that are declared to be alike is caught alone."""
    found = caught(
        SOUND, TRUE_RELATIONS.replace("4.0", "0.5"), wanted={"test_declared_symmetries_hold"}
    )
    [error] = found.values()
    assert elements(error.formula) & {"Ti", "Fe"}


def test_a_missed_elemental_value_is_caught(caught: Caught, tmp_path: Path) -> None:
    """A pure element far from its declared value is a failure that names it; within, it is none."""
    value = "element_value = 10.0"
    found = caught(
        SOUND, "element_tolerance = 15.0", value, wanted={"test_elements_have_their_known_value"}
    )
    assert [error.formula for error in found.values()] == ["Fe"]
    only = ["test_elements_have_their_known_value"]
    assert falsified(tmp_path, SOUND, "element_tolerance = 17.0", value, only=only) == {}


def test_every_property_of_the_fast_tier_is_tried_here() -> None:
    """There is no property without a planted fault in this file, or in that on a row's number."""
    here = Path(__file__)
    files = (here, here.with_name("test_row_properties.py"))
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert [name for name in property_names(FAST) if f'"{name}"' not in text] == []
