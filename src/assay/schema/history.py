"""The rules of a train set that differs from main's: ids, formulas, labels, scale and size."""

import great_expectations.expectations as gxe
import numpy as np

from assay.compositions import problem
from assay.schema.accidents import beside, by_case_alone, copied, exchanged, respelt
from assay.schema.comparison import RESTORE, Compared, allowed, to_add, was, way_on
from assay.schema.corrections import FILE, line_to_paste
from assay.schema.expectations import ExpectColumnQuartilesToBeBetween
from assay.schema.rules import FAILURE, FORMULA, ROW_ID, WARNING, Rule, Table
from assay.schema.units import converted
from assay.settings import Settings
from assay.texts import plural


def label_rules(compared: Compared) -> list[Rule]:
    """Rules of single labels; of classes it is only told which changed."""
    rules = [_labels(compared)]
    if compared.corrections and compared.corrections.added:
        rules.append(_unlisted(compared))
    if compared.is_number:
        rules += [_rounded(compared), _unit(compared), _exchanged(compared), _copied(compared)]
    return rules


def _labels(compared: Compared) -> Rule:
    pairing, unit = compared.pairing, compared.settings.target.unit
    rows = compared.unlisted(pairing.relabelled)
    known = np.where(rows, pairing.before, np.nan)
    done = converted(pairing.here.formulas, known, pairing.here.labels, unit, least=1)
    above = beside(pairing, rows) if compared.is_number else {}
    said = {}
    for place in np.flatnonzero(rows).tolist():
        hint = f", {done[place]}" if done[place] and compared.is_number else ""
        if place in above:
            hint += f", which is main's label of {pairing.main.formulas[above[place]]} beside it"
        said[place] = f"{was(compared, place)}{hint}; say in the pull request why it was changed."
    return compared.rule("history.labels", "No label was changed.", said, severity=WARNING)


def _unlisted(compared: Compared) -> Rule:
    rows = np.flatnonzero(compared.unlisted(compared.pairing.relabelled))
    said = {
        place: f"{was(compared, place)}, and {FILE} lists other changes but not this one: "
        f"{way_on(compared, place)}."
        for place in rows.tolist()
    }
    return compared.rule("corrections.complete", "The list of corrections is complete.", said)


def _rounded(compared: Compared) -> Rule:
    pairing = compared.pairing
    rows = np.flatnonzero(pairing.kept)
    farthest = float(pairing.moved[rows].max()) if len(rows) else 0.0
    apart = (
        f"{plural(len(rows), 'label differs', 'labels differ')} from main's by {farthest:.1g} at "
        "most"
    )
    lost = (
        f"{apart}, rounded when the table was saved. Digits are lost: {RESTORE} and add your rows "
        "again, with a program that keeps all digits."
    )
    gained = (
        f"{apart}, and this one has more digits than main's: say in the pull request where they "
        f"come from, or {RESTORE} and add your rows again, if a program wrote them."
    )
    said = {
        place: f"{was(compared, place)}: {gained if pairing.gained[place] else lost}"
        for place in rows.tolist()
    }
    return compared.rule(
        "history.rounded", "Labels have just the digits that main has.", said, severity=WARNING
    )


def _unit(compared: Compared) -> Rule:
    pairing, unit = compared.pairing, compared.settings.target.unit
    rows = compared.unlisted(pairing.relabelled)
    known = np.where(rows, pairing.before, np.nan)
    done = converted(pairing.here.formulas, known, pairing.here.labels, unit)
    said = {
        place: f"{was(compared, place)}, {words}: convert it back, or {_listed(compared, place)}."
        for place, words in enumerate(done)
        if words
    }
    return compared.rule("history.unit", "No label was carried over into another unit.", said)


def _listed(compared: Compared, place: int) -> str:
    return way_on(compared, place).removeprefix("put it back; or, ")


