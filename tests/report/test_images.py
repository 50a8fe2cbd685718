"""The pictures of the comment: which there are, and that their words say what they show."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from assay.drawing import Drawing
from assay.report.images import Image, images
from assay.report.inputs import ReportInputs
from report_samples import hand_over, settings, write_tables

LIMIT = 60_000


def inputs(folder: Path, *, kind: str = "number", reference: bool = True) -> ReportInputs:
    """A run with tables, and a reference that is 0.01 off the candidate."""
    handover = hand_over(folder / "out")
    predictions = write_tables(folder, handover, kind=kind)
    known = {row: value + 0.01 for row, value in predictions.items()} if reference else None
    unit = {"unit": "1"} if kind == "class" else {}
    return ReportInputs(handover, settings(kind=kind, **unit), folder, known)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("number", ["parity.png", "residuals.png"]),
        ("class", ["reliability.png", "scores.png"]),
    ],
)
def test_two_small_pictures_are_drawn(tmp_path: Path, kind: str, names: list[str]) -> None:
    """For a number and for a class: PNG files with fixed names, under 60 kB in all."""
    found = images(inputs(tmp_path, kind=kind))
    assert [image.name for image in found] == names
    assert sum(len(image.content) for image in found) < LIMIT
    for image in found:
        with Pillow.open(BytesIO(image.content)) as picture:
            picture.load()
            assert picture.format == "PNG"


def test_words_say_what_the_pictures_show(tmp_path: Path) -> None:
    """Rows, both errors, the share within the interval, and the middle of both errors."""
    told = inputs(tmp_path)
    parity, residuals = (image.words for image in images(told))
    rows = told.evidence.train  # type: ignore[union-attr]
    own, other = (np.abs(one - rows.target) for one in (rows.candidate, rows.reference))
    interval = told.interval
    assert interval is not None
    assert parity == (
        f"Predicted against measured formation_enthalpy, 60 train rows out of fold: "
        f"MAE {own.mean():.4g} eV/atom, of the reference {other.mean():.4g} eV/atom; "
        f"{interval.inside.mean():.0%} lie within their interval, on average "
        f"±{interval.mean_half_width:.4g} eV/atom."
    )
    assert f"candidate's errors are below {np.median(own):.4g} eV/atom" in residuals
    assert f"of the reference's below {np.median(other):.4g}." in residuals


def test_without_a_reference_nothing_is_said_of_one(tmp_path: Path) -> None:
    """The first model has none to be compared with."""
    assert not [one for one in images(inputs(tmp_path, reference=False)) if "refer" in one.words]


def test_class_is_told_by_both_classes(tmp_path: Path) -> None:
    """Brier score and mean probabilities; a class without rows is left out."""
    told = inputs(tmp_path, kind="class")
    reliability, scores = (image.words for image in images(told))
    assert "60 train rows out of fold" in reliability
    assert "for rows of class 1 and " in scores
    told.evidence.train.target[:] = 1  # type: ignore[union-attr]
    assert "class 0" not in images(told)[1].words


def test_nothing_is_drawn_without_public_rows(tmp_path: Path) -> None:
    """Neither without tables nor where the predictions cannot be read."""
    told = inputs(tmp_path)
    assert images(ReportInputs(told.handover, told.settings)) == []
    told.handover.predictions.unlink()
    assert images(ReportInputs(told.handover, told.settings, tmp_path)) == []


def test_sealed_inputs_and_pool_are_not_drawn(tmp_path: Path) -> None:
    """Other predictions for them leave every byte and word; another for a train row does not."""
    told = inputs(tmp_path)

    def drawn(start: str) -> list[Image]:
        lines = told.handover.predictions.read_text().splitlines()
        changed = [f"{line.split(',')[0]},0.5" if line.startswith(start) else line
                   for line in lines]  # fmt: skip
        told.handover.predictions.write_text("\n".join(changed) + "\n")
        reference: Any = told.reference_predictions
        return images(ReportInputs(told.handover, told.settings, tmp_path, reference))

    first = drawn("none")
    assert drawn("s") == first
    assert drawn("p") == first
    assert drawn("t00003") != first


def test_what_is_drawn_is_the_pages_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every drawing of the comment is among those of the page, stroke for stroke."""
    from assay.report.images import pictures

    told = inputs(tmp_path)
    svgs = {str(picture.svg) for picture in pictures(told)}
    seen: list[str] = []
    genuine = Drawing.png

    def png(drawing: Drawing) -> bytes:
        seen.append(drawing.svg())
        return genuine(drawing)

    monkeypatch.setattr(Drawing, "png", png)
    images(told)
    assert len(seen) == 2
    assert set(seen) <= svgs
