"""Bad data: units, labels, leakage, formulas."""

from collections.abc import Callable
from pathlib import Path

from assay.compositions import chemical_system, elements, parse
from gauntlet.base import PAST
from gauntlet.cases import (
    POOL,
    REFUSED,
    SEALED,
    TARGET,
    TRAIN,
    Case,
    Change,
    Row,
    added,
    appended,
    corrected,
    edited,
    in_eighths,
    label,
    relabelled,
    replaced,
    rows_of,
    small,
    some,
    substituted,
)

UNITS, LABELS, LEAKAGE, FORMULAS = "units and scale", "labels", "leakage", "formulas"
KJ_PER_EV, KCAL_PER_EV, EV_PER_HARTREE = 96.48533, 23.06055, 27.211386
# Compositions of which neither set has the chemical system, all of elements that main has.
NEW = [f"{a}{b}{n}Pt" for a in ("Sc", "Y", "La") for b in ("Sb", "Ge", "Sn") for n in (2, 3, 5)]


def _atoms(row: Row) -> float:
    return float(parse(row["formula"]).num_atoms)


def units() -> list[Case]:
    """Labels in another unit than main's."""
    return [
        Case(
            "all-kilojoules",
            UNITS,
            "All labels are given in kJ/mol instead of eV/atom.",
            "history.unit",
            relabelled(lambda row: label(row) * KJ_PER_EV),
        ),
        Case(
            "some-millielectronvolts",
            UNITS,
            "Forty small labels are given in meV.",
            "history.unit",
            relabelled(lambda row: label(row) * 1000, small(40, 5)),
        ),
        Case(
            "few-kilocalories",
            UNITS,
            "Twenty small labels, all within the bounds, are given in kcal/mol.",
            "history.unit",
            relabelled(lambda row: label(row) * KCAL_PER_EV, small(20, 0.2)),
        ),
        Case(
            "per-formula",
            UNITS,
            "Thirty labels are given per formula instead of per atom.",
            "history.unit",
            relabelled(lambda row: label(row) * _atoms(row), small(30, 0.3)),
        ),
        Case(
            "per-atom-twice",
            UNITS,
            "Thirty labels are divided by the number of atoms once more.",
            "history.unit",
            relabelled(lambda row: label(row) / _atoms(row), small(30, 0.3)),
        ),
        Case(
            "sign-convention",
            UNITS,
            "Thirty small labels follow the convention that stable compounds are positive.",
            "history.unit",
            relabelled(lambda row: -label(row), small(30, 0.2)),
        ),
        Case(
            "formula-kilojoules",
            UNITS,
            "Thirty labels are given in kJ/mol of formulas instead of eV/atom.",
            "history.unit",
            relabelled(lambda row: label(row) * KJ_PER_EV * _atoms(row), small(30, 0.05)),
        ),
        Case(
            "new-kilocalories",
            UNITS,
            "New compositions come with labels in kcal/mol, all within the bounds.",
            "history.new_scale",
            added(NEW, [-0.3 * KCAL_PER_EV - n / 100 for n in range(len(NEW))]),
        ),
        Case(
            "new-hartree",
            UNITS,
            "New compositions come with labels in hartree.",
            "history.new_scale",
            added(NEW, [(-0.3 - n / 100) / EV_PER_HARTREE for n in range(len(NEW))]),
        ),
        Case(
            "unit-renamed",
            UNITS,
            "The unit in assay.toml becomes kJ/mol, and the labels stay.",
            "history.target",
            substituted("assay.toml", 'unit = "eV/atom"', 'unit = "kJ/mol"'),
        ),
    ]


def _shuffled(rows: list[Row]) -> list[Row]:
    chosen = list(range(0, len(rows), 12))
    values = [rows[place][TARGET] for place in chosen]
    for place, value in zip(chosen, values[1:] + values[:1], strict=True):
        rows[place][TARGET] = value
    return rows


