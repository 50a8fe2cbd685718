"""`assay init`: from labelled rows to a split, sealed, configured and described repository."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from assay import provenance
from assay.errors import AssayError, RefusedError, UsageError
from assay.files import write_text
from assay.groups import SYSTEM, told
from assay.intake.adoption import SetOptions, adopted, fitting_model
from assay.intake.choices import Choices
from assay.intake.division import write_public
from assay.intake.groupings import (
    CannotDecideError,
    Prospect,
    by_public,
    groupings_text,
    public_way,
)
from assay.intake.intake import Intake
from assay.intake.report import aside_text, repeats_text, write_intake
from assay.layout import Layout
from assay.ledger.certificate import new_signing_key
from assay.model.gaps import take_in_for
from assay.planning.first_model import FirstModel, first_model
from assay.progress import stages
from assay.repository import Repository
from assay.sealing.encryption import SEALING, SIGNING
from assay.sealing.labels import open_labels, write_sealed
from assay.settings import FILE_NAME, Settings, Target, parse_settings, read_settings
from assay.splits import Parts
from assay.tables import read_labelled, read_table

CARD = """# Data card

| | |
|---|---|
| source | `{source}` |
| target | `{target}` ({kind}, unit {unit}) |
| rows | {rows} distinct compositions |
| groups | {grouping} |
| read | {total} rows; {aside} |
| repeated compositions | {repeated} |
| range | {low:.6g} to {high:.6g}, mean {mean:.6g} |

{division}

`pool.csv` holds {pool} unlabelled compositions on which two models are compared: those of a list
if one was given to `assay init --pool`, else compositions near those of the table, of its elements
alone.

The owner of the data still has to write here: where the values were measured or computed, the
licence, the DOI, and known defects.
"""
HELD_OUT = """`train.csv` is public. `sealed_inputs.csv` holds the held-out compositions,
`sealed_labels.bin` their labels, encrypted."""
ALL_PUBLIC = """`train.csv` holds all rows, and nothing is sealed: models are judged by grouped
cross-validation on them, which certificates and predictions call `public` evidence."""
# below this chance that the first model is certified, nothing is sealed
HOPELESS = 0.05
# where the template puts the person's table
KEPT = Path(".assay") / "source"
FEW_ROWS = 300
BY_SYSTEM = told(SYSTEM, 0.0, None)


def data_card(parts: Parts, found: Intake, target: Target, grouping: str = BY_SYSTEM) -> str:
    """The first text of `data/README.md`, for rows from a file or dataset."""
    values = pd.concat([parts.train, parts.held_out])[parts.target]
    return CARD.format(
        division=HELD_OUT if len(parts.held_out) else ALL_PUBLIC,
        divided=", divided by chemical system" if len(parts.held_out) else "",
        source=found.name,
        total=found.total,
        aside=aside_text(found),
        repeated=repeats_text(found),
        pool=0 if parts.pool is None else len(parts.pool),
        target=parts.target,
        kind=target.kind,
        unit=target.unit,
        rows=len(values),
        grouping=grouping,
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
    """What `init` made: sizes of the two sets, and what the first model makes of them.

    `repeated` rows of the source went into others of their composition. `grouping` says which rows
    go together. In the file `changed`
    classifiers stand for regressors since.
    """

    train_rows: int
    sealed_rows: int
    model: FirstModel
    repeated: int
    grouping: str
    changed: str | None = None


def initialize(root: Path, found: Intake | None, options: SetOptions) -> Initialized:
    """Split (if rows were taken in), set the margin, seal the labels and make the keys.

    Everything that can fail for the data's sake is done before the first file is written.

    Args:
        root: the repository.
        found: what `read_source` took in; None: the tables in `data` are divided already.
        options: what a person said of the set.

    Raises:
        RefusedError: the labels are sealed already, there are keys already, too many rows were set
            aside, or the gate could decide nothing.
        UsageError: the source or `assay.toml` is not as it must be, or the model of the
            repository cannot be fitted.
    """
    layout = Layout(root)
    tried: Sequence[Prospect] = ()
    _require_fresh(layout)
    before = read_settings(root)
    text = (root / FILE_NAME).read_text(encoding="utf-8")
    if found is None:
        _require_no_words(options.of_a_table)
        _require_sealed(before, options)
        parts, card, repeated = _parts_on_disk(Repository(root, before)), None, 0
    else:
        with stages("init") as doing:
            doing("dividing the rows by groups")
            text, parts, tried = adopted(
                Repository(root, before), text, found, options, _hopeful(root)
            )
        settings, repeated = parse_settings(text), found.merged.repeated
        card = data_card(parts, found, settings.target, _line(settings))
    with fitting_model(Repository(root, parse_settings(text))) as changed:
        model = first_model(root, parts, text)
        if found is not None and not options.anyway:
            _require_hope(parts, model, found)
    _write(layout, parts, model.text, card)
    _tell(root / "README.md", before.target, parse_settings(text).target)
    grouping = _grouping(parse_settings(text), tried)
    return Initialized(len(parts.train), len(parts.held_out), model, repeated, grouping, changed)


def _grouping(settings: Settings, tried: Sequence[Prospect]) -> str:
    """The page's lines about groups: how rows go together, and what was tried to find that."""
    line = f"Rows are {_line(settings)}."
    return line if len(tried) < 2 or tried[0].decides else f"{groupings_text(tried)}\n{line}"  # noqa: PLR2004


