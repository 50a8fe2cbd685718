"""`assay seal fresh`: new rows, whose labels nobody saw, take the place of a retired set."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from assay import provenance
from assay.clustering import nearest
from assay.compositions import identity
from assay.datasets import reduced_formulas, require_nothing_sealed
from assay.errors import CheckFailedError, NotCarriedOutError, RefusedError, UsageError
from assay.files import digest_bytes, write_bytes
from assay.groups import COMPOSITION, SYSTEM, column_of, group_names
from assay.intake.adoption import with_evidence
from assay.intake.choices import Choices
from assay.intake.division import evidence, grouped
from assay.intake.intake import Intake
from assay.intake.joining import joining, require_target
from assay.intake.pools import pool_rows
from assay.intake.report import require_usable, write_intake
from assay.layout import Layout
from assay.model.gaps import take_in_for
from assay.planning.first_model import FirstModel, first_model
from assay.repository import Repository
from assay.sealing import encryption
from assay.sealing.encryption import SEALING, seal
from assay.sealing.labels import label_column, sealed_digest
from assay.sealing.releases import LABELS, check_release, folder_of
from assay.sealing.rotation import require_sealed, secret_step, shell_step
from assay.settings import FILE_NAME, Settings, Split, parse_settings
from assay.splits import Parts, next_number, numbered
from assay.tables import read_labelled, read_table, table_text

SHOWN = 5
SYSTEMS = Split()


def require_uncommitted(root: Path, source: str) -> None:
    """Refuse a file that git holds, as it is or as it was, since its labels are public with it.

    Raises:
        RefusedError: git tracks the file, or knows its content.
    """
    path = str(Path(source).absolute())
    tracked = provenance.git(root, "ls-files", "--error-unmatch", "--", path)
    blob = provenance.git(root, "hash-object", "--", path)
    if tracked is not None or (blob and provenance.git(root, "cat-file", "-e", blob) is not None):
        raise RefusedError(
            f"{source} is in git, where everybody can read its labels: seal rows that were never "
            "committed.",
            code="data.in-git",
        )


def sealed_before(layout: Layout) -> list[Path]:
    """The tables of the present sealed set, if there is one, and of all that were retired."""
    present = [layout.sealed_inputs] if layout.sealed_inputs.is_file() else []
    return [*present, *sorted(layout.retired.glob(f"*/{LABELS}"))]


def require_unseen(layout: Layout, rows: pd.DataFrame, source: str, split: Split = SYSTEMS) -> None:
    """Refuse rows whose composition or group is public or was sealed before.

    The pool may hold them: it has no labels.

    Args:
        layout: the repository.
        rows: `formula` in reduced spelling; the index holds the lines of `source`.
        source: only named in the error.
        split: what makes a group.

    Raises:
        RefusedError: there are such rows; some are named.
    """
    compositions, groups = _known(layout, split.group)
    names: Sequence[str | None] = group_names(rows, split.group)
    if split.group == COMPOSITION:
        names = nearest(list(rows["formula"]), list(groups), split.extent)
    told = []
    for (line, formula), name in zip(rows["formula"].items(), names, strict=True):
        found = compositions.get(identity(formula)) or groups.get(name or "")
        if found:
            told.append(f"line {line} ({formula}: {found})")
    if told:
        more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
        raise RefusedError(
            f"{source}: {len(told)} of {len(rows)} rows cannot be sealed, since their "
            f"{_noun(split)}s are or will be public: {', '.join(told[:SHOWN])}{more}; take them "
            "out.",
            code="data.public-system",
        )


def _noun(split: Split) -> str:
    return "chemical system" if split.group == SYSTEM else "group"


def _known(layout: Layout, group: str) -> tuple[dict[str, str], dict[str, str]]:
    """Where each composition (by `identity`), and each group, stands first.

    Tables of retired sets hold no groups, and their rows are in the train set, with groups.
    """
    compositions: dict[str, str] = {}
    groups: dict[str, str] = {}
    what = "system" if group == SYSTEM else "group"
    for path in (layout.train, *sealed_before(layout)):
        rows = read_table(path, ["formula"])
        formulas = reduced_formulas(rows["formula"], path)
        names = group_names(rows.assign(formula=formulas), group)
        grouped_here = group == SYSTEM or column_of(group) in rows
        for line, (formula, name) in enumerate(zip(formulas, names, strict=True), start=2):
            place = f"{path.relative_to(layout.root)}, line {line}"
            compositions.setdefault(identity(formula), place)
            if grouped_here:
                groups.setdefault(name, f"the same {what} in {place}")
    return compositions, groups


@dataclass(frozen=True)
class Renewed:
    """What `seal fresh` made: rows that joined the train set, both sizes, the margin, the old key.

    `repeated` rows of the source were left out, since their composition stood there before.
    """

    joined_rows: int
    train_rows: int
    sealed_rows: int
    margin: float
    repeated: int
    kept: Path | None


@dataclass(frozen=True)
class Prepared:
    """A fresh set of which all was tried that can fail for the data's sake; nothing is written.

    `parts` are the new train set, which `joined` rows of the former sealed set join, and the rows
    to seal; `repeated` rows of the source were left out.
    """

    parts: Parts
    model: FirstModel
    joined: int
    repeated: int


def seal_fresh(repository: Repository, found: Intake, *, agreed: bool = False) -> Renewed:
    """Seal a new set whole; the rows of the retired one, if there is one, join the train set.

    Where public rows decided before, sealed ones do from here on.

    Everything that can fail for the data's sake is done before the first file is written. Should
    the writing itself be cut short, the same command brings it to its end.

    Raises as `prepared`, and
        RefusedError: the present set is not retired.
    """
    retired = _retired(repository)
    return carry_out(repository.layout, prepared(repository, found, retired, agreed=agreed))


def prepared(
    repository: Repository, found: Intake, retired: pd.DataFrame | None, *, agreed: bool
) -> Prepared:
    """Try all that `seal fresh` does: fit the model, and run `assay schema` on the new tables.

    Args:
        repository: whose sealed set ends.
        found: the rows to seal.
        retired: the labels of the set that ends, by `row_id`; None where there is none.
        agreed: whether a person agreed to set more rows aside than `assay.toml` allows.

    Raises:
        RefusedError: rows are known already or committed.
        UsageError: the source or `assay.toml` is not as it must be, or the model cannot be fitted.
        CheckFailedError: the published labels are not those committed to.
    """
    root, layout, settings = repository.root, repository.layout, repository.settings
    require_usable(found, repository, agreed=agreed)
    require_target(settings, found)
    _require_groups(settings, found)
    rows = grouped(settings, found).rows
    require_unseen(layout, rows, found.name, settings.split)
    train, joined = _joined(repository, retired)
    held_out = numbered(rows, "s", next_number(_ids(sealed_before(layout))))
    parts = Parts(settings.target.column, train, held_out, settings.kept_columns)
    text = with_evidence((root / FILE_NAME).read_text(encoding="utf-8"), "sealed")
    model = first_model(root, parts, text)
    _rehearse(layout, parts, model.text)
    return Prepared(parts, model, joined, found.merged.repeated)


def carry_out(layout: Layout, made: Prepared) -> Renewed:
    """Write what was prepared, the set that is named last."""
    train, sealed = len(made.parts.train), len(made.parts.held_out)
    kept = _write(layout, made.parts, made.model.text)
    return Renewed(made.joined, train, sealed, made.model.margin, made.repeated, kept)


def _retired(repository: Repository) -> pd.DataFrame | None:
    """The labels of the retired set; None where nothing was sealed, since all is public."""
    layout = repository.layout
    if repository.settings.public:
        require_nothing_sealed(layout)
        return None
    require_sealed(layout)
    folder = folder_of(layout, sealed_digest(layout))
    if not (folder / LABELS).exists():
        raise RefusedError(
            f"the present sealed set is not retired, for there is no {folder / LABELS}: run "
            "`assay seal retire` first.",
            code="labels.not-retired",
        )
    return check_release(layout, folder)[1]


def read_fresh(repository: Repository, source: str, choices: Choices) -> Intake:
    """Take in the rows that are to be sealed, and write what is amiss with them to `out/intake`.

    Raises:
        RefusedError: the present set is not retired, or the table was committed.
        UndecidedError: a person has to choose.
        UsageError: the table cannot be read, or no row of it can be used.
    """
    _retired(repository)
    return read_unseen(repository, source, choices)


def read_unseen(repository: Repository, source: str, choices: Choices) -> Intake:
    """The same, whether or not the present set is retired."""
    layout, settings = repository.layout, repository.settings
    require_uncommitted(repository.root, source)
    found = take_in_for(repository, source, joining(choices, settings))
    write_intake(found, layout)
    return found.with_target(settings.target.column)


def _require_groups(settings: Settings, found: Intake) -> None:
    """Refuse a set on which the gate could never say anything but INCONCLUSIVE."""
    noun = _noun(settings.split)
    groups = evidence(grouped(settings, found).rows, settings).effective
    if groups < settings.gate.minimum_groups:
        raise UsageError(
            f"{found.name} has {groups:.1f} effective groups (rows of one {noun} count together), "
            f"and the gate decides nothing below {settings.gate.minimum_groups}: give rows of more "
            f"{noun}s.",
            code="data.too-few-groups",
        )


def _joined(repository: Repository, retired: pd.DataFrame | None) -> tuple[pd.DataFrame, int]:
    """The train set with the retired rows whose compositions it lacks, and how many they are."""
    layout, settings = repository.layout, repository.settings
    target, further = settings.target.column, settings.kept_columns
    train = read_labelled(layout.train, ["row_id", "formula", *further], target)
    if retired is None:
        return train, 0
    inputs = read_table(layout.sealed_inputs, ["row_id", "formula", *further])
    if not inputs[["row_id", "formula"]].equals(retired[["row_id", "formula"]]):
        raise NotCarriedOutError(
            f"the rows of {layout.sealed_inputs.name} are not those of the retired set: restore it "
            "from git.",
            code="sealed.not-retired-rows",
        )
    rows = inputs.assign(**{target: retired[label_column(retired, target, layout)]})
    rows["formula"] = reduced_formulas(inputs["formula"], layout.sealed_inputs)
    known = set(map(identity, reduced_formulas(train["formula"], layout.train)))
    rows = rows[~rows["formula"].map(identity).isin(known)]
    added = numbered(rows, "t", next_number(train["row_id"]))[
        ["row_id", "formula", target, *further]
    ]
    return pd.concat([train, added], ignore_index=True).fillna(""), len(added)


def _ids(paths: Iterable[Path]) -> list[str]:
    return [row_id for path in paths for row_id in read_table(path, ["row_id"])["row_id"]]


def _contents(layout: Layout, parts: Parts, text: str) -> dict[Path, bytes]:
    """The public files of the new state, that which names the set last."""
    return {
        layout.train: table_text(parts.train).encode(),
        layout.root / FILE_NAME: text.encode(),
        layout.sealed_inputs: table_text(parts.inputs).encode(),
    }


def _rehearse(layout: Layout, parts: Parts, text: str) -> None:
    """Run the checks of `assay schema` on a copy of the new tables."""
    from assay.schema.check import check_schema

    with tempfile.TemporaryDirectory() as folder:
        for path, content in _contents(layout, parts, text).items():
            write_bytes(folder / path.relative_to(layout.root), content)
        write_bytes(folder / layout.pool.relative_to(layout.root), layout.pool.read_bytes())
        report = check_schema(Repository(Path(folder), parse_settings(text)))
    if report.failures:
        first, count = report.failures[0], len(report.failed)
        line = f", line {first.line}" if first.line else ""
        raise CheckFailedError(
            f"with the retired rows in the train set {count} of the data checks would fail, first "
            f"in {first.file}{line}: {first.message}",
            code="schema.rehearsal-failed",
        )


def _write(layout: Layout, parts: Parts, text: str) -> Path | None:
    """Replace all files; until the inputs are replaced, the last, the set counts as retired."""
    old = encryption.read(layout, SEALING)
    contents = _contents(layout, parts, text)
    inputs, labels = contents[layout.sealed_inputs], table_text(parts.labelled).encode()
    encryption.withdraw_next(layout, SEALING)
    new = encryption.create_next(layout, SEALING)
    write_bytes(layout.sealed_labels, seal(labels, digest_bytes(inputs), new))
    kept = encryption.keep(layout, SEALING, old) if old else None
    encryption.promote_next(layout, SEALING)
    for path, content in contents.items():
        write_bytes(path, content)
    return kept


def next_steps(layout: Layout, source: str, made: Renewed) -> str:
    """What to do on GitHub and in git after `seal fresh`."""
    old = f"  old key: {made.kept} (opens public labels only: delete it)\n" if made.kept else ""
    return f"""The fresh set is sealed under a new key; signing key and certificate.pub stay.

  new key: {layout.keys / SEALING.file} (and nowhere else: back it up)
{old}
{shell_step()}  1. Update data/README.md, commit data/ and {FILE_NAME}, and open a pull request.
     `assay score` cannot judge that pull request, since its sealed inputs are not yet main's:
     somebody who may bypass the check 'assay' merges it.
  2. {secret_step(layout)}
  3. The next run of main must show an improvement on the baseline, as at the beginning. Until a
     model is certified, nothing predicts: the margin, a part of the policy, is new.
  4. Keep {source} out of git: it holds the labels in plain text.{_pool_step(layout, made)}"""


def _pool_step(layout: Layout, made: Renewed) -> str:
    rows = len(read_table(layout.pool, ["formula"]))
    needed = pool_rows(made.sealed_rows)
    if rows >= needed:
        return ""
    return f"\n  5. Add compositions to data/pool.csv: it has {rows} rows, the gate wants {needed}."
