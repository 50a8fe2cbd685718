"""The gate's margin: how much accuracy a change may lose, fixed when a set is sealed."""

from pathlib import Path

from assay.errors import UsageError
from assay.layout import Layout
from assay.settings import Settings, parse_settings, with_value
from assay.splits import Parts
from assay.tables import read_numbers, read_table

SHARE_SMALL = 0.10
SHARE = 0.05
SMALL_SET = 1000


def with_margin(root: Path, parts: Parts, text: str) -> tuple[float, str]:
    """Freeze the margin: 5 % of the public error, 10 % when fewer than 1,000 rows are sealed.

    Args:
        root: the repository, whose model is fitted out of fold on the train rows.
        parts: the rows to train on and those to seal; of the latter only the formulas are read.
        text: the text of `assay.toml`.

    Returns:
        The margin, in the target's unit (squared for the Brier score), and the text with it.

    Raises:
        UsageError: the model cannot be fitted on the train rows or takes no sealed formula, or
            there is no error to derive a margin from.
    """
    settings = parse_settings(text)
    loss = _public_error(root, parts, settings)
    share = SHARE_SMALL if len(parts.held_out) < SMALL_SET else SHARE
    margin = float(f"{share * loss:.3g}")
    if not margin > 0:
        raise UsageError(
            f"the first model's public error on {parts.target} is {loss:g}, so there is no margin "
            "to derive from it: name a target that varies."
        )
    comment = f"# {share:.0%} of the first model's public error, {loss:.4g} {settings.target.unit}"
    return margin, with_value(text, "gate", "margin", f"{margin}  {comment}")


def _public_error(root: Path, parts: Parts, settings: Settings) -> float:
    from assay.gate.metrics import METRICS
    from assay.model.builder import load_builder
    from assay.model.dataset import Dataset
    from assay.model.inference import predict
    from assay.model.training import fit_out_of_fold

    layout = Layout(root)
    target = read_numbers(parts.train.astype({parts.target: str}), parts.target, layout.train)
    pool = read_table(layout.pool, ["row_id", "formula"])
    data = Dataset(parts.train, target, parts.held_out[["row_id", "formula"]], pool)
    try:
        candidate = fit_out_of_fold(load_builder(root, settings), data, settings)
        predict(candidate.model, list(parts.held_out["formula"]))
    except ValueError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(
            f"the model cannot be fitted on these rows ({reason}): mend them, or model.py."
        ) from None
    metric = METRICS[settings.primary_metric]
    return metric.shown(float(metric.loss(data.target, candidate.out_of_fold).mean()))