def _same_system(rows: list[Row]) -> list[list[int]]:
    """The rows of chemical systems with two rows or more, system by system."""
    systems: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        systems.setdefault(chemical_system(row["formula"]), []).append(place)
    return [places for places in systems.values() if len(places) > 1]


def _take(rows: list[Row], given: dict[int, int]) -> list[Row]:
    """Give rows the labels of others, by their places."""
    values = {place: rows[other][TARGET] for place, other in given.items()}
    return [row | {TARGET: values.get(n, row[TARGET])} for n, row in enumerate(rows)]


def _within_systems(rows: list[Row]) -> list[Row]:
    pairs = [places[:2] for places in _same_system(rows)[:20]]
    return _take(rows, {a: b for pair in pairs for a, b in (pair, pair[::-1])})


def _two_exchanged(rows: list[Row]) -> list[Row]:
    one, other = _same_system(rows)[3][:2]
    return _take(rows, {one: other, other: one})


def _sorted_block(rows: list[Row]) -> list[Row]:
    block = range(100, 140)
    ordered = sorted(block, key=lambda place: label(rows[place]))
    return _take(rows, dict(zip(block, ordered, strict=True)))


def _another_compound(rows: list[Row], old: str, new: str) -> list[Row]:
    """One row becomes that of another compound: a new id, the same label."""
    place = next(n for n, row in enumerate(rows) if row["formula"] == old)
    fresh = rows[place] | {"row_id": "t90000", "formula": new}
    return [*rows[:place], fresh, *rows[place + 1 :]]


def spreadsheets() -> list[Case]:
    """What spreadsheets do to a column: labels stand in the rows of others."""
    moved = [
        (
            "systems-exchanged",
            "Twenty pairs of one chemical system exchange their labels.",
            _within_systems,
        ),
        (
            "pair-exchanged",
            "Two rows of one chemical system exchange their labels.",
            _two_exchanged,
        ),
        (
            "column-slipped",
            "The labels of forty rows have slipped down by one row.",
            lambda rows: _take(rows, {n: n - 1 for n in range(100, 140)}),
        ),
        (
            "filled-down",
            "One label was filled down over twelve rows.",
            lambda rows: _take(rows, dict.fromkeys(range(101, 113), 100)),
        ),
        (
            "block-sorted",
            "The labels of forty rows are sorted, and the rows are not.",
            _sorted_block,
        ),
        (
            "block-copied",
            "Ten labels are copied from another place of the table.",
            lambda rows: _take(rows, {n: n + 600 for n in range(100, 110)}),
        ),
    ]
    made = [
        Case(name, LABELS, sentence, "history.exchanged", edited(TRAIN, change))
        for name, sentence, change in moved
    ]
    return [
        *made,
        Case(
            "case-changed",
            LABELS,
            "A bromide of cobalt becomes carbonyl bromide under a new id, with the old label.",
            "history.formulas",
            edited(TRAIN, lambda rows: _another_compound(rows, "CoBr2", "COBr2")),
        ),
        Case(
            "compound-changed",
            LABELS,
            "A row becomes that of another compound under a new id, with the old label.",
            "history.formulas",
            edited(TRAIN, lambda rows: _another_compound(rows, "CoBr2", "ScPt3Sb")),
        ),
        Case(
            "renumbered",
            LABELS,
            "All rows are numbered again, with ids that are new.",
            "history.renumbered",
            edited(
                TRAIN, lambda rows: [row | {"row_id": f"t{n}"} for n, row in enumerate(rows, 50000)]
            ),
        ),
        Case(
            "correction-forged",
            LABELS,
            "The list of corrections names another label than train.csv has.",
            "corrections.exact",
            corrected(
                lambda row: 2 * label(row), small(12, 0.6), listed=lambda value: value * 1.01
            ),
        ),
        Case(
            "correction-hidden",
            LABELS,
            "The list of corrections is one row short.",
            "corrections.complete",
            corrected(lambda row: 2 * label(row), small(12, 0.6), leave_out=1),
        ),
        Case(
            "correction-rewritten",
            LABELS,
            "A correction that main lists gets another reason.",
            "corrections.kept",
            substituted("data/corrections.csv", "table 3", "table 4"),
        ),
        Case(
            "correction-removed",
            LABELS,
            "A correction that main lists is taken out of the list.",
            "corrections.kept",
            substituted("data/corrections.csv", PAST.partition("\n")[2], ""),
        ),
        Case(
            "correction-of-nothing",
            LABELS,
            "A correction is listed of a row that train.csv does not have.",
            "corrections.exact",
            appended(
                "data/corrections.csv",
                "t99998,formation_enthalpy,-0.5,-0.25,per formula in table 3,doi:10.1000/0\n",
            ),
        ),
        Case(
            "corrections-many",
            LABELS,
            "More labels than a reviewer can look at are corrected, all of them listed.",
            "corrections.few",
            corrected(lambda row: label(row) + 0.04, some(120)),
        ),
    ]


