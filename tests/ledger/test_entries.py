"""The lines of the ledger: none can be altered, taken out, put in or read in two ways."""

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ledger.entries import (
    NOTHING,
    DamagedLedgerError,
    Entry,
    digest_of,
    line_of,
    read_lines,
)
from ledger_samples import answer, chain, decision, intent, keys, retirement, revocation

ALL = [intent(), answer(intent(), bit=True), revocation(), retirement(), decision("other")]


def content_of(lines: list[Entry]) -> bytes:
    """The file that these lines make."""
    return b"".join(line_of(line) + b"\n" for line in lines)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory):
    """Who signs, and the public key."""
    return keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory):
    """Somebody else who signs."""
    return keys(tmp_path_factory.mktemp("stranger"))[0]


@pytest.mark.parametrize("signed", [False, True])
def test_every_kind_is_read_back_as_it_was_written(pair, signed):
    """Intent, decision, revocation and retirement survive the file, in their order."""
    lines = chain(*ALL, signer=pair[0] if signed else None)
    assert list(read_lines(content_of(lines), pair[1])) == lines
    assert [line.signature is not None for line in lines] == [signed] * len(ALL)
    assert lines[0].previous == NOTHING
    assert [line.previous for line in lines[1:]] == [digest_of(line) for line in lines[:-1]]


def test_same_entry_has_the_same_signature(pair):
    """Ed25519 signs without chance, so a line can be made again and compared."""
    assert chain(*ALL, signer=pair[0]) == chain(*ALL, signer=pair[0])


@given(level=st.floats(allow_nan=False, allow_infinity=False), bar=st.floats(-1e300, 1e300))
def test_numbers_are_read_back_to_the_last_bit(level, bar):
    """Whatever a level or bar is, its line gives the same number again."""
    asked = intent().requirements[0].model_copy(update={"bar": bar})
    line = chain(intent(level=level, requirements=[asked]))[0]
    (found,) = read_lines(line_of(line) + b"\n", None)
    assert (found.level, found.requirements[0].bar) == (level, bar)