def _require_sealed(settings: Settings, options: SetOptions) -> None:
    """Refuse public evidence for tables that hold rows out, whose labels are to be sealed."""
    if "public" in {options.evidence, settings.gate.evidence}:
        raise UsageError(
            "--evidence public takes a table whose rows are all public, and the rows of data/ are "
            "divided already: name the table.",
            code="data.divided",
        )


def _hopeful(root: Path) -> Callable[[str, Parts], bool]:
    """Whether rows divided so would now and then certify the model of the repository."""

    def hopeful(text: str, parts: Parts) -> bool:
        try:
            with fitting_model(Repository(root, parse_settings(text)), lasting=False):
                return not _hopeless(parts, first_model(root, parts, text))
        except UsageError:
            return False

    return hopeful


def _hopeless(parts: Parts, model: FirstModel) -> bool:
    return bool(len(parts.held_out)) and model.chance is not None and model.chance < HOPELESS


def _require_hope(parts: Parts, model: FirstModel, found: Intake) -> None:
    """Refuse to seal a set that would hardly ever certify the first model."""
    if _hopeless(parts, model):
        way = public_way(parse_settings(model.text), found)
        raise CannotDecideError(
            f"the {len(parts.held_out)} rows to seal would certify the model in src/ in "
            f"{model.chance:.0%} of cases: {by_public(way)}add rows, or seal all the same by "
            "--anyway.",
            code="data.hopeless",
            way=way,
        )


def _line(settings: Settings) -> str:
    split, gate = settings.split, settings.gate
    return told(split.group, split.extent, gate.rows_per_group)


def read_source(root: Path, source: str | None, choices: Choices) -> Intake | None:
    """Take in the table that is to be sealed, and write what is amiss with it to `out/intake`.

    Without a source it is the one that the template put aside. None where there is neither: the
    tables in `data` are divided already.

    Raises:
        RefusedError: the labels are sealed already, or git would commit the table.
        UndecidedError: a person has to choose.
        UsageError: the table cannot be read, no row of it can be used, or there is none to which
            the choices could apply.
    """
    _require_fresh(Layout(root))
    _require_private(root, source)
    kept = sorted(path for path in (root / KEPT).glob("*") if path.is_file())
    if source is None and not kept:
        _require_no_words(vars(choices))
        return None
    if source is None and len(kept) > 1:
        named = ", ".join(path.name for path in kept)[:200]
        raise UsageError(
            f"{KEPT} holds {len(kept)} tables ({named}): name one, as in `assay init "
            f"{KEPT / kept[0].name}`.",
            code="data.several-sources",
        )
    found = _taken_in(root, source or str(kept[0]), choices)
    write_intake(found, Layout(root))
    return found


def _taken_in(root: Path, source: str, choices: Choices) -> Intake:
    """Read the table; what is wrong with a copy that the template made names the person's file."""
    try:
        return take_in_for(Repository(root, read_settings(root)), source, choices)
    except AssayError as error:
        error.args = (str(error).replace(f"{root / KEPT}{os.sep}", ""),)
        raise


def _require_no_words(options: Mapping[str, object]) -> None:
    """Refuse words about a table where there is none: they would be lost without a sign."""
    said = [name for name, value in options.items() if value is not None and value != ()]
    if said:
        raise UsageError(
            f"--{said[0]} goes with a table, and the rows of data/ are divided already: run `assay "
            f"init TABLE --{said[0]} ...`, or set the keys of [target] in assay.toml.",
            code="data.no-table",
        )