def labels() -> list[Case]:
    """Labels that are wrong."""
    return [
        Case(
            "twelfth-shuffled",
            LABELS,
            "A twelfth of the labels has slipped by one row, as after a bad join.",
            "history.rows",
            edited(TRAIN, _shuffled),
        ),
        Case(
            "labels-smoothed",
            LABELS,
            "A tenth of the labels is drawn towards zero by a third.",
            "history.rows",
            relabelled(lambda row: label(row) * 0.67, some(160)),
        ),
        Case(
            "labels-clipped",
            LABELS,
            "Labels below -1.2 are cut off there.",
            "history.rows",
            relabelled(lambda row: max(label(row), -1.2)),
        ),
        Case(
            "decimal-slipped",
            LABELS,
            "One label has its decimal point one place to the right.",
            "history.relabelled",
            relabelled(lambda row: label(row) * 10, small(1, 0.9)),
        ),
        Case(
            "sign-lost",
            LABELS,
            "One strongly bound compound has lost its sign.",
            "history.relabelled",
            relabelled(lambda row: -label(row), lambda rows: rows[:1]),
        ),
        Case(
            "not-measured",
            LABELS,
            "A label is n/a.",
            "target.number",
            replaced(7, **{TARGET: "n/a"}),
        ),
        Case(
            "decimal-comma",
            LABELS,
            "A label has a decimal comma.",
            "target.number",
            replaced(7, **{TARGET: "-0,35"}),
        ),
        Case(
            "overflowed",
            LABELS,
            "A label is -inf.",
            "target.finite",
            replaced(7, **{TARGET: "-inf"}),
        ),
        Case(
            "sentinel",
            LABELS,
            "A missing label is written as -999.",
            "target.bounds",
            added(["ScPt3Sb"], [-999.0]),
        ),
        Case(
            "contradiction",
            LABELS,
            "A new row contradicts the label of the same composition.",
            "duplicates.agree",
            _contradiction,
        ),
        Case(
            "contradiction-in-eighths",
            LABELS,
            "A new row contradicts the label of the same composition in other amounts.",
            "duplicates.agree",
            _contradiction_in_eighths,
        ),
        Case(
            "constant-labels",
            LABELS,
            "Every label is zero.",
            "target.varies",
            relabelled(lambda row: 0.0),
        ),
        Case(
            "rows-dropped",
            LABELS,
            "A tenth of the rows is dropped because the model errs on them.",
            "history.rows",
            edited(TRAIN, lambda rows: [row for n, row in enumerate(rows) if n % 10]),
        ),
        Case(
            "element-dropped",
            LABELS,
            "The few rows of one element are dropped.",
            "history.elements",
            edited(TRAIN, _without_rarest),
        ),
        Case(
            "one-family",
            LABELS,
            "Oxides and fluorides are dropped, so that intermetallics are left.",
            "history.scale",
            edited(
                TRAIN, lambda rows: [r for r in rows if not {"O", "F"} & elements(r["formula"])]
            ),
        ),
    ]


