"""The ledger played again: every honest ledger holds, and every dishonest line is found."""

import dataclasses

import numpy as np
import pytest

from assay.errors import NotCarriedOutError
from assay.files import digest_bytes
from assay.groups import counted_compositions
from assay.ledger.entries import Entry
from assay.ledger.record import Ledger
from assay.ledger.replay import Use, findings_of, replay_bits, replay_files, replay_lines, uses_of
from assay.ledger.uses import CountedRows, SealedRows, rows_file
from assay.sealing.labels import former_digest
from ledger_samples import (
    OTHER,
    SEALED,
    answer,
    certified,
    decision,
    intent,
    of,
    retirement,
    revocation,
    used,
)
from ledger_samples import asked as sample

FIRST = digest_bytes(b"first")
ROWS = 60


def honest() -> list[Entry]:
    """A ledger in which everything happens in its order."""
    first, passed = used("first", 1, 0, bit=True)
    later = {"reference": FIRST}
    crashed = intent("crashed", 3, 1, **later)
    return [
        first,
        passed.model_copy(update={"certified": True}),
        *used("worse", 2, 0, bit=False, **later),
        decision("same", stage="public", outcome="FAIL", **later),
        crashed,
        *used("better", 4, 2, bit=True, **later),
        answer(crashed, bit=True),
        decision("worse", stage="sealed", outcome="INCONCLUSIVE", level=_level(2, 0), **later),
        *used("third", 5, 1, bit=True, **later),
        *used("first", 1, 0, bit=True, sealed_digest=OTHER),
        revocation("third"),
        decision("third", stage="revoked", outcome="FAIL", **later),
        retirement(),
        decision("last", stage="retired", outcome="INCONCLUSIVE", **later),
    ]


def _level(use: int, disagreements: int) -> float:
    return intent(use=use, disagreements=disagreements).level


def faults(ledger: Ledger) -> list[tuple[int, str]]:
    """What replaying finds."""
    return [(fault.line, fault.reason) for fault in replay_lines(ledger)]


def test_honest_ledger_holds():
    """Passes, non-confirmations, a crash answered later, revocation and retirement: all follows."""
    assert faults(of(*honest())) == []


def changed(number: int, **fields: object):
    """Change fields of line `number`, as somebody can who holds the key."""

    def change(lines: list[Entry]) -> list[Entry]:
        update = {number - 1: lines[number - 1].model_copy(update=fields)}
        return [update.get(index, line) for index, line in enumerate(lines)]

    return change


def without(number: int):
    """Take line `number` out."""
    return lambda lines: [*lines[: number - 1], *lines[number:]]


def ending(*more: Entry, before: int = 16):
    """Put lines before another one; by default before the retirement."""
    return lambda lines: [*lines[: before - 1], *more, *lines[before - 1 :]]


def asked(name: str, **fields: object) -> Entry:
    """The next use after all of the honest ledger's."""
    return intent(name, 6, 1, **{"reference": FIRST, **fields})