def _require_fresh(layout: Layout) -> None:
    if layout.public_key.exists() and read_settings(layout.root).public:
        raise RefusedError(
            "this repository is initialised with public evidence: add rows to data/train.csv in a "
            "pull request, or seal new ones with `assay seal fresh FILE`.",
            code="data.already-public",
        )
    if layout.sealed_labels.exists():
        raise RefusedError(
            f"{layout.sealed_labels} exists: this repository is initialised; `assay seal renew "
            "TABLE` puts a new set in its place, and `assay data add TABLE` adds train rows.",
            code="labels.already-sealed",
        )
    if any(layout.retired.glob("*")):
        raise RefusedError(
            f"{layout.retired} holds public labels, which must not be sealed again: restore "
            f"{layout.sealed_labels.name} from git and run `assay seal fresh`, or move the folder "
            "away and run `assay init` again.",
            code="labels.public",
        )
    keys = [layout.keys / SEALING.file]
    if not layout.public_key.exists():
        keys.append(layout.keys / SIGNING.file)
    for key in keys:
        if key.exists():
            raise RefusedError(
                f"{key} exists from an earlier `assay init`: move it away, and run `assay init` "
                "again.",
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
            f"out of the repository or into {KEPT}, which git ignores, and run `assay init` again.",
            code="data.not-ignored",
        )


def _parts_on_disk(repository: Repository) -> Parts:
    layout, target = repository.layout, repository.settings.target.column
    if not layout.open_labels.exists():
        raise UsageError(
            f"{layout.open_labels} does not exist: restore it from git, or name a CSV or a "
            "matminer dataset, as in `assay init TABLE`.",
            code="data.no-source",
        )
    named = ["row_id", "formula", *filter(None, [repository.settings.group_column])]
    train = read_labelled(layout.train, named, target)
    open_labels(layout, target)  # raises where what would be sealed could never be scored
    held_out = read_table(layout.sealed_inputs, named)
    return Parts(
        target, train, held_out.join(read_labelled(layout.open_labels, [], target)[[target]])
    )


def _write(layout: Layout, parts: Parts, text: str, card: str | None) -> None:
    if card is not None:
        write_public(layout, parts)
        write_text(layout.root / "data" / "README.md", card)
    write_text(layout.root / FILE_NAME, text)
    if not layout.public_key.exists():
        new_signing_key(layout)
    if len(parts.held_out):
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
    if sealed >= FEW_ROWS or not sealed:
        return None
    return (
        f"warning: with {sealed} sealed rows most verdicts will be INCONCLUSIVE, and nothing "
        "predicts without a PASS: run `assay plan`, which says how many rows are needed. Add rows "
        "before you push, since a set cannot be sealed again."
    )


def next_steps(root: Path) -> str:
    """What to do on GitHub with the keys, in words that can be followed."""
    layout, sealed = Layout(root), not read_settings(root).public
    secrets = (SEALING, SIGNING) if sealed else (SIGNING,)
    # it may name another target
    further = " README.md" if (root / "README.md").is_file() else ""
    return STEPS.format(
        made=SEALED.format(folder=layout.keys) if sealed else UNSEALED.format(folder=layout.keys),
        changed=further,
        message="Seal the held-out labels" if sealed else "Take in the data",
        count="two secrets, each" if sealed else "a secret",
        secrets="\n".join(f"       {one.variable}   {layout.keys / one.file}" for one in secrets),
        later=LATER if sealed else TO_SEAL,
    )


SEALED = "The labels are sealed. The keys are in {folder} and nowhere else: back them up."
UNSEALED = """All rows are public, and nothing is sealed: certificates and predictions say `public`
evidence. The signing key is in {folder} and nowhere else: back it up."""
STEPS = """{made}

Next, in the folder of assay.toml:
  git add data src assay.toml certificate.pub{changed} && git commit -m "{message}"
  assay check && assay score

To use them on GitHub (Settings of the repository):
  1. Environments: make 'heldout'; under deployment branches choose 'Selected branches',
     add 'main' and nothing else; switch off 'Allow administrators to bypass'.
  2. In that environment add {count} with the content of the file named:
{secrets}
  3. Actions, General: require approval for all external contributors' workflows.
  4. Rules: require the status checks 'gate' and 'assay' on main; restrict deletions of the branch
     'assay-ledger' and block force pushes to it, for everybody; forbid tags named 'main'.
     The branch 'assay-pictures' holds the pictures of comments and needs no rule.

{later}"""
LATER = """`assay seal --help` lists what comes later in the set's life: a new key, the release of
its labels when it is used up, and a fresh set."""
TO_SEAL = """When there are rows that nobody has seen, enough of them to decide (`assay plan FILE`),
`assay seal fresh FILE` seals them, and verdicts rest on them from then on."""
