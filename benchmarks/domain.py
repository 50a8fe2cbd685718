"""Measures how much larger errors are outside the domain, and how many rows an interval holds.

`make bench` runs this: the shipped model on all 2,135 labelled rows of the example, whose sealed
labels are public. It writes benchmarks/domain.json, docs/figures/domain.svg and the tables of
docs/appendix/domain-benchmark.md; about five minutes on two cores.
"""

import io
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TEMPLATE = Path(__file__).resolve().parents[1]
REPOSITORY = TEMPLATE / "<<cookiecutter.project>>"
RECORD = TEMPLATE / "benchmarks" / "domain.json"
FIGURE = TEMPLATE / "docs" / "figures" / "domain.svg"
DIVISIONS, FOLDS, DRAWS, BINS = 6, 5, 2000, 20


@dataclass(frozen=True)
class Rows:
    """Labelled rows: formulas, targets (n,) in eV/atom, chemical systems."""

    formulas: np.ndarray
    target: np.ndarray
    systems: np.ndarray

    def take(self, chosen: np.ndarray) -> "Rows":
        """Some of them."""
        return Rows(self.formulas[chosen], self.target[chosen], self.systems[chosen])


def labelled() -> tuple[Rows, int]:
    """The train rows, then the sealed ones; and how many train rows there are."""
    from assay.compositions import chemical_system

    read = {
        name: pd.read_csv(REPOSITORY / "data" / f"{name}.csv", keep_default_na=False)
        for name in ("train", "sealed_inputs", "sealed_labels")
    }
    sealed = read["sealed_inputs"].merge(read["sealed_labels"], on="row_id", validate="1:1")
    rows = pd.concat([read["train"], sealed])
    formulas = rows["formula"].to_numpy(dtype=object)
    systems = np.array([chemical_system(one) for one in formulas], dtype=object)
    target = rows["formation_enthalpy"].to_numpy(dtype=float)
    return Rows(formulas, target, systems), len(read["train"])


def model() -> Any:
    """The shipped model, unfitted; its package has no name before the template is rendered."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import make_pipeline, make_union

    from assay.features import MagpieFeatures, StoichiometryFeatures

    forest = RandomForestRegressor(
        n_estimators=100, max_features=1 / 3, random_state=0, n_jobs=os.cpu_count()
    )
    return make_pipeline(make_union(MagpieFeatures(), StoichiometryFeatures()), forest)


def predicted(known: Rows, asked: Rows) -> np.ndarray:
    """What the model, fitted to the known rows, predicts of those asked."""
    fitted = model().fit(pd.DataFrame({"formula": known.formulas}), known.target)
    return np.asarray(fitted.predict(pd.DataFrame({"formula": asked.formulas})))


def folds_of(rows: Rows, seed: int) -> np.ndarray:
    """Folds that share no chemical system."""
    from assay.splits import grouped_folds

    return grouped_folds(list(rows.systems), FOLDS, seed)


def out_of_fold(rows: Rows, folds: np.ndarray) -> np.ndarray:
    """Each row's prediction by a model that knew no row of its fold."""
    found = np.empty(len(rows.target))
    for fold in np.unique(folds):
        own = folds == fold
        found[own] = predicted(rows.take(~own), rows.take(own))
    return found


def judged(known: Rows, asked: Rows) -> pd.DataFrame:
    """What the domain of the known rows says of those asked, with a bound found from the former."""
    from assay.features.parsing import amounts
    from assay.model.domain import Domain, fit_domain

    domain = Domain.of(fit_domain(list(known.formulas), folds_of(known, 0)))
    content = amounts(list(asked.formulas))
    strange = domain.strangeness(content)
    held = np.zeros((len(known.formulas), 119), dtype=bool)
    content_known = amounts(list(known.formulas))
    held[content_known.rows, content_known.numbers] = True
    together = held.T.astype(int) @ held > 0
    own = np.zeros((len(asked.formulas), 119), dtype=bool)
    own[content.rows, content.numbers] = True
    any_pair = [not together[np.ix_(one, one)].all() for one in map(np.flatnonzero, own)]
    rows = pd.DataFrame({"distance": strange.distances, "bound": domain.bound})
    rows["distance rule"] = strange.distances > domain.bound
    rows["pair rule"] = rows.index.isin(strange.pairs[:, 0])
    rows["element rule"] = rows.index.isin(strange.unseen[:, 0])
    rows["any pair"] = any_pair
    rows["elements"] = own.sum(axis=1)
    rows["outside"] = rows[["distance rule", "pair rule", "element rule"]].any(axis=1)
    assert (rows["outside"] == [reason != "" for reason in domain.reasons(content)]).all()
    return rows


