"""Verbs that start and update a repository: `init`, `plan` and `update`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.errors import NotCarriedOutError
from assay.evidence import Evidence
from assay.verbs.console import Machine, found_root, here, shown, tell
from assay.verbs.tables import (
    CapOption,
    DecimalOption,
    DuplicatesOption,
    ExtentOption,
    FormulaOption,
    FractionOption,
    GroupOption,
    PositiveOption,
    SetAsideOption,
    SheetOption,
    TargetOption,
    UnitOption,
    bound_agreed,
    with_group,
)

if TYPE_CHECKING:
    from assay.initialization import Initialized
    from assay.intake.adoption import SetOptions
    from assay.intake.choices import Choices
    from assay.intake.intake import Intake
    from assay.layout import Layout
    from assay.planning.chances import Plan
    from assay.planning.plan import PlanOptions
    from assay.repository import Repository

Steps = Callable[[], object]


def init(  # noqa: PLR0913 (one parameter an option)
    source: Annotated[
        str | None,
        typer.Argument(
            help="Table of formulas and labels, or a matminer dataset [your table, or data/]."
        ),
    ] = None,
    target: TargetOption = None,
    unit: UnitOption = None,
    formula: FormulaOption = None,
    sheet: SheetOption = None,
    decimal: DecimalOption = None,
    positive: PositiveOption = None,
    duplicates: DuplicatesOption = None,
    set_aside: SetAsideOption = False,
    sealed_fraction: FractionOption = None,
    group: GroupOption = None,
    extent: ExtentOption = None,
    rows_per_group: CapOption = None,
    pool: Annotated[
        Path | None,
        typer.Option(help="List of unlabelled compositions [some near those of the table]."),
    ] = None,
    evidence: Annotated[
        Evidence | None,
        typer.Option(help="Seal labels, or decide by public rows alone [that of assay.toml]."),
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Go on with rows that are too few for any verdict.")
    ] = False,
) -> None:
    """Read a table, split its rows, seal the held-out labels and make the keys."""
    from assay.initialization import few_rows, next_steps, read_source
    from assay.intake.adoption import SetOptions
    from assay.intake.choices import Choices
    from assay.intake.report import intake_text
    from assay.planning.text import of_public_rows

    root = found_root()
    choices = Choices(
        formula=formula,
        target=target,
        unit=unit,
        sheet=sheet,
        decimal=decimal,
        positive=positive,
        duplicates=duplicates,
        group=group,
    )
    found = with_group(lambda choices: read_source(root, source, choices), choices)
    if found is not None:
        typer.echo(f"{intake_text(found)}\n")
    bounded = found is None or bound_agreed(found)
    options = SetOptions(
        sealed_fraction, pool, set_aside, anyway, bounded, extent, rows_per_group, evidence
    )
    made = _initialized(root, found, options)
    rows = f"{made.train_rows} rows to train on, {made.sealed_rows or 'none'} sealed"
    typer.echo(f"{rows}; margin {made.model.margin:g}.\n\n{made.grouping}\n")
    if not made.sealed_rows and made.model.chance is not None:
        typer.echo(f"{of_public_rows(made.model.chance)}\n")
    if made.changed:
        told = f"{made.changed} now has classifiers in place of regressors: the target is a class."
        typer.echo(f"{told}\n")
    if (warning := few_rows(made.sealed_rows)) is not None:
        typer.echo(f"{warning}\n")
    typer.echo(next_steps(root))


def _initialized(root: Path, found: "Intake | None", options: "SetOptions") -> "Initialized":
    """Initialise; on a terminal, ask whether public rows shall decide where no seal could."""
    from assay.initialization import initialize
    from assay.intake.adoption import by_public_rows
    from assay.intake.groupings import CannotDecideError

    try:
        return initialize(root, found, options)
    except CannotDecideError as error:
        asks = sys.stdin.isatty() and sys.stdout.isatty()
        if found is None or error.way is None or options.evidence is not None or not asks:
            raise
        typer.echo(f"{error}\n")
        if not typer.confirm("Seal nothing, and decide by public evidence?"):
            raise
        return initialize(root, *by_public_rows(found, options, error.way))


def plan(  # noqa: PLR0913 (one parameter an option)
    source: Annotated[
        str | None,
        typer.Argument(help="Table that is not sealed yet, as for `assay init` [data/]."),
    ] = None,
    target: TargetOption = None,
    unit: UnitOption = None,
    formula: FormulaOption = None,
    sheet: SheetOption = None,
    decimal: DecimalOption = None,
    positive: PositiveOption = None,
    duplicates: DuplicatesOption = None,
    set_aside: SetAsideOption = False,
    sealed_fraction: FractionOption = None,
    group: GroupOption = None,
    extent: ExtentOption = None,
    rows_per_group: CapOption = None,
    rows: Annotated[
        int | None, typer.Option(help="Number of sealed rows [those of data/].")
    ] = None,
    groups: Annotated[
        int | None, typer.Option(help="Number of chemical systems in --rows.")
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Largest loss that passes [margin of assay.toml].")
    ] = None,
    change: Annotated[
        float | None, typer.Option(help="Mean change of predictions [a share of the error].")
    ] = None,
    error: Annotated[
        float | None, typer.Option(help="Public error of the champion [of out/candidate].")
    ] = None,
    icc: Annotated[
        float, typer.Option(help="Correlation of errors within a chemical system.")
    ] = 0.3,
    pool_change: Annotated[
        float, typer.Option(help="Changes on the pool, in multiples of those on labelled rows.")
    ] = 1.6,
    use: Annotated[int, typer.Option(help="Number of the next sealed use.")] = 1,
    disagreements: Annotated[int, typer.Option(help="Failed confirmations before --use.")] = 0,
    bounded: Annotated[
        bool, typer.Option(help="Also print estimates that hold for any distribution.")
    ] = False,
    trials: Annotated[
        int | None, typer.Option(help="Simulated models per line [300; for a table 100].")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
    machine: Machine = False,
) -> None:
    """Estimate what a sealed set, or a table before it is sealed, can decide."""
    from assay.intake.adoption import SetOptions
    from assay.intake.choices import Choices
    from assay.planning.assumptions import GivenAssumptions
    from assay.planning.plan import TRIALS, PlanOptions, make_plan
    from assay.planning.prospects import TRIALS as TRIALS_OF_A_TABLE

    repository = here()
    given = GivenAssumptions(error=error, change=change, icc=icc, on_pool=pool_change)
    drawn = trials or (TRIALS if source is None else TRIALS_OF_A_TABLE)
    options = PlanOptions(
        rows, groups, margin, given, use, disagreements, bounded=bounded, trials=drawn, seed=seed
    )
    if source is None:
        with _progress() as tick:
            made = make_plan(repository, options, tick)
    else:
        choices = Choices(
            formula=formula,
            target=target,
            unit=unit,
            sheet=sheet,
            decimal=decimal,
            positive=positive,
            duplicates=duplicates,
            group=group,
        )
        chosen = SetOptions(
            sealed_fraction,
            agreed=set_aside,
            extent=extent,
            rows_per_group=rows_per_group,
            evidence="sealed",
        )
        made = _of_a_table(repository, source, choices, chosen, options, machine=machine)
    _tell_plan(repository.layout, made, machine=machine)


def _of_a_table(  # noqa: PLR0913 (what the verb was told)
    repository: "Repository",
    source: str,
    choices: "Choices",
    chosen: "SetOptions",
    options: "PlanOptions",
    *,
    machine: bool,
) -> "Plan":
    from assay.intake.report import intake_text, write_intake
    from assay.model.gaps import take_in_for
    from assay.planning.prospects import groupings_of, prospect

    found = with_group(lambda choices: take_in_for(repository, source, choices), choices)
    assert found is not None  # noqa: S101 (a table was named)
    write_intake(found, repository.layout)
    if not machine:
        typer.echo(f"{intake_text(found)}\n")
    groupings = groupings_of(repository, found, chosen)
    if not machine:
        typer.echo(f"{groupings}\n")
    with _progress() as tick:
        made = prospect(repository, found, chosen, options, groupings, tick)
    return made.model_copy(update={"source": source})


def _tell_plan(layout: "Layout", made: "Plan", *, machine: bool) -> None:
    from assay.files import write_text
    from assay.planning.text import plan_text, power_curve

    picture = layout.out / "plan" / "power.svg"
    made.write(picture.with_name("plan.json"))
    write_text(picture, power_curve(made))
    tell(f"{plan_text(made)}\n\nplan: {shown(picture)}", made, machine=machine)


@contextmanager
def _progress() -> Iterator[Steps]:
    from assay.planning.plan import STEPS
    from assay.progress import counting

    with counting("plan", STEPS, " simulations") as bar:
        yield bar.update
        bar.finish()  # searches end when they have found what they look for


def update(
    template: Annotated[
        str | None,
        typer.Option(help="Folder or address of the template [the recorded one]."),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option("--to", help="Tag, branch or commit of the template [its newest]."),
    ] = None,
    train: Annotated[
        bool,
        typer.Option("--train/--no-train", help="Train before and after, and compare the models."),
    ] = True,
    keep_conflicts: Annotated[
        bool,
        typer.Option(
            "--keep-conflicts",
            help="Make the branch in spite of conflicts, and mark them in the files.",
        ),
    ] = False,
) -> None:
    """Update this repository to the newest template, on a branch."""
    from assay.machinery import machinery_digest
    from assay.update.update import Order, begin

    machinery_digest()  # refuses an installation that somebody changed
    root = found_root()
    order = Order(str(root), "", "", train=train, keep_conflicts=keep_conflicts)
    raise typer.Exit(begin(root, template, revision, order))


def update_with(order: Path) -> None:
    """Carry out what an older machinery's `update` prepared."""
    from assay.update.update import carry_out, read_order, summary

    report = carry_out(read_order(order))
    if report is None:
        typer.echo("This repository is up to date with the template: no branch was made.")
        return
    typer.echo(summary(report))
    if report.unchecked is not None:
        raise NotCarriedOutError(
            f"{report.unchecked}: run `make setup check` on it.", code="update.not-compared"
        )
