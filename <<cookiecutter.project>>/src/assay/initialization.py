"""`assay init`: from labelled rows to a split, sealed and configured repository."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from assay.certificate import KEY_FILE as SIGNING_KEY
from assay.certificate import KEY_VARIABLE as SIGNING_VARIABLE
from assay.certificate import new_signing_key
from assay.compositions import chemical_system
from assay.datasets import load_source
from assay.errors import RefusedError, UsageError
from assay.files import write_text
from assay.layout import Layout
from assay.sealing import KEY_FILE as SEALING_KEY
from assay.sealing import KEY_VARIABLE as SEALING_VARIABLE
from assay.sealing import seal_labels
from assay.settings import FILE_NAME, Settings, read_settings
from assay.splits import split_by_system
from assay.tables import write_table

SOURCE_COPY = Path(".assay") / "source.csv"
MARGIN_SHARE_SMALL = 0.10
MARGIN_SHARE = 0.05
SMALL_SET = 1000


@dataclass(frozen=True)
class Initialized:
    """What `init` made: sizes of the two sets, and the margin in the target's unit."""

    train_rows: int
    sealed_rows: int
    margin: float


def initialize(
    root: Path, source: str | None, target: str | None, unit: str | None
) -> Initialized:
    """Split (if a source is given), set the margin, seal the labels and make the keys.

    Raises:
        RefusedError: the labels are sealed already.
        UsageError: the source or `assay.toml` is not as it must be.
    """
    layout = Layout(root)
    if layout.sealed_labels.exists():
        raise RefusedError(
            f"{layout.sealed_labels} exists: this repository is initialised; delete it (and "
            ".assay/keys) to seal a fresh set."
        )
    settings = read_settings(root)
    if source is None and (root / SOURCE_COPY).is_file():
        source = str(root / SOURCE_COPY)
    if source is not None:
        _split(layout, settings, source, target or settings.target.column)
        _configure(root, target=target, unit=unit, layout=layout)
        settings = read_settings(root)
    elif not layout.open_labels.exists():
        raise UsageError(f"{layout.open_labels} does not exist: name a CSV or a matminer dataset.")
    margin = _set_margin(root, settings)
    seal_labels(layout)
    if not layout.public_key.exists():
        new_signing_key(layout)
    lines = [len(p.read_text().splitlines()) - 1 for p in (layout.train, layout.sealed_inputs)]
    return Initialized(lines[0], lines[1], margin)


def _split(layout: Layout, settings: Settings, source: str, target: str) -> None:
    rows, kind = load_source(source, target)
    systems = [chemical_system(formula) for formula in rows["formula"]]
    try:
        sealed = split_by_system(systems, settings.split.sealed_fraction, settings.split.seed)
    except ValueError as error:
        raise UsageError(f"{source} cannot be split by chemical system: {error}.") from None
    held_out = rows[sealed].reset_index(drop=True)
    train = rows[~sealed].reset_index(drop=True)
    train.insert(0, "row_id", [f"t{number:05d}" for number in range(1, len(train) + 1)])
    held_out.insert(0, "row_id", [f"s{number:05d}" for number in range(1, len(held_out) + 1)])
    write_table(train, layout.train)
    write_table(held_out[["row_id", "formula"]], layout.sealed_inputs)
    write_table(held_out[["row_id", target]], layout.open_labels)
    _write_data_card(layout, rows, source, target, kind)


def _write_data_card(
    layout: Layout, rows: pd.DataFrame, source: str, target: str, kind: str
) -> None:
    spread = rows[target].describe()
    write_text(
        layout.root / "data" / "README.md",
        f"""# Data card

| | |
|---|---|
| source | `{Path(source).name}` |
| target | `{target}` ({kind}) |
| rows | {len(rows)} distinct compositions, divided by chemical system |
| range | {spread["min"]:.6g} to {spread["max"]:.6g}, mean {spread["mean"]:.6g} |

`train.csv` is public. `sealed_inputs.csv` holds the held-out compositions, `sealed_labels.bin`
their labels, encrypted. `pool.csv` holds unlabelled compositions.

Still to be written by whoever owns the data: where the values were measured or computed, the
licence, the DOI, known defects.
""",
    )


def _configure(root: Path, *, target: str | None, unit: str | None, layout: Layout) -> None:
    # The file is edited line by line, so that the comments in it stay.
    header = layout.train.read_text(encoding="utf-8").splitlines()[0].split(",")[-1]
    labels = pd.read_csv(layout.train, dtype=str)[header]
    kind = "class" if set(labels) <= {"0", "1"} else "number"
    values = {"column": target, "unit": unit, "kind": kind}
    path = root / FILE_NAME
    text = path.read_text(encoding="utf-8")
    for key, value in values.items():
        if value is not None:
            quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text = _with_value(text, "target", key, quoted)
    write_text(path, text)


def _set_margin(root: Path, settings: Settings) -> float:
    """Freeze the margin: 5 % of the public error, 10 % when fewer than 1,000 rows are sealed."""
    from assay.statistics import metric_for
    from assay.training import fit_out_of_fold, load_builder, read_dataset

    layout = Layout(root)
    data = read_dataset(layout, settings)
    candidate = fit_out_of_fold(load_builder(root, settings), data, settings)
    loss = metric_for(settings.target.kind).loss(data.target, candidate.out_of_fold).mean()
    small = len(data.sealed) < SMALL_SET
    share = MARGIN_SHARE_SMALL if small else MARGIN_SHARE
    margin = float(f"{share * loss:.3g}")
    comment = f"  # {share:.0%} of the first model's public error, {loss:.4g} {settings.target.unit}"
    path = root / FILE_NAME
    text = path.read_text(encoding="utf-8")
    write_text(path, _with_value(text, "gate", "margin", f"{margin}{comment}"))
    return margin


def _with_value(text: str, section: str, key: str, value: str) -> str:
    """Set `key` in `[section]` of a TOML text, replacing its line."""
    pattern = re.compile(
        rf"(^\[{section}\][^\[]*?^){key}[ \t]*=[^\n]*$", re.MULTILINE | re.DOTALL
    )
    changed, count = pattern.subn(lambda found: f"{found[1]}{key} = {value}", text, count=1)
    if not count:
        raise UsageError(f"{FILE_NAME} has no line '{key} = ...' under [{section}]: add one.")
    return changed


def next_steps(root: Path) -> str:
    """What to do on GitHub with the keys, in words that can be followed."""
    keys = Layout(root).keys
    return f"""The labels are sealed. The keys are in {keys} and nowhere else: back them up.

To use them on GitHub (Settings of the repository):
  1. Environments: make 'heldout'; under deployment branches choose 'Selected branches',
     add 'main' and nothing else; switch off 'Allow administrators to bypass'.
  2. In that environment add two secrets, each with the content of the file named:
       {SEALING_VARIABLE}   {keys / SEALING_KEY}
       {SIGNING_VARIABLE}   {keys / SIGNING_KEY}
  3. Rules: require the status checks 'gate' and 'assay' on main.

Commit what changed: data/, assay.toml and certificate.pub."""