def known_and_asked(rows: Rows) -> pd.DataFrame:
    """Every row in every division: its error, its system and what the domain says of it."""
    found = []
    for division in range(DIVISIONS):
        folds = folds_of(rows, 100 + division)
        for fold in range(FOLDS):
            own = folds == fold
            known, asked = rows.take(~own), rows.take(own)
            part = judged(known, asked)
            part["error"] = np.abs(predicted(known, asked) - asked.target)
            part["group"], part["row"] = asked.systems, np.flatnonzero(own)
            found.append(part)
        print(f"  division {division + 1} of {DIVISIONS}", file=sys.stderr, flush=True)
    return pd.concat(found, ignore_index=True)


def without_an_element(rows: Rows, usual: pd.Series) -> pd.DataFrame:
    """Rows of each element, predicted without any row that holds it, and as usual."""
    from assay.features.parsing import amounts

    content, found = amounts(list(rows.formulas)), []
    for number in np.unique(content.numbers).tolist():
        holds = np.zeros(len(rows.target), dtype=bool)
        holds[content.rows[content.numbers == number]] = True
        known, asked = rows.take(~holds), rows.take(holds)
        error = np.abs(predicted(known, asked) - asked.target)
        part = pd.DataFrame({"error": error, "outside": True, "group": number})
        seen = usual.loc[np.flatnonzero(holds)].to_numpy()
        same = pd.DataFrame({"error": seen, "outside": False, "group": number})
        far = judged(known, asked)["distance rule"].to_numpy()
        found += [part.assign(far=far), same.assign(far=False)]
    return pd.concat(found, ignore_index=True)


def comparison(rows: pd.DataFrame, outside: "pd.Series[bool]") -> dict[str, Any]:
    """MAE inside and outside, and their difference with a 95 % bootstrap interval over groups."""
    _, groups = np.unique(rows["group"], return_inverse=True)
    count = groups.max() + 1
    sums = {
        side: (
            np.bincount(groups, rows["error"] * chosen, count),
            np.bincount(groups, chosen, count),
        )
        for side, chosen in (("in", (~outside).astype(float)), ("out", outside.astype(float)))
    }
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=DRAWS)
    (ins, rows_in), (outs, rows_out) = sums["in"], sums["out"]
    with np.errstate(invalid="ignore"):
        differences = draws @ outs / (draws @ rows_out) - draws @ ins / (draws @ rows_in)
    low, high = np.nanquantile(differences, [0.025, 0.975])
    return {
        "share_outside": float(outside.mean()),
        "groups_outside": int((rows_out > 0).sum()),
        "mae_inside": float(ins.sum() / rows_in.sum()),
        "mae_outside": float(outs.sum() / rows_out.sum()),
        "difference": [float(low), float(high)],
    }


def curve(rows: pd.DataFrame) -> list[dict[str, float]]:
    """MAE in twenty equal parts of the rows by distance, with 95 % bootstrap intervals."""
    found = []
    parts = pd.qcut(rows["distance"], BINS, labels=False)
    for _, own in rows.groupby(parts):
        groups = own.groupby("group")["error"].agg(["sum", "count"]).to_numpy()
        draws = np.random.default_rng(0).multinomial(
            len(groups), np.full(len(groups), 1 / len(groups)), size=DRAWS
        )
        sums = draws @ groups
        low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
        distance, error = own["distance"].median(), own["error"].mean()
        found.append({"distance": distance, "mae": error, "low": low, "high": high})
    return found


