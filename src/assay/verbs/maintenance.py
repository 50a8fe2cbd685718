"""Verbs that maintain a repository: `ledger`, `revoke` and `seal`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.errors import CheckFailedError, RefusedError
from assay.progress import paused, stages
from assay.texts import on_one_line
from assay.verbs.console import Machine, Remote, found_root, here, note_age, tell
from assay.verbs.tables import (
    DecimalOption,
    DuplicatesOption,
    FormulaOption,
    SetAsideOption,
    SheetOption,
    UnitOption,
    asked,
)

if TYPE_CHECKING:
    from assay.ledger.audit import Audit

ledger_app = typer.Typer(
    help="Show and verify the ledger of decisions and sealed uses.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
seal_app = typer.Typer(
    help="Renew the sealed set, change its key, or retire it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@ledger_app.command()
def show(remote: Remote = None, machine: Machine = False) -> None:
    """Print the ledger as a table, one line per entry."""
    from assay.ledger.audit import listing
    from assay.ledger.record import read_ledger, read_ledger_at_hand

    root = found_root()
    if remote is None:
        note_age(root)
    ledger = read_ledger(root, remote) if remote else read_ledger_at_hand(root)
    if machine:
        lines = ",\n".join(entry.model_dump_json() for entry in ledger.entries)
        typer.echo(f"[{lines}]")
        return
    for line in listing(ledger):
        typer.echo(on_one_line(line))


@ledger_app.command()
def verify(
    remote: Remote = None,
    labels: Annotated[
        Path | None, typer.Option(help="CSV with row_id and labels of a retired set.")
    ] = None,
    machine: Machine = False,
) -> None:
    """Recompute signatures, levels, decisions and certificates."""
    from assay.ledger.audit import audit

    _conclude(audit(here(), remote, labels), machine=machine)


def revoke(
    digest: Annotated[str, typer.Argument(help="Digest of a certified model, 12 digits or more.")],
    reason: Annotated[str, typer.Option(help="Reason in one sentence; everybody can read it.")],
    remote: Remote = None,
    machine: Machine = False,
) -> None:
    """Revoke a certified model, so that it cannot predict or pass again."""
    from assay.batch.authorization import require_main
    from assay.ledger.revocation import revoke as end
    from assay.machinery import machinery_digest

    machinery_digest()
    require_main("models are revoked")
    entry = end(found_root(), digest, reason, remote)
    tell(f"revoked: {entry.bundle_digest[:12]} ({entry.reason})", entry, machine=machine)


def _conclude(found: "Audit", *, machine: bool) -> None:
    lines = [f"ledger: {line}" for line in found.sentences]
    lines += [f"ledger: line {one.line} does not hold: {one.reason}" for one in found.faults]
    tell("\n".join(map(on_one_line, lines)), found, machine=machine)
    if found.faults:
        first = found.faults[0]
        raise CheckFailedError(
            f"the ledger does not hold, first line {first.line}: {first.reason}; undo the commit "
            "that wrote it there, by `git revert` and an ordinary push.",
            code="ledger.does-not-hold",
        )


@seal_app.command()
def rotate() -> None:
    """Encrypt the held-out labels under a new key; the budget stays."""
    from assay.layout import Layout
    from assay.sealing import rotation

    layout = Layout(found_root())
    typer.echo(rotation.next_steps(layout, rotation.rotate(layout)))


@seal_app.command()
def retire(
    remote: Remote = None,
    early: Annotated[
        bool, typer.Option("--early", help="Retire the set even though uses remain.")
    ] = False,
) -> None:
    """Publish the held-out labels and all scores, and end the set."""
    from assay.sealing import retirement

    repository = here()
    made = retirement.retire(repository, remote, early=early)
    typer.echo(retirement.next_steps(repository.root, made))


@seal_app.command()
def renew(  # noqa: PLR0913 (one parameter an option)
    source: Annotated[str, typer.Argument(help="Table of formulas and the target, as for init.")],
    unit: UnitOption = None,
    formula: FormulaOption = None,
    sheet: SheetOption = None,
    decimal: DecimalOption = None,
    duplicates: DuplicatesOption = None,
    set_aside: SetAsideOption = False,
    remote: Remote = None,
    yes: Annotated[bool, typer.Option("--yes", help="Go on without a question.")] = False,
) -> None:
    """Retire the sealed set and seal new rows; says the cost first."""
    with stages("seal renew") as doing:
        doing("starting")
        from assay.intake.choices import Choices
        from assay.intake.report import intake_text
        from assay.sealing import replacement

    repository = here()
    choices = Choices(
        formula=formula, unit=unit, sheet=sheet, decimal=decimal, duplicates=duplicates
    )
    found = asked(lambda choices: replacement.read_successor(repository, source, choices), choices)
    typer.echo(f"{intake_text(found)}\n")
    with stages("seal renew") as doing:
        doing("fitting the model and checking the new tables")
        planned = replacement.replacement(repository, found, remote, agreed=set_aside)
    typer.echo(f"{planned.cost}\n")
    _require_yes(yes=yes)
    retired, made = replacement.carry_out(repository, planned, remote)
    typer.echo(replacement.next_steps(repository.layout, source, retired, made))


def _require_yes(*, yes: bool) -> None:
    """Go on if a person says so, by the option or on a terminal."""
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    with paused():
        if yes or (asks and typer.confirm("Renew the sealed set?")):
            return
    raise RefusedError(
        "nothing was changed: read above what the renewal costs, and run it again with --yes.",
        code="labels.not-agreed",
    )


@seal_app.command()
def fresh(  # noqa: PLR0913 (one parameter an option)
    source: Annotated[str, typer.Argument(help="Table of formulas and the target, as for init.")],
    unit: UnitOption = None,
    formula: FormulaOption = None,
    sheet: SheetOption = None,
    decimal: DecimalOption = None,
    duplicates: DuplicatesOption = None,
    set_aside: SetAsideOption = False,
) -> None:
    """Seal new labelled rows; the retired rows join the train set."""
    from assay.intake.choices import Choices
    from assay.intake.report import intake_text
    from assay.sealing import renewal

    repository = here()
    choices = Choices(
        formula=formula, unit=unit, sheet=sheet, decimal=decimal, duplicates=duplicates
    )
    found = asked(lambda choices: renewal.read_fresh(repository, source, choices), choices)
    typer.echo(f"{intake_text(found)}\n")
    made = renewal.seal_fresh(repository, found, agreed=set_aside)
    typer.echo(
        f"{made.joined_rows} retired rows joined the train set, which has {made.train_rows}; "
        f"{made.sealed_rows} sealed; margin {made.margin:g}.\n"
    )
    typer.echo(renewal.next_steps(repository.layout, source, made))