def _exchanged(compared: Compared) -> Rule:
    pairing, main = compared.pairing, compared.pairing.main
    rows = compared.unlisted(pairing.relabelled)
    donors = exchanged(pairing, rows)
    said = {
        place: (
            f"{was(compared, place)}, and {main.cells[donor]} is main's label of "
            f"{main.formulas[donor]} ({main.ids[donor]}, line {main.lines[donor]} there)"
            f"{_disguise(compared, place, donor)}: "
            f"{plural(len(donors), 'label was', 'labels were')} exchanged, sorted, filled down or "
            f"slipped by a row; {way_on(compared, place)}."
        )
        for place, donor in donors.items()
    }
    return compared.rule("history.exchanged", "No row got the label of another row.", said)


def _disguise(compared: Compared, place: int, donor: int) -> str:
    """How far a label is from the one it is taken for, where that is another number."""
    here, other = compared.pairing.here.labels[place], compared.pairing.main.labels[donor]
    return "" if np.isclose(here, other, rtol=1e-9) else f", {abs(here - other):.1g} away from it"


def _copied(compared: Compared) -> Rule:
    pairing, main, here = compared.pairing, compared.pairing.main, compared.pairing.here
    donors, name = copied(pairing), compared.settings.target.column
    new = plural(len(pairing.added), "new label is", "new labels are")
    said = {
        place: (
            f"{name} of {here.formulas[place]}, which is new, is {here.cells[place]}: exactly "
            f"main's label of {main.formulas[donor]} ({main.ids[donor]}, line {main.lines[donor]} "
            f"there), as {len(donors)} of {new} other materials'; "
            "check that no labels were pasted beside the wrong formulas."
        )
        for place, donor in donors.items()
    }
    description = "New rows have labels of their own, not those of other materials."
    return compared.rule("history.copied", description, said, severity=WARNING)


def moved_far(compared: Compared, spread: float) -> Rule:
    """The rule of labels that moved farther than a part of the quartiles' distance, `spread`."""
    pairing, farthest = compared.pairing, compared.settings.data.maximum_relabel * spread
    rows = compared.unlisted(pairing.relabelled & ~(pairing.moved <= farthest))
    said = {
        place: f"{was(compared, place)}, farther than {farthest:.4g} "
        "(data.maximum_relabel times the quartiles' distance); "
        f"{way_on(compared, place)}."
        for place in np.flatnonzero(rows).tolist()
    }
    description = f"No label that stands on main moved by more than {farthest:.4g}."
    return compared.rule("history.relabelled", description, said)


def history_rules(compared: Compared, before: Table) -> list[Rule]:
    """Rules of the train set given main's, `before`."""
    settings = compared.settings
    rules = [_ids(compared), _renumbered(compared), _duplicates(compared), _formulas(compared)]
    rules += [*label_rules(compared), _size(settings, len(before.frame))]
    if not compared.is_number:
        return rules
    target = before.frame[settings.target.column]
    quartiles = [float(target.quantile(point)) for point in (0.25, 0.5, 0.75)]
    spread = quartiles[2] - quartiles[0]
    if spread:
        rules += [moved_far(compared, spread), _scale(settings, quartiles, spread)]
    return rules


def _ids(compared: Compared) -> Rule:
    here, main = compared.pairing.here, compared.pairing.main
    known = {name: place for place, name in enumerate(main.ids)}
    listed = compared.corrections.formulas if compared.corrections else frozenset[int]()
    said = {}
    for place, name in enumerate(here.ids):
        there = known.get(name)
        if there is None or main.identities[there] == here.identities[place] or place in listed:
            continue
        old, own = main.formulas[there], here.formulas[place]
        said[place] = (
            f"row_id {name} stands for {old} on main, not for {own}: predictions that are on "
            f"record go by it; put back what main has under this id ({RESTORE} does so for all). "
            f"Give a row of its own an id that is new{_corrected(compared, place, there)}."
        )
    description = "No id stands for another composition than on main."
    return compared.rule("history.ids", description, said, ROW_ID)


