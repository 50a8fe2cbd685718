"""Every expected error has a stable code, and one code has one exit code."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import reference_pages
from error_codes import SNAPSHOT, Construction, constructions, listed, modules, snapshot

SOURCE = Path(__file__).parents[1] / "src" / "assay"
AREAS = (
    "batch|bundle|certificate|claim|cluster|data|diff|domain|features|file|formula|git|github|intake|"
    "golden|handover|key|labels|ledger|lineage|list|lock|machinery|manifest|model|network|part|"
    "plan|queue|report|sanity|schema|sealed|settings|shard|split|table|template|training|update|"
    "usage|verb|verdict|wheel"
)
FORM = re.compile(rf"(?:{AREAS})\.[a-z]+(?:-[a-z]+){{0,2}}")
BASE = """
class AssayError(Exception):
    exit_code = 3
class RefusedError(AssayError):
    exit_code = 1
"""


@cache
def found() -> list[Construction]:
    """Every place of src/assay where an expected error is made."""
    return list(constructions(modules(SOURCE)))


def planted(*lines: str) -> list[Construction]:
    """The same of a module with these lines."""
    text = "\n".join([BASE, *lines])
    return list(constructions({"planted.py": ast.parse(text)}))


def without_a_code(made: Iterable[Construction]) -> Iterator[str]:
    """The places where the code is not written out, or not `area.problem` of a known area."""
    for one in made:
        if not FORM.fullmatch(one.code):
            yield f"{one.place}: {one.code or 'no code'}"


def ambiguous(made: Iterable[Construction]) -> Mapping[str, set[int]]:
    """The codes that end a verb with more than one exit code."""
    ends: dict[str, set[int]] = {}
    for one in made:
        ends.setdefault(one.code, set()).add(one.exit_code)
    return {code: exits for code, exits in ends.items() if code and len(exits) > 1}


def test_every_error_has_a_code():
    """Each construction of an expected error names a literal code of a known area."""
    assert list(without_a_code(found())) == []


def test_a_code_has_one_exit_code():
    """Whoever acts upon a code can rely on how the verb ends."""
    made = found()
    assert len(made) > 100
    assert ambiguous(made) == {}


@pytest.mark.parametrize(
    "line",
    [
        "raise RefusedError('no code.')",
        "raise RefusedError('computed.', code=CODE)",
        "raise RefusedError('form.', code='table')",
        "raise RefusedError('form.', code='table.not-utf8')",
        "raise RefusedError('form.', code='table.Bad_Number')",
        "raise RefusedError('form.', code='table.one-two-three-four')",
        "raise RefusedError('area.', code='nowhere.missing')",
        "class Own(RefusedError): pass\nmade = Own('no code.')",
        "made = Own('used first.')\nclass Other(RefusedError): pass\nclass Own(Other): pass",
        "import errors\nraise errors.RefusedError('no code.')",
        "found = [RefusedError('no code.')]",
    ],
)
def test_an_error_without_a_code_is_found(line):
    """Planted: no code, a computed or a malformed one; of a subclass, by a module, not raised."""
    assert len(list(without_a_code(planted(line)))) == 1
    assert list(without_a_code(planted("raise RefusedError('sound.', code='table.missing')"))) == []


def test_a_code_with_two_exit_codes_is_found():
    """Planted: one code in a refusal and in an error of another kind."""
    lines = ("RefusedError('a.', code='table.missing')", "AssayError('b.', code='table.missing')")
    assert ambiguous(planted(*lines)) == {"table.missing": {1, 3}}


def test_sentences_are_shown_without_their_values():
    """What only a run knows is an ellipsis; names of texts are the texts, and `/` is a choice."""
    (one,) = planted(
        "AGAIN = 'run it again'",
        "def of(n):",
        "    kind = 'empty' if n else 'long'",
        "    twice = 'a'",
        "    twice = 'b'",
        "    end = (n or n) + f', {twice!r}; {AGAIN}.'",
        "    raise RefusedError(f'{n}: it is {kind}' + end, code='a')",
    )
    assert one.sentence == "…: it is empty / long…, …; run it again."


def test_a_sentence_is_read_where_it_is_made():
    """Of a function, what it gives; of a class with its own constructor, what that makes of it."""
    *_, of_class, of_function = planted(
        "class LineError(RefusedError):",
        "    def __init__(self, line, reason, *, code):",
        "        super().__init__(f'line {line}: {reason}; put it back.', code=code)",
        "def _empty(n):",
        "    if n:",
        "        return f'{n} is empty.'",
        "    return 'all are empty.'",
        "def of(n):",
        "    LineError(n, 'it has no end', code='a')",
        "    RefusedError(_empty(n), code='a')",
    )
    assert of_class.sentence == "line …: it has no end; put it back."
    assert of_function.sentence == "… is empty. / all are empty."


def wordless(made: Iterable[Construction]) -> list[str]:
    """The codes of listed sentences in which there is nothing but values."""
    return [one.code for one in listed(made) if not re.search(r"\w", one.sentence)]


def test_every_sentence_has_words():
    """No code is shown with values alone; planted: one that is, and one that says more besides."""
    assert wordless(found()) == []
    bare, full = "RefusedError(n, code='a')", "RefusedError('it is here.', code='a')"
    assert wordless(planted(bare)) == ["a"]
    assert snapshot(planted(bare, full)) == "a 1 it is here.\n"


def test_a_function_that_makes_an_error_is_read_where_it_is_called():
    """Each call is a sentence of its own, with what it is given and what is so by default."""
    made = planted(
        "def refused(path, why, todo='move it'):",
        "    told = f'{path}: {why}'",
        "    return RefusedError(f'{told}; {todo}.', code='a')",
        "refused(n, 'it is here')",
        "refused(n, why='it is gone', todo='fetch it')",
    )
    assert [one.sentence for one in made] == ["…: it is here; move it.", "…: it is gone; fetch it."]


def test_every_code_is_in_the_reference():
    """The page lists each code once with its exit code."""
    page = reference_pages.errors()
    rows = [re.sub(r" \|.*", "", line) for line in page.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted({f"| `{one.code}`" for one in found() if one.code})


def test_each_sentence_is_in_the_snapshot():
    """A review sees each changed sentence: `make tables` writes the file that must be the same."""
    assert SNAPSHOT.read_text(encoding="utf-8") == snapshot(found())


def test_a_changed_sentence_changes_the_snapshot():
    """Planted: another word, another code, another exit code; a moved line changes nothing."""
    one = "RefusedError('it is here: move it.', code='file.exists')"
    base = snapshot(planted(one))
    assert base == "file.exists 1 it is here: move it.\n"
    assert snapshot(planted("", one, one)) == base
    for old, new in (("here", "there"), ("file.exists", "file.missing"), ("Refused", "Assay")):
        assert snapshot(planted(one.replace(old, new))) != base
