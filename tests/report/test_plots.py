"""The plots: right content, safe labels, small files."""

import re

import numpy as np

from assay.model.intervals import fit_interval
from assay.report import plots
from assay.report.plots import coverages
from report_samples import Tags


def test_plots_take_degenerate_data_and_hostile_names() -> None:
    """Constant predictions, one class only, and names with markup or dollars draw all the same."""
    same, ones = np.zeros(6), np.ones(6)
    drawn = [
        plots.parity(same, same, "<b>$x_{$", "$/kg", fit_interval(same, ones, 0.9)),
        plots.interval_widths(fit_interval(same, ones, 0.9), "$"),
        plots.residuals(same, same, "$"),
        plots.residuals(same, None, "$"),
        plots.calibration(coverages(same, np.arange(6) % 2)),
        plots.change(same, same, "1"),
        plots.agreement(same, same, "1"),
        plots.reliability(ones, ones, ("$a_{", "<i>$b")),
        plots.scores(ones, ones, ("$a_{", "<i>$b")),
    ]
    assert "measured <b>$x_{$ ($/kg)" in Tags(drawn[0].svg()).text
    for svg in (drawing.svg() for drawing in drawn):
        assert Tags(svg).names <= {
            "svg", "defs", "style", "g", "path", "text", "tspan", "use", "clippath", "rect"
        }  # fmt: skip
        assert not re.search(r"#0[0-9a-f]0[0-9a-f]0[0-9a-f]\b", svg)


def test_interval_is_drawn_and_named() -> None:
    """Rows outside are marked at its level; without an interval there are none."""
    values = np.linspace(0, 1, 50)
    interval = fit_interval(values, 0.1 + values, 0.9)
    marked = plots.parity(values, values, "x", "eV", interval).svg()
    assert "outside their 90% interval" in marked
    assert "interval" not in plots.parity(values, values, "x", "eV").svg()
    assert "half width of the interval (eV)" in plots.interval_widths(interval, "eV").svg()


def test_reference_is_outlined_where_there_is_one() -> None:
    """Both distributions are named."""
    values = np.linspace(-1, 1, 50)
    assert "reference" in plots.residuals(values, values, "eV").svg()
    assert "reference" not in plots.residuals(values, None, "eV").svg()


def test_many_points_become_one_picture() -> None:
    """A pool of tens of thousands of rows does not make a page of tens of megabytes."""
    values = np.random.default_rng(0).normal(size=(2, 50_000))
    svg = plots.agreement(values[0], values[1], "eV").svg()
    assert "data:image/png;base64," in svg
    assert len(svg) < 500_000
