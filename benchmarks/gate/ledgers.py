"""A simulated life written down as `assay score` writes a real one."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from benchmarks.gate.lives import Life, Use

from assay.files import digest_bytes
from assay.gate.comparisons import Predictions
from assay.ledger.entries import DecisionEntry, Entry, Intent
from assay.ledger.record import Ledger
from assay.ledger.uses import SealedRows, asked, rows_file

SEALED = digest_bytes(b"simulated sealed set")
BASELINE = "baseline mean"


def recorded(life: Life) -> tuple[Ledger, Mapping[str, bytes], Mapping[str, float]]:
    """The ledger of a life whose record was kept, its tables, and the labels by row id."""
    lines: list[Entry] = []
    files: dict[str, bytes] = {}
    for use in life.record:
        table = _rows(use, life).to_bytes()
        files[rows_file(SEALED, use.use)] = table
        lines += _lines(use, life, digest_bytes(table), _reference(lines))
    labels = dict(zip(_names(life), life.labels.tolist(), strict=True))
    return Ledger(Path(), entries=tuple(lines)), files, labels


def _names(life: Life) -> list[str]:
    return [f"s{number:05d}" for number in range(1, len(life.labels) + 1)]


def _rows(use: Use, life: Life) -> SealedRows:
    systems = [f"system {code}" for code in life.groups.sealed.codes]
    return SealedRows(_names(life), systems, use.candidate.sealed, use.reference.sealed, {})


def _reference(lines: list[Entry]) -> str:
    certified = [
        line.bundle_digest
        for line in lines
        if isinstance(line, DecisionEntry) and line.certified and line.claim == "improvement"
    ]
    return certified[-1] if certified else BASELINE


def _lines(use: Use, life: Life, rows: str, reference: str) -> Iterator[Entry]:
    digest = _digest(use.candidate)
    question = {
        "commit": "0" * 40,
        "time": "2026-01-01T00:00:00+00:00",
        "run": "simulated",
        "predictions_digest": digest,
        "bundle_digest": digest,
        "reference": reference,
        "claim": use.claim,
        "sealed_digest": SEALED,
        "commitment": digest_bytes(b"labels"),
        "policy_digest": digest_bytes(repr(life.policy).encode()),
    }
    numbers = {"use": use.use, "disagreements": use.disagreements, "level": use.test.level}
    policy = life.policy
    yield Intent.model_validate(
        {
            **question,
            **numbers,
            "uses": policy.uses,
            "maximum_disagreements": policy.disagreements,
            "alpha": policy.alpha,
            "tail": policy.tail,
            "rows_digest": rows,
            "requirements": asked(use.test),
        }
    )
    outcome = "PASS" if use.bit else "INCONCLUSIVE"
    told = {"stage": "sealed", "outcome": outcome, "bit": use.bit, "certified": use.bit}
    yield DecisionEntry.model_validate({**question, **numbers, **told})


def _digest(values: Predictions) -> str:
    parts = (values.train, values.sealed, values.pool)
    return digest_bytes(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))