PLANTED = {
    "a level too large": (changed(6, level=0.01), 6, "its level 0.01 is not that of use 3"),
    "a requirement's level too large": (
        changed(6, requirements=[sample(_level(3, 1), level=0.01)]),
        6,
        "not half of its own",
    ),
    "a use left out": (changed(3, use=3, level=_level(3, 0)), 3, "there were 1 uses before it"),
    "a non-confirmation hidden": (
        changed(4, bit=True, outcome="PASS"),
        6,
        "2 uses before it, 0 of them not confirmed",
    ),
    "a bar that anything is below": (
        changed(6, requirements=[sample(_level(3, 1), bar=10.0)]),
        6,
        "the bar 10 is not that of its claim and margin",
    ),
    "a margin where an improvement is claimed": (
        changed(1, requirements=[sample(_level(1, 0), bar=0.1)]),
        1,
        "the bar 0.1 is not",
    ),
    "a charge below nothing": (
        changed(1, requirements=[sample(_level(1, 0), charge=-5.0)]),
        1,
        "its guard are below zero",
    ),
    "tail raised": (changed(6, tail=9.0), 6, "alpha, uses, disagreements, tail"),
    "alpha raised": (
        changed(6, alpha=0.05, level=2 * _level(3, 1)),
        6,
        "alpha, uses, disagreements, tail, groups, metric or margin changed",
    ),
    "J raised": (changed(6, maximum_disagreements=9), 6, "alpha, uses, disagreements"),
    "the margin raised": (
        changed(6, requirements=[sample(_level(3, 1), margin=1.0)]),
        6,
        "margin changed",
    ),
    "a use beyond the budget": (ending(asked("x", uses=5)), 16, "the set was used up before it"),
    "too many non-confirmations": (
        ending(asked("x", maximum_disagreements=1)),
        16,
        "the set was used up before it",
    ),
    "a question asked twice": (ending(asked("better")), 16, "was asked before"),
    "a decision without its intent": (without(7), 7, "not written down before"),
    "a decision told twice": (
        ending(answer(intent("better", 4, 2, reference=FIRST), bit=True)),
        16,
        "not written down before",
    ),
    "another level in the decision": (changed(2, level=0.5), 2, "are not those of the use"),
    "an outcome against its bit": (changed(4, outcome="PASS"), 4, "not that of its bit"),
    "a repeated answer that was never given": (
        ending(decision("new", stage="sealed", outcome="PASS", reference=FIRST)),
        16,
        "not given before",
    ),
    "a repeated answer that was another": (changed(10, outcome="PASS"), 10, "not given before"),
    "a certificate for a failure": (changed(5, certified=True), 5, "certifies a model whose"),
    "another reference": (changed(5, reference=digest_bytes(b"weak")), 5, "the reference was"),
    "the baseline instead of the reference": (
        changed(5, reference="baseline mean"),
        5,
        "compares with baseline mea",
    ),
    "an invented reference": (changed(1, reference=FIRST), 1, "the reference was the baseline"),
    "a revoked model that passes": (
        ending(decision("third", stage="unchanged", outcome="PASS", reference=FIRST)),
        16,
        "revoked before it",
    ),
    "a use for a revoked model": (
        ending(asked("third", claim="no-regression")),
        16,
        "revoked before it",
    ),
    "a pass on a retired set": (
        ending(certified("x", reference=FIRST), before=18),
        18,
        "retired before it",
    ),
}


@pytest.mark.parametrize(("plant", "line", "told"), PLANTED.values(), ids=PLANTED)
def test_planted_line_is_found(plant, line, told):
    """Even whoever holds the key cannot write a history that does not follow: its line is named."""
    found = faults(of(*plant(honest())))
    assert any(number == line and told in reason for number, reason in found), found


def test_unsigned_lines_are_not_evidence():
    """In a signed ledger they are not played again, for they prove nothing."""
    lines = changed(6, level=0.5)(honest())
    assert faults(of(*lines))
    assert faults(of(*lines, signed=True)) == []


def table(values: np.ndarray) -> SealedRows:
    """A candidate off by `values`, and a reference off by one and a little."""
    ids = [f"s{n:02d}" for n in range(ROWS)]
    off = 1 + np.linspace(-0.1, 0.1, ROWS)
    return SealedRows(ids, [f"A-{n}" for n in range(ROWS)], values, off, {})


def opened() -> tuple[Ledger, dict[str, bytes], dict[str, float]]:
    """A ledger of two uses with their tables, and labels of zero that confirm the first only."""
    rng = np.random.default_rng(0)
    tables = [table(0.1 * rng.normal(size=ROWS)), table(2 + 0.1 * rng.normal(size=ROWS))]
    files, lines = {}, []
    for number, rows in enumerate(tables, start=1):
        content = rows.to_bytes()
        files[rows_file(SEALED, number)] = content
        fields = {"rows_digest": digest_bytes(content)}
        lines += used(f"m{number}", number, 0, bit=number == 1, **fields)
    return of(*lines), files, dict.fromkeys(tables[0].row_ids, 0.0)


def test_bits_are_recomputed_from_the_labels():
    """With the labels every recorded bit is found again, and every wrong one is found out."""
    ledger, files, labels = opened()
    assert list(replay_files(ledger, files)) == []
    assert list(replay_bits(uses_of(ledger), files, labels)) == []
    for line, bit in ((2, False), (4, True)):
        outcome = "PASS" if bit else "INCONCLUSIVE"
        lines = changed(line, bit=bit, outcome=outcome)(list(ledger.entries))
        (fault,) = replay_bits(uses_of(of(*lines)), files, labels)
        assert fault.line == line - 1
        assert "its decision is another" in fault.reason