def _corrected(compared: Compared, place: int, there: int) -> str:
    """The way on where main's formula at `there` is wrong: the lines that list what was done."""
    here, main, name = compared.pairing.here, compared.pairing.main, compared.settings.target.column
    old, own = main.formulas[there], here.formulas[place]
    if there not in compared.pairing.removed or problem(own) is not None:
        return ""
    lines = [line_to_paste(here.ids[place], FORMULA, old, own)]
    if not np.isclose(main.labels[there], here.labels[place], rtol=1e-9, atol=1e-12):
        lines.append(line_to_paste(here.ids[place], name, main.cells[there], here.cells[place]))
    return f"; or, if main is wrong, {to_add(lines)}"


def _renumbered(compared: Compared) -> Rule:
    pairing, taken = compared.pairing, set(compared.pairing.main.ids)
    said = {
        place: (
            f"row_id {pairing.here.ids[place]} is new, but this row is "
            f"{pairing.main.ids[pairing.mains[place]]} on main: predictions on record go by "
            f"the id; give the row its id back, or all of them with {RESTORE}."
        )
        for place in np.flatnonzero(pairing.renumbered).tolist()
        if pairing.here.ids[place] not in taken
    }
    share = compared.settings.data.maximum_rows_removed
    many = len(said) > allowed(share, len(pairing.main))
    return compared.rule(
        "history.renumbered",
        "Rows keep the ids that they have on main.",
        said,
        ROW_ID,
        FAILURE if many else WARNING,
    )


def _duplicates(compared: Compared) -> Rule:
    """Of rows of one composition some went, and those that stay have another label."""
    pairing = compared.pairing
    gone: dict[str, int] = {}
    for place in pairing.removed:
        gone.setdefault(pairing.main.identities[place], int(place))
    said = {}
    for place, name in enumerate(pairing.here.identities):
        if (other := gone.get(name)) is None:
            continue
        label = pairing.main.labels[other]
        if not np.isclose(label, pairing.here.labels[place], rtol=1e-9, atol=1e-12):
            said[place] = (
                f"of the rows of {name}, {pairing.main.ids[other]} with "
                f"{pairing.main.cells[other]} is gone and this one with "
                f"{pairing.here.cells[place]} stays: say why this is the right one."
            )
    return compared.rule(
        "history.duplicates", "Where duplicates go, the right one stays.", said, severity=WARNING
    )


def _formulas(compared: Compared) -> Rule:
    pairing, here, main = compared.pairing, compared.pairing.here, compared.pairing.main
    listed = compared.corrections.formulas if compared.corrections else frozenset[int]()
    chosen = np.array([place not in listed for place in range(len(here))], dtype=bool)
    said = {}
    # of classes many rows have the same label, so that it tells nothing
    for place, gone in respelt(pairing, chosen, by_label=compared.is_number).items():
        lost, own = main.formulas[gone], here.formulas[place]
        how = "differs by case alone from" if by_case_alone(own, lost) else "has the label of"
        said[place] = (
            f"{own} {how} {lost} ({main.ids[gone]} on main, which is gone), and is another "
            f"compound: put {lost} back under its id{_corrected(compared, place, gone)}."
        )
    return compared.rule(
        "history.formulas", "No row of main became that of another compound.", said, FORMULA
    )


def _scale(settings: Settings, quartiles: list[float], spread: float) -> Rule:
    column, slack = settings.target.column, settings.data.maximum_shift * spread
    return Rule(
        "history.scale",
        ExpectColumnQuartilesToBeBetween(
            column=column,
            quantile_ranges={
                "quantiles": [0.25, 0.5, 0.75],
                "value_ranges": [[q - slack, q + slack] for q in quartiles],
            },
            description="The quartiles of the target lie near those on main.",
        ),
        "the quartiles of {column} are {observed}, on main "
        + ", ".join(f"{q:.4g}" for q in quartiles)
        + "; check that the unit is the same (data.maximum_shift in assay.toml).",
    )


def _size(settings: Settings, rows: int) -> Rule:
    largest = int(rows * settings.data.maximum_growth)
    return Rule(
        "history.size",
        gxe.ExpectTableRowCountToBeBetween(
            max_value=largest,
            description=f"The train set has at most {largest} rows ({rows} on main).",
        ),
        f"the train set has {{observed}} rows, on main {rows}; say where the new ones come from.",
        severity=WARNING,
    )