def _contradiction(root: Path) -> None:
    row = rows_of(root, TRAIN)[3]
    added([row["formula"]], [label(row) + 0.3])(root)


def _contradiction_in_eighths(root: Path) -> None:
    row = rows_of(root, TRAIN)[3]
    added([in_eighths(row["formula"])], [label(row) + 0.3])(root)


def _without_rarest(rows: list[Row]) -> list[Row]:
    present = [elements(row["formula"]) for row in rows]
    everything = sorted(frozenset().union(*present))
    counts = {symbol: sum(symbol in held for held in present) for symbol in everything}
    rarest = min((symbol for symbol in everything if counts[symbol] > 1), key=lambda s: counts[s])
    return [row for row, held in zip(rows, present, strict=True) if rarest not in held]


def _sealed_composition(root: Path) -> None:
    added([rows_of(root, SEALED)[5]["formula"]], [-0.5])(root)


def _sealed_multiple(root: Path) -> None:
    formula = rows_of(root, SEALED)[8]["formula"]
    added([f"({formula})3"], [-0.5])(root)


def _sealed_in_eighths(root: Path) -> None:
    added([in_eighths(rows_of(root, SEALED)[0]["formula"])], [-0.5])(root)


def _sealed_neighbour(root: Path) -> None:
    composition = parse(rows_of(root, SEALED)[11]["formula"])
    amounts = [(element.symbol, float(n)) for element, n in composition.items()]
    amounts[0] = (amounts[0][0], amounts[0][1] * 1.01)
    added(["".join(f"{symbol}{n:.6g}" for symbol, n in amounts)], [-0.5])(root)


def _sealed_system(root: Path) -> None:
    system = chemical_system(rows_of(root, SEALED)[14]["formula"]).split("-")
    added(["".join(f"{symbol}{n + 3}" for n, symbol in enumerate(system))], [-0.5])(root)


def _column(table: str, name: str, value: Callable[[Row], str]) -> Change:
    return edited(table, lambda rows: [row | {name: value(row)} for row in rows])


def leakage() -> list[Case]:
    """What the model is asked about stands where it learns."""
    return [
        Case(
            "sealed-composition",
            LEAKAGE,
            "A sealed composition is added to the train set.",
            "leakage.composition",
            _sealed_composition,
        ),
        Case(
            "sealed-multiple",
            LEAKAGE,
            "A sealed composition is added as a multiple in brackets.",
            "leakage.composition",
            _sealed_multiple,
        ),
        Case(
            "sealed-in-eighths",
            LEAKAGE,
            "A sealed composition is added in other amounts.",
            "leakage.composition",
            _sealed_in_eighths,
        ),
        Case(
            "sealed-neighbour",
            LEAKAGE,
            "A composition within 1 % of a sealed one is added.",
            "leakage.near",
            _sealed_neighbour,
        ),
        Case(
            "sealed-system",
            LEAKAGE,
            "Another composition of a sealed chemical system is added.",
            "leakage.system",
            _sealed_system,
        ),
        Case(
            "label-beside-inputs",
            LEAKAGE,
            "The sealed inputs get a column of literature values.",
            "columns",
            _column(SEALED, "literature", lambda row: "-0.5"),
        ),
        Case(
            "label-beside-pool",
            LEAKAGE,
            "The pool gets a column of computed values.",
            "columns",
            _column(POOL, "computed", lambda row: "-0.5"),
        ),
        Case(
            "target-per-formula",
            LEAKAGE,
            "The train set gets a column that is the target in another unit.",
            "leakage.column",
            _column(TRAIN, "enthalpy_kj", lambda row: f"{label(row) * KJ_PER_EV:.3f}"),
        ),
        Case(
            "target-ranked",
            LEAKAGE,
            "The train set gets a column of a stability class that only ranks the target.",
            "leakage.column",
            edited(TRAIN, _ranked),
        ),
        Case(
            "sealed-row-moved",
            LEAKAGE,
            "A hard row is taken out of the sealed inputs.",
            "kept.inputs",
            edited(SEALED, lambda rows: rows[1:]),
        ),
        Case(
            "pool-thinned",
            LEAKAGE,
            "Half of the pool is taken away, and with it half of what bounds a change.",
            "kept.pool",
            edited(POOL, lambda rows: rows[::2]),
        ),
    ]


