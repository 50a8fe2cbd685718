"""Verbs that look ahead: `plan`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from assay.verbs.console import Machine, here, shown, tell

Steps = Callable[[], object]


def plan(  # noqa: PLR0913 (one parameter an option)
    rows: Annotated[int | None, typer.Option(help="Sealed rows [those of data/].")] = None,
    groups: Annotated[int | None, typer.Option(help="Chemical systems among them.")] = None,
    margin: Annotated[float | None, typer.Option(help="Margin [that of assay.toml].")] = None,
    change: Annotated[
        float | None, typer.Option(help="Mean change of predictions [a share of the error].")
    ] = None,
    error: Annotated[
        float | None, typer.Option(help="Public error of the champion [of out/candidate].")
    ] = None,
    icc: Annotated[float, typer.Option(help="Correlation within a chemical system.")] = 0.3,
    pool_change: Annotated[
        float, typer.Option(help="Changes over the pool, in multiples of those on labelled rows.")
    ] = 1.6,
    use: Annotated[int, typer.Option(help="Number of the next sealed use.")] = 1,
    disagreements: Annotated[int, typer.Option(help="Sealed uses that did not confirm.")] = 0,
    bounded: Annotated[bool, typer.Option(help="Estimates that hold for any rows, too.")] = False,  # noqa: FBT002
    trials: Annotated[int, typer.Option(help="Drawn models for each chance.")] = 300,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Tell what a sealed set can decide, and how many rows a margin needs."""
    from assay.files import write_text
    from assay.layout import Layout
    from assay.planning.guesses import Given
    from assay.planning.plan import Options, make_plan
    from assay.planning.power_curve import power_curve
    from assay.planning.text import plan_text

    root, settings = here()
    given = Given(error=error, change=change, icc=icc, on_pool=pool_change)
    options = Options(
        rows, groups, margin, given, use, disagreements, bounded=bounded, trials=trials, seed=seed
    )
    with _progress() as tick:
        made = make_plan(root, settings, options, tick)
    picture = Layout(root).out / "plan" / "power.svg"
    made.write(picture.with_name("plan.json"))
    write_text(picture, power_curve(made))
    tell(f"{plan_text(made)}\n\nplan: {shown(picture)}", made, machine=machine)


@contextmanager
def _progress() -> Iterator[Steps]:
    from tqdm import tqdm

    from assay.planning.plan import STEPS

    with tqdm(total=STEPS, desc="plan", unit=" simulations", disable=None) as bar:
        yield bar.update
        bar.total = bar.n  # searches end when they have found what they look for
        bar.refresh()
