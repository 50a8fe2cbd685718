"""Predicts formulas one by one with bundles loaded by plain MLflow: nothing of assay's inference.

Run as a script in a fresh process: `python row_oracle.py QUESTION.json ANSWER.json`. A formula that
the model refuses has no number.
"""

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

Numbers = dict[str, list[float | None]]


def one_by_one(bundles: Mapping[str, Path], formulas: Sequence[str], folder: Path) -> Numbers:
    """What each bundle says of each formula alone, asked for in a fresh process."""
    question, answer = folder / "question.json", folder / "answer.json"
    named = {name: str(path) for name, path in bundles.items()}
    question.write_text(json.dumps({"bundles": named, "formulas": list(formulas)}))
    command = [sys.executable, __file__, str(question), str(answer)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(answer.read_text())


def main(question: Path, answer: Path) -> None:
    """Answer a file of questions."""
    asked = json.loads(question.read_text())
    found = {name: _answers(path, asked["formulas"]) for name, path in asked["bundles"].items()}
    answer.write_text(json.dumps(found))


def _answers(folder: str, formulas: Sequence[str]) -> list[float | None]:
    import mlflow.pyfunc

    model = mlflow.pyfunc.load_model(folder)
    return [_answer(model, formula) for formula in formulas]


def _answer(model, formula: str) -> float | None:
    import pandas as pd

    try:
        answer = model.predict(pd.DataFrame({"formula": [formula]}))
    except Exception:  # noqa: BLE001 (however it is refused)
        return None
    value = float(answer[0] if answer.ndim == 1 else answer[0, 1])
    return value if math.isfinite(value) else None


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