def test_number_that_is_none_is_never_written():
    """JSON has no infinity: such a line is refused when it is written, not when it is read."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        line_of(intent().model_copy(update={"level": math.inf}))


def alter(number: int, **fields: object):
    """Change fields of a line, and leave its signature."""
    return lambda lines, _: [
        line.model_copy(update=fields) if index == number else line
        for index, line in enumerate(lines)
    ]


def unsign_last(lines, _):
    """Replace the last line by one that nobody signed."""
    return [*lines[:-1], chain(*lines)[-1].model_copy(update={"previous": lines[-1].previous})]


def by_a_stranger(lines, stranger):
    """The whole ledger again, in good order, signed by somebody else."""
    return chain(*lines, signer=stranger)


DAMAGES = {
    "a changed outcome": (alter(1, outcome="FAIL"), 2, "not signed by the key"),
    "a changed level": (alter(0, level=0.5), 1, "not signed by the key"),
    "a changed last line": (alter(4, outcome="PASS"), 5, "not signed by the key"),
    "a changed chain": (alter(2, previous=NOTHING), 3, "does not follow"),
    "a line taken out": (lambda lines, _: [*lines[:1], *lines[2:]], 2, "does not follow"),
    "the first line taken out": (lambda lines, _: lines[1:], 1, "does not follow"),
    "a line told twice": (lambda lines, _: [*lines[:2], lines[1]], 3, "does not follow"),
    "lines in another order": (lambda lines, _: [lines[1], lines[0]], 1, "does not follow"),
    "an unsigned line at the end": (unsign_last, 5, "not signed, though"),
    "another's signature": (by_a_stranger, 1, "not signed by the key"),
}


@pytest.mark.parametrize(("damage", "line", "told"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named_with_its_line(pair, stranger, damage, line, told):
    """Whatever is done to a signed ledger without its key is found, at the line it was done to."""
    lines = damage(chain(*ALL, signer=pair[0]), stranger)
    with pytest.raises(DamagedLedgerError, match=f"line {line}: it .*{told}.*git revert"):
        read_lines(content_of(lines), pair[1])


def test_lines_cut_off_at_the_end_are_not_found_here(pair):
    """A shorter ledger is a sound one; that something is missing shows in a certificate alone."""
    lines = chain(*ALL, signer=pair[0])[:2]
    assert list(read_lines(content_of(lines), pair[1])) == lines


def test_signed_lines_are_not_read_without_the_public_key(pair):
    """Without `certificate.pub` nobody can say whose lines they are."""
    with pytest.raises(DamagedLedgerError, match="line 1"):
        read_lines(content_of(chain(*ALL, signer=pair[0])), None)


def test_ledger_may_begin_unsigned_and_go_on_signed(pair):
    """What was written before `assay init` stays, and the first signed line follows it."""
    first = chain(ALL[0], ALL[1])
    lines = [*first, *chain(*first, *ALL[2:], signer=pair[0])[2:]]
    lines = _relinked(lines, pair[0])
    found = read_lines(content_of(lines), pair[1])
    assert [bool(line.signature) for line in found] == [False, False, True, True, True]


def _relinked(lines: list[Entry], signer) -> list[Entry]:
    from assay.ledger.entries import chained

    made: list[Entry] = []
    for line in lines:
        made.append(chained(line, made[-1] if made else None, signer if line.signature else None))
    return made


def rewrite(change) -> bytes:
    """The first line with its JSON changed."""
    return change(line_of(chain(*ALL)[0]))


SPELLINGS = {
    "spaces": lambda line: line.replace(b":", b": ", 1),
    "another order": lambda line: json.dumps(
        dict(reversed(json.loads(line).items())), separators=(",", ":")
    ).encode(),
    "a name given twice": lambda line: line.replace(b'"alpha":0.025', b'"alpha":1,"alpha":0.025'),
    "a number in quotes": lambda line: line.replace(b'"use":1', b'"use":"1"'),
    "a number spelt otherwise": lambda line: line.replace(b"0.025", b"2.5e-2"),
    "a carriage return": lambda line: line + b"\r",
    "a further field": lambda line: line.replace(b"{", b'{"a":1,', 1),
    "another kind": lambda line: line.replace(b'"intent"', b'"wish"'),
    "no JSON": lambda line: line[:-1],
    "a list": lambda line: b"[" + line + b"]",
    "nothing": lambda _: b"",
    "no text": lambda _: b"\xff\xfe",
    "a NaN": lambda line: line.replace(b"0.025", b"NaN"),
}


@pytest.mark.parametrize("change", SPELLINGS.values(), ids=SPELLINGS)
def test_only_one_spelling_of_a_line_is_read(change):
    """Two readers cannot understand different things by the same bytes."""
    with pytest.raises(DamagedLedgerError, match="line 1"):
        read_lines(rewrite(change) + b"\n", None)
    assert read_lines(rewrite(lambda line: line) + b"\n", None)


def test_line_without_its_end_was_not_written_whole():
    """A file that was cut inside a line is not read."""
    lines = chain(*ALL)
    with pytest.raises(DamagedLedgerError, match="line 5"):
        read_lines(content_of(lines)[:-1], None)


def test_every_line_of_a_ledger_depends_on_all_before(pair, tmp_path: Path):
    """Changing any line changes every digest after it."""
    one = chain(*ALL, signer=pair[0])
    other = chain(ALL[0].model_copy(update={"run": "elsewhere"}), *ALL[1:], signer=pair[0])
    assert all(digest_of(a) != digest_of(b) for a, b in zip(one, other, strict=True))
    assert all(b.previous == digest_of(a) for a, b in pairwise(other))


def test_a_line_names_public_evidence_and_leaves_the_usual_one_unsaid():
    """Lines of sealed evidence have the bytes that they had before there was any other."""
    usual = decision()
    assert b"evidence" not in line_of(usual)
    public = decision(evidence="public")
    assert b'"evidence":"public"' in line_of(public)
    assert read_lines(line_of(public) + b"\n", None)[0].evidence == "public"
    said = line_of(usual)[:-1] + b',"evidence":"sealed"}'
    with pytest.raises(DamagedLedgerError):
        read_lines(said + b"\n", None)