def _ranked(rows: list[Row]) -> list[Row]:
    ordered = sorted(rows, key=label)
    rank = {row["row_id"]: place for place, row in enumerate(ordered)}
    return [row | {"stability": str(rank[row["row_id"]])} for row in rows]


def formulas() -> list[Case]:
    """Formulas that are none, ids that are none, tables that are none."""
    planted = [
        ("unknown-element", "A formula names an element that does not exist.", "LiXx2", "readable"),
        ("lower-case", "A formula is in lower case.", "nacl", "readable"),
        ("zero-amount", "A formula has an amount of zero.", "Na0Cl", "readable"),
        ("charged", "A formula carries a charge.", "SO4-2", "readable"),
        ("hydrate", "A hydrate's point could be a decimal.", "CuSO4.5H2O", "readable"),
        (
            "hydrate-full-stop",
            "A hydrate is written with a full stop behind a letter.",
            "NaCl.2H2O",
            "readable",
        ),
        ("all-capitals", "An oxide is written in capitals.", "SIO2", "readable"),
        ("cyrillic", "A formula has a Cyrillic letter.", "\u0421aO", "readable"),
        ("spaced", "A formula has spaces.", "Na 2 O", "readable"),
        ("bracket-open", "A bracket is not closed.", "Ca(OH2", "readable"),
        ("spreadsheet", "A cell is a spreadsheet's command.", "=cmd|' /C calc'!A0", "readable"),
        ("no-formula", "A formula is missing.", "", "present"),
    ]
    cases = [
        Case(name, FORMULAS, sentence, f"formula.{rule}", replaced(20, formula=formula))
        for name, sentence, formula, rule in planted
    ]
    return [
        *cases,
        Case(
            "pool-unreadable",
            FORMULAS,
            "A pool formula cannot be read.",
            "formula.readable",
            edited(POOL, lambda rows: [*rows[:-1], rows[-1] | {"formula": "Na-Cl"}]),
        ),
        Case(
            "id-repeated",
            FORMULAS,
            "Two rows have one id.",
            "row_id.unique",
            edited(TRAIN, lambda rows: [*rows[:-1], rows[-1] | {"row_id": rows[0]["row_id"]}]),
        ),
        Case("id-missing", FORMULAS, "A row has no id.", "row_id.present", replaced(20, row_id="")),
        Case(
            "id-malformed",
            FORMULAS,
            "A row's id is of another form.",
            "row_id.form",
            replaced(20, row_id="row 20"),
        ),
        Case(
            "semicolons",
            FORMULAS,
            "The train set is separated by semicolons.",
            REFUSED,
            _semicolons,
        ),
        Case("latin-1", FORMULAS, "The train set is not UTF-8.", REFUSED, _latin),
        Case(
            "few-systems",
            FORMULAS,
            "Only three chemical systems are left to make folds of.",
            "systems.enough",
            edited(TRAIN, _three_systems),
        ),
    ]


def _three_systems(rows: list[Row]) -> list[Row]:
    systems = sorted({chemical_system(row["formula"]) for row in rows})[:3]
    return [row for row in rows if chemical_system(row["formula"]) in systems]


def _semicolons(root: Path) -> None:
    path = root / "data" / TRAIN
    path.write_text(path.read_text().replace(",", ";"))


def _latin(root: Path) -> None:
    path = root / "data" / TRAIN
    path.write_bytes(path.read_bytes().replace(b"transport", "mesur\u00e9".encode("latin-1"), 1))


def cases() -> list[Case]:
    """All of them."""
    return [*units(), *labels(), *spreadsheets(), *leakage(), *formulas()]
