"""Another process predicts what it is asked, tells its cost, and says why it cannot."""

from pathlib import Path

import planted
import pytest

from assay.compositions import reduced_formula
from assay.sanity.subprocess_model import ROWS, predict_elsewhere


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


def test_files_of_a_package_can_be_read(tmp_path: Path) -> None:
    """Data beside the code of a package is found from any folder, by the path of the code."""
    bundle, package = planted.write(tmp_path), tmp_path / "tabled"
    package.mkdir()
    (package / "table.txt").write_text("7.5")
    (package / "__init__.py").write_text(
        "from pathlib import Path\n"
        "def load(folder): return Model()\n"
        "class Model:\n"
        "    def predict(self, formulas):\n"
        "        value = float(Path(__file__).with_name('table.txt').read_text())\n"
        "        return [value for _ in formulas]\n"
    )
    answer = predict_elsewhere("tabled:load", bundle, tmp_path, ["Li2O"])
    assert answer.predictions == [7.5]
    assert answer.lacked == ""


def test_timed_formulas_are_new_texts_of_known_compositions() -> None:
    """No formula is timed twice, and each is a multiple of one that can be predicted."""
    from assay.sanity.subprocess_model import _multiples

    timed = _multiples(["Li2O", "Na" * 95])
    assert len(set(timed)) == len(timed) == ROWS
    assert {reduced_formula(formula) for formula in timed} == {"Li2O"}