def test_use_without_a_decision_has_nothing_to_contradict():
    """A crash left no bit: the use is listed, and nothing is wrong with it."""
    ledger, files, labels = opened()
    crashed = dataclasses.replace(ledger, entries=ledger.entries[:1])
    assert [use.decision for use in uses_of(crashed)] == [None]
    assert list(replay_bits(uses_of(crashed), files, labels)) == []


def test_missing_or_altered_tables_are_found():
    """The rows that a use was decided on must be the ones its line names."""
    ledger, files, labels = opened()
    name = rows_file(SEALED, 2)
    for wrong in ({**files, name: files[name] + b"s99,A,1,2\n"}, {rows_file(SEALED, 1): b""}):
        assert any(name in fault.reason for fault in replay_files(ledger, wrong))
        assert any(fault.line == 3 for fault in replay_bits(uses_of(ledger), wrong, labels))


def test_labels_of_another_set_are_named():
    """Labels that lack a row decide nothing."""
    ledger, files, labels = opened()
    labels.pop("s07")
    found = list(replay_bits(uses_of(ledger), files, labels))
    assert [fault.line for fault in found] == [1, 3]
    assert "lack the row 's07'" in found[0].reason


def test_reference_is_compared_with_what_was_certified():
    """The predictions that later models are compared with are those of the certified line."""
    content = b"row_id,prediction\ns1,1\n"
    line = certified("first", predictions_digest=digest_bytes(content))
    files = {f"references/{FIRST}.csv": content}
    assert list(replay_files(of(line), files)) == []
    for wrong in ({}, {f"references/{FIRST}.csv": content + b"s2,1\n"}):
        (fault,) = replay_files(of(line), wrong)
        assert (fault.line, "references/" in fault.reason) == (1, True)
    assert list(replay_files(of(certified("first", claim="no-regression")), {})) == []


def test_findings_tell_what_a_use_came_to():
    """What is published when a set is retired: losses, difference, error, bound, bar and bit."""
    ledger, files, labels = opened()
    passed, failed = (findings_of(use.intent, files, labels)[0] for use in uses_of(ledger, SEALED))
    assert passed.candidate_loss < 0.2
    assert passed.reference_loss > 0.9
    assert passed.estimate.mean == pytest.approx(passed.candidate_loss - passed.reference_loss)
    assert passed.bound < passed.requirement.bar == 0 < failed.bound
    assert (passed.bit, failed.bit) == (True, False)
    assert passed.level == ledger.entries[0].level


def test_uses_are_those_of_one_set_with_their_decisions():
    """Each use stands with the decision that followed it, whatever stands between."""
    ledger = of(*honest())
    uses = uses_of(ledger, SEALED)
    assert [use.intent.use for use in uses] == [1, 2, 3, 4, 5]
    assert [use.decision.bit for use in uses] == [True, False, True, True, True]
    assert isinstance(uses[2], Use)
    assert uses[2].decision == ledger.entries[8]
    assert len(uses_of(ledger)) == 6


@pytest.mark.parametrize("honest_rows", [True, False])
def test_evidence_of_other_rows_than_follow_is_found(honest_rows):
    """Where not all rows of a group count, whoever recorded the use did not choose which do."""
    compositions = [f"Na{n}Cl" for n in range(1, ROWS + 1)]
    plain = table(np.zeros(ROWS))
    groups = [f"group {n % 3}" for n in range(ROWS)]
    chosen = counted_compositions(compositions, groups, 2)
    evidence = CountedRows(compositions, chosen if honest_rows else np.roll(chosen, 1))
    content = dataclasses.replace(plain, systems=groups, evidence=evidence).to_bytes()
    digest = former_digest(compositions)
    line = intent(sealed_digest=digest, rows_digest=digest_bytes(content), rows_per_group=2)
    files, labels = {rows_file(digest, line.use): content}, dict.fromkeys(plain.row_ids, 0.0)
    if honest_rows:
        assert findings_of(line, files, labels)[0].rows == chosen.sum()
    for other in [None, 1, 3] if honest_rows else [2]:  # a number that was never asked for
        with pytest.raises(NotCarriedOutError) as caught:
            findings_of(line.model_copy(update={"rows_per_group": other}), files, labels)
        assert caught.value.code == "ledger.other-evidence"
