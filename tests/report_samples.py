"""Records and tables from which the tests of the report make reports, and what reads a page."""

import csv
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from assay.files import write_bytes
from assay.layout import Handover
from assay.records import CandidateCard, CheckReport, Finding, VerdictRecord
from assay.report.inputs import ReportInputs
from assay.settings import Settings
from toy import git

DIGEST = "3f9a" * 16
FORMULAS = ["Li2O", "Fe2O3", "NaCl", "CaTiO3", "LiFePO4", "GaAs", "SiO2", "CeO2", "UO2", "H2O"]


class Tags(HTMLParser):
    """Collects tags, their attributes, and the text."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.page = "", page
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data

    @property
    def names(self) -> set[str]:
        """The tags that occur."""
        return {name for name, _ in self.tags}


def settings(**target: Any) -> Settings:
    """Settings of a model for a number in eV/atom, unless `target` says otherwise."""
    chosen = {"column": "formation_enthalpy", "unit": "eV/atom"} | target
    content = {
        "project": {"name": "formation-enthalpy", "package": "model"},
        "target": chosen,
        "gate": {"margin": 0.005},
    }
    return Settings.model_validate(content)


def finding(**changes: Any) -> Finding:
    """A failure in the train set."""
    usual = {"rule": "finite target", "severity": "failure", "message": "the target is not finite"}
    return Finding.model_validate(usual | changes)


def checks(check: str, *findings: Finding, executed: int = 12) -> CheckReport:
    """A check that ran and found these."""
    content = {"check": check, "subject": DIGEST, "executed": executed}
    content["findings"] = list(findings)
    return CheckReport.model_validate(content)


def card(**changes: Any) -> CandidateCard:
    """What an ordinary training says."""
    usual = {
        "model": "formation-enthalpy",
        "target": "formation_enthalpy",
        "unit": "eV/atom",
        "claim": "no-regression",
        "commit": "0123456789abcdef",
        "correlation_id": "assay-77e2",
        "bundle_digest": DIGEST,
        "predictions_digest": DIGEST,
        "train_digest": DIGEST,
        "sealed_inputs_digest": DIGEST,
        "pool_digest": DIGEST,
        "lock_digest": DIGEST,
        "estimator": "RandomForestRegressor",
        "rows": 1604,
        "groups": 989,
        "features": 132,
        "interval_half_width": 0.3,
        "interval_coverage": None,
        "metrics": {"mae": 0.1012, "rmse": 0.2, "r2": 0.95},
    }
    return CandidateCard.model_validate(usual | changes)


def verdict(**changes: Any) -> VerdictRecord:
    """A PASS from the sealed labels, as in the fixed template of the gate."""
    usual = {
        "outcome": "PASS",
        "stage": "sealed",
        "claim": "no-regression",
        "margin": 0.005,
        "metric": "MAE",
        "unit": "eV/atom",
        "sealed": True,
        "sealed_digest": DIGEST,
        "sealed_rows": 3000,
        "sealed_groups": 766,
        "use": 14,
        "uses": 100,
        "disagreements": 1,
        "maximum_disagreements": 5,
        "level": 4.8e-06,
        "candidate_error": 0.1012,
        "reference_error": 0.1020,
        "figures": [
            {
                "name": "MAE",
                "unit": "eV/atom",
                "margin": 0.005,
                "candidate": 0.1012,
                "reference": 0.1020,
                "groups": 390.2,
                "required": True,
            }
        ],
        "reference": "champion 1a2b",
        "change_on_pool": 0.0031,
        "explanation": "confirmed on the sealed set",
        "bundle_digest": DIGEST,
        "predictions_digest": DIGEST,
        "correlation_id": "assay-77e2",
        "certified": False,
    }
    return VerdictRecord.model_validate(usual | changes)


def hand_over(folder: Path, **records: Any) -> Handover:
    """Write good records, except where a record is given; None leaves one out."""
    handover = Handover(folder)
    usual = {
        "schema": checks("schema"),
        "sanity": checks("sanity", executed=7),
        "candidate": card(),
        "verdict": verdict(),
    }
    for name, record in (usual | records).items():
        if record is not None:
            record.write(getattr(handover, name))
    return handover


def write_tables(root: Path, handover: Handover, *, kind: str = "number") -> dict[str, float]:
    """Write small train, sealed and pool tables and a model's predictions for them; returns these.

    Labels of the sealed rows are not written: a report has no use for them.
    """
    random = np.random.default_rng(0)
    target = random.normal(-1, 1, 60) if kind == "number" else random.integers(0, 2, 60)
    formulas = [FORMULAS[i % len(FORMULAS)] for i in range(60)]
    rows = [[f"t{i:05}", f, str(y)] for i, (f, y) in enumerate(zip(formulas, target, strict=True))]
    _write(root / "data/train.csv", ["row_id", "formula", "formation_enthalpy"], rows)
    for name, letter in (("sealed_inputs", "s"), ("pool", "p")):
        unlabelled = [[f"{letter}{i:05}", formula] for i, formula in enumerate(formulas)]
        _write(root / f"data/{name}.csv", ["row_id", "formula"], unlabelled)
    ids = [f"{letter}{i:05}" for letter in "tsp" for i in range(60)]
    values = random.uniform(0, 1, 180) if kind == "class" else random.normal(-1, 1, 180)
    predictions = dict(zip(ids, values.tolist(), strict=True))
    _write(handover.predictions, ["row_id", "prediction"], [*map(list, predictions.items())])
    write_bytes(handover.train, (root / "data/train.csv").read_bytes())
    return predictions


def commit_tables(root: Path) -> None:
    """Make what lies in the folder main's, so that later changes can be told."""
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "data")
    git(root, "commit", "--quiet", "--message", "Add the tables")


