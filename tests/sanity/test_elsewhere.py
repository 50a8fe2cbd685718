"""Another process predicts what it is asked, tells its cost, and says why it cannot."""

from pathlib import Path

import planted
import pytest

from assay.compositions import reduced_formula
from assay.sanity.elsewhere import ROWS, predict_elsewhere


def test_another_process_predicts_and_tells_its_cost(tmp_path: Path) -> None:
    """The predictions are those of the model; time and memory are of many rows and not nothing."""
    bundle = planted.write(tmp_path)
    asked = ["Li2O", "NaCl", "Fe2O3"]
    answer = predict_elsewhere("planted:load", bundle, tmp_path, asked)
    assert answer.formulas == asked
    assert answer.predictions == [planted.weight(formula) for formula in asked]
    assert answer.rows == ROWS
    assert answer.seconds > 0
    assert 0.05 < answer.memory < 4


def test_a_process_that_cannot_predict_says_why(tmp_path: Path) -> None:
    """What the other process last said is in the error."""
    bundle = planted.write(tmp_path, "def answer(formula): raise RuntimeError('no weights')")
    with pytest.raises(RuntimeError, match=r"cannot predict \(code 1\): .*no weights"):
        predict_elsewhere("planted:load", bundle, tmp_path, ["Li2O"])


def test_timed_formulas_are_new_texts_of_known_compositions() -> None:
    """No formula is timed twice, and each is a multiple of one that can be predicted."""
    from assay.sanity.elsewhere import _multiples

    timed = _multiples(["Li2O", "Na" * 95])
    assert len(set(timed)) == len(timed) == ROWS
    assert {reduced_formula(formula) for formula in timed} == {"Li2O"}
