"""The ledger: `ledger show`, `ledger verify`, and `revoke`, which adds to it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.errors import CheckFailedError
from assay.texts import on_one_line
from assay.verbs.console import Machine, Remote, here, repository, tell

if TYPE_CHECKING:
    from assay.ledger.audit import Audit

app = typer.Typer(
    help="Read and verify the record of decisions and sealed uses.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def show(remote: Remote = None, machine: Machine = False) -> None:  # noqa: FBT002 (a flag)
    """Print the ledger as a table, a line an entry."""
    from assay.ledger.listing import listing
    from assay.ledger.record import read_ledger, read_ledger_at_hand

    root = repository()
    ledger = read_ledger(root, remote) if remote else read_ledger_at_hand(root)
    if machine:
        lines = ",\n".join(entry.model_dump_json() for entry in ledger.entries)
        typer.echo(f"[{lines}]")
        return
    for line in listing(ledger):
        typer.echo(on_one_line(line))


@app.command()
def verify(
    remote: Remote = None,
    labels: Annotated[
        Path | None, typer.Option(help="Labels of a set that was retired, row_id and target.")
    ] = None,
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Play the whole ledger again: signatures, levels, decisions, certificates, bits."""
    from assay.ledger.audit import audit

    root, settings = here()
    _conclude(audit(root, settings, remote, labels), machine=machine)


def revoke(
    digest: Annotated[str, typer.Argument(help="Digest of a certified model, 12 digits or more.")],
    reason: Annotated[str, typer.Option(help="Why, in one sentence; it is shown to everybody.")],
    remote: Remote = None,
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Revoke a certified model: from now on it neither predicts nor passes."""
    from assay.batch.authorization import require_main
    from assay.ledger.revocation import revoke as end
    from assay.machinery import machinery_digest

    machinery_digest()
    require_main("models are revoked")
    entry = end(repository(), digest, reason, remote)
    tell(f"revoked: {entry.bundle_digest[:12]} ({entry.reason})", entry, machine=machine)


def _conclude(found: "Audit", *, machine: bool) -> None:
    if machine:
        typer.echo(found.model_dump_json())
    else:
        for line in found.sentences:
            typer.echo(on_one_line(f"ledger: {line}"))
        for fault in found.faults:
            typer.echo(on_one_line(f"ledger: line {fault.line} does not hold: {fault.reason}"))
    if found.faults:
        first = found.faults[0]
        raise CheckFailedError(
            f"the ledger does not hold, first line {first.line}: {first.reason}."
        )
