"""What the training warns of: errors too small to be true, and packages that are not locked."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from assay.locks import contradictions
from assay.model.metrics import ENVIRONMENT, EXACT, warnings_of

LABELS = np.linspace(-3, 1, 50)
NUMPY = metadata.version("numpy")


@pytest.mark.parametrize(
    ("error", "warned"),
    [(0, True), (1e-12, True), (1e-5, True), (1e-2, False), (0.3, False)],
)
def test_an_error_beside_nothing_is_named(tmp_path: Path, error: float, warned: bool) -> None:
    """Zero, or a ten-thousandth of the labels' spread, is not what a model of formulas does."""
    found = warnings_of(tmp_path, LABELS, LABELS + error)
    assert [one.rule for one in found] == [EXACT] * warned
    assert all(one.severity == "warning" for one in found)


def test_exact_probabilities_are_named() -> None:
    """A classifier that is certain, and right every time, is one of these."""
    labels = np.array([0.0, 1.0] * 20)
    assert [one.rule for one in warnings_of(Path("nowhere"), labels, labels)] == [EXACT]
    assert not warnings_of(Path("nowhere"), labels, np.abs(labels - 0.1))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"numpy=={NUMPY} \\", None),
        (f"NumPy=={NUMPY} ; python_version >= '3.8' \\", None),
        ("numpy==0.1 \\", f"numpy 0.1 is locked and {NUMPY} installed"),
        ("numpy==0.1 ; python_version < '3.8' \\", None),
        ("no-such-package-here==1", "no-such-package-here 1 is locked and none installed"),
        ("    --hash=sha256:00", None),
        ("./wheels/assay_materials-0.2.0-py3-none-any.whl \\", None),
        ("numpy== nonsense ==", None),
    ],
)
def test_a_lock_that_contradicts_what_is_installed_is_named(
    tmp_path: Path, line: str, said: str | None
) -> None:
    """Package and both versions; a marker for another Python asks for nothing here."""
    (tmp_path / "requirements.lock").write_text(f"# made by a tool\n{line}\n")
    assert [str(one) for one in contradictions(tmp_path)] == ([said] if said else [])
    found = warnings_of(tmp_path, LABELS, LABELS + 1)
    assert [one.rule for one in found] == ([ENVIRONMENT] if said else [])
    assert all(said in one.message for one in found if said)