def by_element(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """MAE of each element's rows, predicted without and with other rows that hold it."""
    from assay.model.domain import element_symbols

    table = rows.pivot_table("error", "group", "outside", aggfunc=["mean", "count"])
    return {
        element_symbols()[int(number)]: {
            "rows": int(own["count", True]),
            "unseen": float(own["mean", True]),
            "seen": float(own["mean", False]),
        }
        for number, own in table.iterrows()
    }


def rules(rows: pd.DataFrame, elements: pd.DataFrame) -> dict[str, Any]:
    """Each rule apart, and together; and two that were not taken."""
    near = ~rows["distance rule"]
    larger = rows["elements"] >= 3  # noqa: PLR2004 (see assay.model.domain)
    return {
        "an element that no training row holds": comparison(elements, elements["outside"]),
        "a pair in three elements and more": comparison(rows, rows["pair rule"]),
        "the same among rows of three elements and more": comparison(
            rows[larger], rows[larger]["pair rule"]
        ),
        "the same among rows that are near": comparison(rows[near], rows[near]["pair rule"]),
        "the distance": comparison(rows, rows["distance rule"]),
        "pair or distance": comparison(rows, rows["outside"]),
        "not taken: a pair in any compound": comparison(rows, rows["any pair"]),
    }


def interval(rows: Rows, count: int, level: float = 0.9) -> dict[str, Any]:
    """Coverage of one width for all rows: by division of public rows, and of the sealed rows."""
    from assay.model.intervals import conformal_quantile, interval_coverage

    train, sealed = (rows.take(part) for part in np.split(np.arange(len(rows.target)), [count]))
    grouped = out_of_fold(train, folds_of(train, 0))
    mixed = out_of_fold(train, np.random.default_rng(0).permutation(count) % FOLDS)
    sizes = [np.abs(own - train.target) for own in (grouped, mixed)]
    told = interval_coverage(sizes[0], list(train.systems), level)
    error = np.abs(predicted(train, sealed) - sealed.target)
    width, narrow = (conformal_quantile(own, level) for own in sizes)
    outside = judged(train, sealed)
    return {
        "level": level,
        "grouped": told.grouped if told else None,
        "random": told.random if told else None,
        "half_width": width,
        "sealed_rows": len(error),
        "sealed": float(np.mean(error <= width)),
        "sealed_mae": float(error.mean()),
        "half_width_of_random_folds": narrow,
        "sealed_by_random_folds": float(np.mean(error <= narrow)),
        **{
            f"sealed_{name}": comparison(outside.assign(error=error, group=sealed.systems), chosen)
            for name, chosen in (
                ("distance", outside["distance rule"]),
                ("pairs", outside["pair rule"]),
                ("together", outside["outside"]),
            )
        },
    }


def speed(rows: Rows, count: int) -> dict[str, Any]:
    """Microseconds a row, on one core, once formulas are read; and who lies outside."""
    from assay.features.parsing import amounts
    from assay.model.domain import MAXIMUM_REFERENCES, Domain, fit_domain

    path = REPOSITORY / "data" / "candidates" / "transport.csv"
    listed = list(pd.read_csv(path, keep_default_na=False)["formula"])
    content, found = amounts(listed), {}
    train = rows.take(np.arange(count))
    sets = {count: list(train.formulas), MAXIMUM_REFERENCES: listed[: MAXIMUM_REFERENCES + 500]}
    for size, formulas in sets.items():
        start = time.perf_counter()
        folds = folds_of(train, 0) if size == count else np.arange(len(formulas)) % FOLDS
        domain = Domain.of(fit_domain(formulas, folds))
        fitting = time.perf_counter() - start
        found[str(size)] = {
            "references": len(domain.names),
            "fitting_seconds": fitting,
            "microseconds_a_row": _cost(lambda own=domain: own.reasons(content)) / len(listed),
        }
    domain = Domain.of(fit_domain(list(train.formulas), folds_of(train, 0)))
    strange, lists = domain.strangeness(content), np.arange(len(listed))
    found["candidates"] = {
        "rows": len(listed),
        "bound": domain.bound,
        "element": float(np.isin(lists, strange.unseen[:, 0]).mean()),
        "pair": float(np.isin(lists, strange.pairs[:, 0]).mean()),
        "distance": float((strange.distances > domain.bound).mean()),
        "outside": float(np.mean([reason != "" for reason in domain.reasons(content)])),
    }
    return found


def _cost(work: Callable[[], Any]) -> float:
    times = []
    for _ in range(5):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1e6 * min(times)


def drawn(kept: dict[str, Any]) -> str:
    """Error against distance, with the bound."""
    import matplotlib as mpl
    from benchmarks.gate.figures import INK, SERIES, SOFT, STYLE, themed
    from matplotlib.figure import Figure

    points = pd.DataFrame(kept["curve"])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 3.0), layout="constrained")
        axes = figure.subplots()
        spread = [points["mae"] - points["low"], points["high"] - points["mae"]]
        axes.errorbar(
            points["distance"], points["mae"], yerr=spread, fmt="o", color=SERIES[0], markersize=4
        )
        for name, colour in (("mae_inside", SOFT), ("mae_outside", SERIES[1])):
            sides = [0, kept["bound"]] if name == "mae_inside" else [kept["bound"], None]
            sides[1] = sides[1] or float(points["distance"].max()) * 1.1
            axes.plot(sides, [kept["rules"]["the distance"][name]] * 2, color=colour)
        axes.axvline(kept["bound"], color=INK, linewidth=0.8, linestyle="--")
        axes.annotate("outside", (kept["bound"], 0.01), (4, 0), textcoords="offset points")
        axes.set_ylim(0)
        axes.set_xlabel("distance to the nearest training row")
        axes.set_ylabel("MAE, eV/atom")
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return themed(stream.getvalue())


