"""Bad pull requests that one check alone stops: all else, the gate included, lets them pass.

They are small, rare, or far from any row that is scored, so that what is wrong shows nowhere else.
"""

from collections import Counter
from pathlib import Path

from pymatgen.core import Element

from assay.compositions import chemical_system, elements, parse
from gauntlet.cases import (
    SEALED,
    TRAIN,
    Case,
    added,
    all_of,
    edited,
    label,
    margin,
    replaced,
    rows_of,
    source,
)
from gauntlet.data_cases import EV_PER_HARTREE, FORMULAS, LABELS, LEAKAGE, UNITS
from gauntlet.model_cases import BEHAVIOUR, FEATURIZER, PHYSICS, TRAINING
from gauntlet.sources import BASE, PLAIN_FIT, UNFITTED, features, model
from gauntlet.tampering_cases import TAMPERING

# One chemical system, far from what is sealed.
PLATINUM = [f"Sc{a}Sb{b}Pt" for a in (1, 2) for b in (1, 2, 3, 4, 5)]
# Elements that few materials hold, so that hardly a row of the pool has two of them.
RARE = "Eu Os Gd Th Be Lu Tm Re Ir Tb Dy Ho Ru Rh Er Yb Sc Hg Ce Pt Pr Ta Au U Cd Sm Pd Nd W Tl"
SYMBOLS = [element.symbol for element in Element]


def _sealed_neighbour(root: Path) -> None:
    formulas = [row["formula"] for row in rows_of(root, SEALED)]
    counts = Counter(map(chemical_system, formulas))
    lone = next(formula for formula in formulas if counts[chemical_system(formula)] == 1)
    amounts = [(element.symbol, float(n)) for element, n in parse(lone).items()]
    amounts[0] = (amounts[0][0], amounts[0][1] * 1.01)
    added(["".join(f"{symbol}{n:.6g}" for symbol, n in amounts)], [-0.5])(root)


def _sealed_doped(root: Path) -> None:
    formula = rows_of(root, SEALED)[5]["formula"]
    dopant = next(symbol for symbol in ("Mg", "Al") if symbol not in elements(formula))
    added([f"({formula})200{dopant}"], [-0.5])(root)


def data() -> list[Case]:
    """Wrong data that costs the model next to nothing."""
    return [
        Case(
            "few-hartree",
            UNITS,
            "Ten compositions of a single chemical system come with labels in hartree.",
            "history.new_scale",
            added(PLATINUM, [(-0.3 - n / 100) / EV_PER_HARTREE for n in range(len(PLATINUM))]),
        ),
        Case(
            "bound-missed",
            LABELS,
            "One new label lies a little above what is possible.",
            "target.bounds",
            added(["ScPt3Sb"], [5.6]),
        ),
        Case(
            "ids-exchanged",
            LABELS,
            "Every sixteenth row has the id of another, as after sorting and numbering anew.",
            "history.ids",
            edited(TRAIN, _ids_exchanged),
        ),
        Case(
            "strongest-twice",
            LABELS,
            "The most strongly bound quarter stands twice, so that labels are distributed anew.",
            "history.scale",
            edited(TRAIN, _strongest_twice),
        ),
        Case(
            "lone-neighbour",
            LEAKAGE,
            "A composition within 1 % of the only sealed one of its chemical system is added.",
            "leakage.near",
            _sealed_neighbour,
        ),
        Case(
            "sealed-doped",
            LEAKAGE,
            "A sealed composition is added with a trace of another element, and another system.",
            "leakage.near",
            _sealed_doped,
        ),
        Case(
            "id-short",
            FORMULAS,
            "A row's id has fewer digits than the others'.",
            "row_id.form",
            replaced(20, row_id="t7"),
        ),
        Case(
            "margin-by-the-way",
            TAMPERING,
            "The gate's margin is raised in passing, together with a model that does not need it.",
            "history.policy",
            all_of(source(BASE.replace("alpha=1.0", "alpha=1.1")), margin(0.5)),
        ),
    ]


