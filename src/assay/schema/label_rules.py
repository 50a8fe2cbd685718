"""The rules of labels that are other numbers than on main: who moved them, how, and how far."""

import numpy as np

from assay.schema.accidents import beside, exchanged
from assay.schema.comparison import RESTORE, Compared, was, way_on
from assay.schema.corrections import FILE
from assay.schema.rules import WARNING, Rule
from assay.schema.units import converted
from assay.texts import plural


def label_rules(compared: Compared) -> list[Rule]:
    """Rules of single labels; of classes it is only told which changed."""
    rules = [_labels(compared)]
    if compared.corrections and compared.corrections.added:
        rules.append(_unlisted(compared))
    if compared.is_number:
        rules += [_rounded(compared), _unit(compared), _exchanged(compared)]
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
    said = {
        place: (
            f"{was(compared, place)}: {plural(len(rows), 'label differs', 'labels differ')} from "
            f"main's by {farthest:.1g} at most, rounded when the table was saved. Digits are lost: "
            f"{RESTORE} and add your rows again, with a program that keeps all digits."
        )
        for place in rows.tolist()
    }
    return compared.rule(
        "history.rounded", "Labels have all the digits that main has.", said, severity=WARNING
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
            f"{main.formulas[donor]} ({main.ids[donor]}, line {main.lines[donor]} there): "
            f"{plural(len(donors), 'label was', 'labels were')} exchanged, sorted, filled down or "
            f"slipped by a row; {way_on(compared, place)}."
        )
        for place, donor in donors.items()
    }
    return compared.rule("history.exchanged", "No row got the label of another row.", said)


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
