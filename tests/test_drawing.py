"""Drawings as bytes: the same each time, in the colours of where they are shown, and small."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib import rc_context
from PIL import Image

from assay.drawing import Drawing
from assay.model.intervals import Interval
from assay.report import plots


def parity(rows: int = 1500) -> Drawing:
    """A plot of many points in a narrow band, which compresses badly."""
    target, noise = np.random.default_rng(0).normal(size=(2, rows))
    interval = Interval(0.9, np.abs(0.3 * noise), np.ones(rows), 0.5)
    return plots.parity(target, target + 0.3 * noise, "x", "eV", interval)


def image(drawing: Drawing) -> Image.Image:
    """The PNG, read by another reader than a browser's."""
    return Image.open(BytesIO(drawing.png()))


def test_equal_drawings_are_equal_bytes() -> None:
    """Neither picture holds a time, a version or a random name."""
    assert parity().svg() == parity().svg()
    assert parity().png() == parity().png()
    assert b"tEXt" not in parity().png()


def test_settings_of_matplotlib_change_no_picture() -> None:
    """A matplotlibrc of the repository neither hides lines nor needs LaTeX."""
    drawn = parity().svg(), parity().png()
    with rc_context({"lines.linewidth": 0, "text.usetex": True, "font.size": 30}):
        assert (parity().svg(), parity().png()) == drawn


@pytest.mark.parametrize("rows", [1, 1500, 50_000])
def test_picture_is_small_whatever_it_shows(rows: int) -> None:
    """Two of them stay under 60 kB, and each is sharp at half its width."""
    content = parity(rows).png()
    assert len(content) < 30_000
    assert image(parity(rows)).size == (777, 631)


def test_ground_is_white_and_letters_are_dark() -> None:
    """Nothing is transparent, so it reads on a dark page; the stand-ins for CSS are not in it."""
    seen = image(parity())
    assert "transparency" not in seen.info
    pixels = np.asarray(seen.convert("RGB"))
    assert all((pixels[corner] == 255).all() for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)))
    accent = np.abs(pixels.astype(int) - (0x1F, 0x66, 0xAD)).sum(axis=2).min()
    assert accent < 60
    assert pixels.sum(axis=2).min() > 60, "nothing is as black as the stand-ins"


def test_page_has_variables_and_no_colours_of_its_own() -> None:
    """The same drawing in the page follows its theme."""
    svg = parity().svg()
    assert "var(--accent)" in svg
    assert "var(--ink)" in svg
    assert "#1f66ad" not in svg