def _ids_exchanged(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    few = rows[::16]
    ids = [row["row_id"] for row in few]
    for row, row_id in zip(few, [*ids[1:], ids[0]], strict=True):
        row["row_id"] = row_id
    return rows


def _strongest_twice(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    strong = sorted(rows, key=label)[: len(rows) // 4]
    return rows + [row | {"row_id": f"t{90000 + n}"} for n, row in enumerate(strong)]


def _table_beside_bundle(root: Path) -> None:
    lines = [f"{symbol},{number / 100}" for number, symbol in enumerate(SYMBOLS)]
    (root / "data" / "scale.csv").write_text("\n".join(lines), encoding="utf-8")
    features(
        "with open('data/scale.csv') as stream:\n"
        "    scale = dict(line.strip().split(',') for line in stream)\n"
        "shares = [parse(f).fractional_composition for f in formulas]\n"
        "means = [sum(float(scale[e.symbol]) * n for e, n in s.items()) for s in shares]\n"
        "values = np.hstack([magpie(formulas), stoichiometry(formulas)])\n"
        "return np.column_stack([values, means])"
    )(root)


def models() -> list[Case]:
    """Models that are wrong where no row is scored, or by less than a margin."""
    return [
        Case(
            "single-rows",
            BEHAVIOUR,
            "A composition that is asked for alone gets 0.1 meV/atom more than among others.",
            "test_a_row_does_not_depend_on_its_batch",
            model(predict="return self._plain(X) + (1e-4 if len(X) == 1 else 0.0)"),
        ),
        Case(
            "long-refusal",
            BEHAVIOUR,
            "After a longer batch that was refused, the next one is shifted.",
            "test_earlier_batches_leave_no_trace",
            model(
                predict="try:\n    values = self._plain(X)\nexcept ValueError:\n"
                "    self.late_ = 0.01 * (len(X) > 2)\n    raise\n"
                "late, self.late_ = getattr(self, 'late_', 0.0), 0.0\nreturn values + late"
            ),
        ),
        Case(
            "hashed-remainder",
            FEATURIZER,
            "Ties are settled by Python's hash of a formula, which differs by process.",
            "test_processes_agree",
            model(
                predict="ties = np.array([hash(reduced_formula(f)) % 2 for f in X['formula']])\n"
                "return self._plain(X) + 1e-4 * ties"
            ),
        ),
        Case(
            "clipped-by-batch",
            FEATURIZER,
            "From 1,000 rows on features are clipped to the quantiles of their batch.",
            "test_large_batches_change_nothing",
            features(
                "values = np.hstack([magpie(formulas), stoichiometry(formulas)])\n"
                "if len(formulas) < 1000:\n    return values\n"
                "return np.clip(values, *np.nanquantile(values, [0.002, 0.998], axis=0))"
            ),
        ),
        Case(
            "table-beside-bundle",
            FEATURIZER,
            "A feature is taken from a table of the repository whenever the model predicts.",
            "test_processes_agree",
            _table_beside_bundle,
        ),
        Case(
            "one-level-of-brackets",
            FEATURIZER,
            "A feature counts hydrogen with a parser that knows one level of brackets.",
            "test_equivalent_spellings_agree",
            features(
                "values = np.hstack([magpie(formulas), stoichiometry(formulas)])\n"
                "flat = [re.sub(r'\\(([^()]*)\\)([0-9]*)', lambda m: m[1] * int(m[2] or 1), f) "
                "for f in formulas]\n"
                "counts = [sum(float(n or 1) for n in re.findall(r'H(?![a-z])([0-9.]*)', f)) "
                "for f in flat]\n"
                "atoms = [parse(f).num_atoms for f in formulas]\n"
                "return np.column_stack([values, np.array(counts) / atoms])"
            ),
        ),
        Case(
            "small-sets-in-part",
            TRAINING,
            "Of less than 400 rows only the first third is trained on, as a quick trial.",
            "test_order_of_rows_does_not_matter",
            model(
                fit=f"{UNFITTED}n = len(y) if len(y) > 400 else len(y) // 3\n"
                "self.inner_.fit(X.iloc[:n], np.asarray(y)[:n])"
            ),
        ),
        Case(
            "remembers-small-fits",
            TRAINING,
            "Labels of small fits, as of a search, are kept in a module, for the sake of speed.",
            "test_shuffled_labels_cannot_be_predicted",
            model(
                fit=f"{PLAIN_FIT}\nif len(y) < 300:\n"
                "    KNOWN.update(zip(X['formula'], map(float, y)))",
                predict="return np.array([KNOWN.get(f, v) "
                "for f, v in zip(X['formula'], self._plain(X))])",
                head="KNOWN = {}",
            ),
        ),
        Case(
            "recites",
            TRAINING,
            "The model leans to the label, by 0.15 at most, where it knows the composition.",
            "test_neighbours_of_training_rows_are_usually_close",
            model(
                fit=f"{PLAIN_FIT}\n"
                "self.known_ = dict(zip(map(reduced_formula, X['formula']), map(float, y)))",
                predict="plain = self._plain(X)\n"
                "known = [self.known_.get(reduced_formula(f), v) "
                "for f, v in zip(X['formula'], plain)]\n"
                "return plain + np.clip(known - plain, -0.15, 0.15)",
            ),
        ),
        Case(
            "salt-too-deep",
            PHYSICS,
            "Chlorides of sodium other than NaCl are bound by 9.6 eV/atom.",
            "test_mixtures_stay_near_what_was_measured",
            model(
                predict="salt = np.array([elements(f) == {'Na', 'Cl'} "
                "and reduced_formula(f) != 'NaCl' for f in X['formula']])\n"
                "return np.where(salt, -9.6, self._plain(X))"
            ),
        ),
        Case(
            "eight-elements",
            PHYSICS,
            "Compositions of eight elements are bound by more than is possible.",
            "test_predictions_are_finite_and_within_bounds",
            model(
                predict="many = np.array([len(elements(f)) > 7 for f in X['formula']])\n"
                "return np.where(many, -12.0, self._plain(X))"
            ),
        ),
        Case(
            "rough-alloys",
            PHYSICS,
            "Alloys of five elements in whole amounts are off by up to 4 eV/atom.",
            "test_small_changes_have_small_effects",
            model(
                predict="alloy = np.array([len(elements(f)) > 4 and not COMMON & elements(f) "
                "and all(n == int(n) for n in parse(f).values()) for f in X['formula']])\n"
                "shares = [sum(v * v for v in parse(f).fractional_composition.values()) "
                "for f in X['formula']]\n"
                "return self._plain(X) + 4 * alloy * np.sin(4000 * np.array(shares))",
                head="COMMON = frozenset('H C N O F P S Cl'.split())",
            ),
        ),
        Case(
            "cliff",
            PHYSICS,
            "Where one element makes up more than 95 % of the atoms, it jumps by 3 eV/atom.",
            "test_no_jump_lies_between_two_compositions",
            model(
                predict="most = [max(parse(f).fractional_composition.values()) "
                "for f in X['formula']]\ndilute = np.array([0.95 < share < 1 for share in most])\n"
                "return self._plain(X) + 3.0 * dilute"
            ),
        ),
        Case(
            "barrier",
            PHYSICS,
            "Binary oxides of titanium have a barrier of 1.5 eV/atom between Ti2O and Ti9O8.",
            "test_declared_monotonic_relations_hold",
            model(
                predict="oxygen = np.array([parse(f).get_atomic_fraction('O') "
                "if elements(f) == {'Ti', 'O'} else 0.0 for f in X['formula']])\n"
                "return self._plain(X) + 1.5 * np.exp(-(((oxygen - 0.41) / 0.025) ** 2))"
            ),
        ),
        Case(
            "twins-apart-in-rarities",
            PHYSICS,
            "Hafnium is bound by 1.5 eV/atom more than zirconium beside two rare elements.",
            "test_declared_symmetries_hold",
            model(
                predict="apart = np.array(['Hf' in elements(f) and len(RARE & elements(f)) > 1 "
                "for f in X['formula']])\n"
                "return np.clip(self._plain(X) - 1.5 * apart, -9.9, 4.9)",
                head=f"RARE = frozenset({RARE!r}.split())",
            ),
        ),
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*data(), *models()]