def tables(kept: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The tables of docs/appendix/domain-benchmark.md by their names."""
    from benchmarks.pages import table

    head = ["rule", "rows outside", "MAE inside", "MAE outside", "difference, 95 % interval"]
    lines = [
        [
            name,
            f"{100 * own['share_outside']:.1f} %" if number else "each element in turn",
            f"{own['mae_inside']:.3f}",
            f"{own['mae_outside']:.3f}",
            f"{own['difference'][0]:+.3f} to {own['difference'][1]:+.3f}",
        ]
        for number, (name, own) in enumerate(kept["rules"].items())
    ]
    yield "domain", table(head, lines)
    own, level = kept["interval"], kept["interval"]["level"]
    coverage = [
        ("train rows, width from other chemical systems (grouped)", own["grouped"]),
        ("train rows, width from other rows at random", own["random"]),
        (f"the {own['sealed_rows']} sealed rows, width from the train rows", own["sealed"]),
        ("the same, with a width from folds at random", own["sealed_by_random_folds"]),
    ]
    told = [[name, f"{100 * level:.0f} %", f"{100 * share:.1f} %"] for name, share in coverage]
    yield "interval", table(["rows", "nominal", "inside"], told)


def measured() -> dict[str, Any]:
    """Everything that is written down."""
    rows, count = labelled()
    asked = known_and_asked(rows)
    usual = asked.groupby("row")["error"].mean()
    elements = without_an_element(rows, usual)
    unseen = elements[elements["outside"]]
    return {
        "rows": len(rows.target),
        "systems": len(set(rows.systems)),
        "divisions": DIVISIONS,
        "bound": float(asked["bound"].mean()),
        "rules": rules(asked, elements),
        "elements": by_element(elements),
        "far_of_unseen": float(unseen["far"].mean()),
        "curve": curve(asked),
        "interval": interval(rows, count),
        "speed": speed(rows, count),
    }


def main() -> None:
    """Print what was found; exit 1 if errors outside are not shown to be larger."""
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(TEMPLATE))
    from benchmarks import pages

    kept = measured()
    RECORD.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    FIGURE.write_text(drawn(kept), encoding="utf-8")
    pages.fill(tables(kept))
    for name, made in tables(kept):
        print(f"{name}\n{made}\n")
    taken = [own for name, own in kept["rules"].items() if not name.startswith("not taken")]
    covered = abs(kept["interval"]["grouped"] - kept["interval"]["level"]) <= 0.02  # noqa: PLR2004
    sys.exit(not covered or any(own["difference"][0] <= 0 for own in taken))


if __name__ == "__main__":
    main()