def change_train(handover: Handover, *rows: list[str], without: str = "") -> None:
    """Hand over a train set with further rows, and without one; predictions go along."""
    with handover.train.open(encoding="utf-8") as stream:
        header, *known = csv.reader(stream)
    changed = {row[0] for row in rows}
    kept = [row for row in known if row[0] not in {without, *changed}]
    _write(handover.train, header, [*kept, *rows])
    with handover.predictions.open(encoding="utf-8") as stream:
        predicted = dict(list(csv.reader(stream))[1:])
    predicted.pop(without, None)
    predicted |= {row[0]: "0.5" for row in rows if row[0] not in predicted}
    _write(handover.predictions, ["row_id", "prediction"], [*map(list, predicted.items())])


def proposal(folder: Path, **records: Any) -> ReportInputs:
    """A repository, a reference that differs, and a pull request that changes three rows."""
    handover = hand_over(folder / "out", **records)
    predictions = write_tables(folder, handover)
    commit_tables(folder)
    with handover.train.open() as stream:
        known = [line.strip().split(",") for line in stream][1:]
    change_train(
        handover,
        [known[4][0], known[4][1], "7.25"],
        ["t90000", "Mg2Sn", "0.125"],
        without=known[9][0],
    )
    reference = {row: value + 0.01 for row, value in predictions.items()}
    reference["p00007"] += 5
    history = (("line", "outcome"), ("3", "PASS"))
    return ReportInputs(handover, settings(), folder, reference, history=history)


def _write(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])


def inputs_of(handover: Handover, *, kind: str = "number", **given: Any) -> ReportInputs:
    """What `hand_over` writes, with other records as if these had been read instead.

    Writing waits for the disk, so a test that tries hundreds of records does it but once.
    """
    records = {name: given.pop(name) for name in ("schema", "sanity", "candidate", "verdict")
               if name in given}  # fmt: skip
    inputs = ReportInputs(handover, settings(kind=kind), **given)
    vars(inputs).update(records)  # where cached_property keeps what it read
    return inputs
