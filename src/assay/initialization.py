"""`assay init`: from labelled rows to a split, sealed, configured and described repository."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from assay import provenance
from assay.datasets import Source, load_source
from assay.errors import RefusedError, UsageError
from assay.files import write_text
from assay.layout import Layout
from assay.ledger.certificate import new_signing_key
from assay.planning.assumptions import with_margin
from assay.repository import Repository
from assay.sealing.encryption import SEALING, SIGNING
from assay.sealing.labels import open_labels, write_sealed
from assay.settings import FILE_NAME, Settings, Target, parse_settings, read_settings, with_value
from assay.splits import Parts, linked_systems, numbered, split_by_system
from assay.tables import read_labelled, read_table, write_table

CARD = """# Data card

| | |
|---|---|
| source | `{source}` |
| target | `{target}` ({kind}, unit {unit}) |
| rows | {rows} distinct compositions, divided by chemical system |
| range | {low:.6g} to {high:.6g}, mean {mean:.6g} |

`train.csv` is public. `sealed_inputs.csv` holds the held-out compositions, `sealed_labels.bin`
their labels, encrypted. `pool.csv` holds unlabelled compositions.

Still to be written by whoever owns the data: where the values were measured or computed, the
licence, the DOI, known defects.
"""
SOURCE_COPY = Path(".assay") / "source.csv"
FEW_ROWS = 300


def data_card(parts: Parts, source: str, target: Target) -> str:
    """The first text of `data/README.md`, for rows from a file or dataset."""
    values = pd.concat([parts.train, parts.held_out])[parts.target]
    return CARD.format(
        source=Path(source).name,
        target=parts.target,
        kind=target.kind,
        unit=target.unit,
        rows=len(values),
        low=values.min(),
        high=values.max(),
        mean=values.mean(),
    )


def renamed(readme: str, before: Target, after: Target) -> str:
    """The README with the line that the template wrote about the target told of another one.

    A README that does not hold that line any more is the author's own, and stays as it is.
    """
    return readme.replace(_told(before), _told(after), 1)


def _told(target: Target) -> str:
    return f"A model of **{target.column}** (unit: {target.unit}) from"


@dataclass(frozen=True)
class Initialized:
    """What `init` made: sizes of the two sets, and the margin in the target's unit.

    `repeated` rows of the source were left out, since their composition stood there before.
    """

    train_rows: int
    sealed_rows: int
    margin: float
    repeated: int


def initialize(root: Path, source: str | None, target: str | None, unit: str | None) -> Initialized:
    """Split (if a source is given), set the margin, seal the labels and make the keys.

    Everything that can fail for the data's sake is done before the first file is written.

    Raises:
        RefusedError: the labels are sealed already, or there are keys already.
        UsageError: the source or `assay.toml` is not as it must be, or the model of the
            repository cannot be fitted.
    """
    layout = Layout(root)
    _require_fresh(layout)
    _require_private(root, source)
    settings = read_settings(root)
    text = _configured((root / FILE_NAME).read_text(encoding="utf-8"), settings, target, unit)
    if source is None and (root / SOURCE_COPY).is_file():
        source = str(root / SOURCE_COPY)
    if source is None:
        parts, card, repeated = _parts_on_disk(Repository(root, parse_settings(text))), None, 0
    else:
        column = target or settings.target.column
        tolerance, further = settings.data.duplicate_tolerance, settings.slice_columns
        found = load_source(source, column, tolerance, further)
        parts, repeated = _split(settings, source, found, column), found.repeated
        text = _of_kind(text, found.kind, keep_bounds=target in {None, settings.target.column})
        card = data_card(parts, source, parse_settings(text).target)
    margin, text = with_margin(root, parts, text)
    _write(layout, parts, text, card)
    _tell(root / "README.md", settings.target, parse_settings(text).target)
    return Initialized(len(parts.train), len(parts.held_out), margin, repeated)


def _require_fresh(layout: Layout) -> None:
    if layout.sealed_labels.exists():
        raise RefusedError(
            f"{layout.sealed_labels} exists: this repository is initialised; `assay seal fresh` "
            "puts a new set in the place of a retired one.",
            code="labels.already-sealed",
        )
    if any(layout.retired.glob("*")):
        raise RefusedError(
            f"{layout.retired} holds labels that are public and must not be sealed again: restore "
            f"{layout.sealed_labels.name} and run `assay seal fresh`, or move the folder away to "
            "begin again.",
            code="labels.public",
        )
    keys = [layout.keys / SEALING.file]
    if not layout.public_key.exists():
        keys.append(layout.keys / SIGNING.file)
    for key in keys:
        if key.exists():
            raise RefusedError(
                f"{key} exists, of an earlier init: move it away to make a new one.",
                code="key.exists",
            )


def _require_private(root: Path, source: str | None) -> None:
    """Refuse a table of labels that the next `git add` would put beside the sealed ones."""
    path = None if source is None else Path(source).resolve()
    if path is None or not path.is_file() or not path.is_relative_to(root.resolve()):
        return
    inside = path.relative_to(root.resolve())
    if provenance.git(root, "rev-parse", "--git-dir") is None:
        return
    if provenance.git(root, "check-ignore", "--quiet", str(inside)) is None:
        raise RefusedError(
            f"{inside} holds the labels that are to be sealed, and git would commit it: move it "
            f"out of the repository or to {SOURCE_COPY}, which git ignores, and run init again.",
            code="data.not-ignored",
        )


def _configured(text: str, settings: Settings, target: str | None, unit: str | None) -> str:
    for key, value in (("column", target), ("unit", unit)):
        if value not in {None, getattr(settings.target, key)}:
            text = with_value(text, "target", key, json.dumps(value, ensure_ascii=False))
    parse_settings(text)
    return text


def _of_kind(text: str, kind: str, *, keep_bounds: bool) -> str:
    if parse_settings(text).target.kind != kind:
        text = with_value(text, "target", "kind", f'"{kind}"')
        keep_bounds = False
    for bound in () if keep_bounds else ("lower", "upper", "element_value"):
        text = with_value(text, "target", bound, None)
    return text


def _parts_on_disk(repository: Repository) -> Parts:
    layout, target = repository.layout, repository.settings.target.column
    if not layout.open_labels.exists():
        raise UsageError(
            f"{layout.open_labels} does not exist: name a CSV or a matminer dataset.",
            code="data.no-source",
        )
    train = read_labelled(layout.train, ["row_id", "formula"], target)
    open_labels(layout, target)  # raises where what would be sealed could never be scored
    held_out = read_table(layout.sealed_inputs, ["row_id", "formula"])
    return Parts(
        target, train, held_out.join(read_labelled(layout.open_labels, [], target)[[target]])
    )


def _split(settings: Settings, source: str, found: Source, target: str) -> Parts:
    rows = found.rows
    systems = rows.assign(group=linked_systems(list(rows["formula"])))["group"]
    if systems.nunique() < 2:  # noqa: PLR2004 (one for each side)
        raise UsageError(
            f"{source} holds 1 chemical system: give rows of more, to seal some.",
            code="split.one-system",
        )
    sealed = split_by_system(list(systems), settings.split.sealed_fraction, settings.split.seed)
    left, folds = systems[~sealed].nunique(), settings.split.folds
    if left < folds:
        raise UsageError(
            f"{source} leaves {left} chemical systems to train on, too few for {folds} folds: give "
            "more rows, or lower split.folds in assay.toml.",
            code="split.too-few-systems",
        )
    train, held_out = (
        numbered(part, letter, 1) for letter, part in (("t", rows[~sealed]), ("s", rows[sealed]))
    )
    return Parts(target, train, held_out, settings.slice_columns)


def _write(layout: Layout, parts: Parts, text: str, card: str | None) -> None:
    if card is not None:
        write_table(parts.public, layout.train)
        write_table(parts.inputs, layout.sealed_inputs)
        write_text(layout.root / "data" / "README.md", card)
    write_text(layout.root / FILE_NAME, text)
    if not layout.public_key.exists():
        new_signing_key(layout)
    write_sealed(layout, parts.labelled)


def _tell(readme: Path, before: Target, after: Target) -> None:
    if readme.is_file():
        text = readme.read_text(encoding="utf-8")
        if (told := renamed(text, before, after)) != text:
            write_text(readme, told)


def few_rows(sealed: int) -> str | None:
    """A warning where a verdict is hardly ever more than INCONCLUSIVE; None with enough rows.

    docs/appendix/gate-benchmark.md has no figures for smaller sets than this.
    """
    if sealed >= FEW_ROWS:
        return None
    return (
        f"warning: with {sealed} sealed rows most verdicts will be INCONCLUSIVE, and nothing "
        "predicts without a PASS: `assay plan` says how many a margin needs. Add rows before you "
        "push, since a seal is not made again."
    )


def next_steps(root: Path) -> str:
    """What to do on GitHub with the keys, in words that can be followed."""
    folder = Layout(root).keys
    readme = " README.md" if (root / "README.md").is_file() else ""  # it may name another target
    return f"""The labels are sealed. The keys are in {folder} and nowhere else: back them up.

Next, in the folder of assay.toml:
  git add data assay.toml certificate.pub{readme} && git commit -m "Seal the held-out labels"
  assay check && assay score

To use them on GitHub (Settings of the repository):
  1. Environments: make 'heldout'; under deployment branches choose 'Selected branches',
     add 'main' and nothing else; switch off 'Allow administrators to bypass'.
  2. In that environment add two secrets, each with the content of the file named:
       {SEALING.variable}   {folder / SEALING.file}
       {SIGNING.variable}   {folder / SIGNING.file}
  3. Actions, General: require approval for all external contributors' workflows.
  4. Rules: require the status checks 'gate' and 'assay' on main; restrict deletions of the branch
     'assay-ledger' and block force pushes to it, for everybody; forbid tags named 'main'.
     The branch 'assay-pictures' holds what comments show and needs no rule.

`assay seal --help` lists what comes later in the set's life: a new key, the release of its labels
when it is used up, and a fresh set."""
