"""The ledger as people read it: a line an entry, and nothing that a terminal obeys."""

from assay.files import digest_bytes
from assay.ledger.audit import HEADER, earlier, listing
from ledger_samples import certified, decision, intent, of, retirement, revocation, used


def test_every_entry_is_told_once():
    """A use stands in the line of its decision, and alone only while it has none."""
    lines = listing(
        of(
            *used("one", 1, 0, bit=True),
            *used("two", 2, 0, bit=False),
            intent("three", 3, 1),
            decision("four"),
            certified("five"),
            revocation("five", reason="wrong rows"),
            retirement(),
        )
    )
    told = [line.split("  ") for line in lines[1:]]
    outcomes = [[cell.strip() for cell in cells if cell.strip()] for cells in told]
    assert [cells[0] for cells in outcomes] == ["2", "4", "5", "6", "7", "8", "9"]
    assert [cells[2] for cells in outcomes] == [
        "PASS",
        "INCONCLUSIVE",
        "unanswered",
        "FAIL",
        "PASS, certified",
        "REVOKED",
        "set retired",
    ]
    assert outcomes[0][4:6] == ["1/100", "0/5"]
    assert outcomes[2][4:6] == ["3/100", "1/5"]
    assert "wrong rows" in lines[6]


def test_columns_stand_under_their_names():
    """Every row is as wide as the header says, whatever is in it."""
    lines = listing(of(*used("one", 1, 0, bit=True), revocation(reason="a long reason to revoke")))
    place = lines[0].index("model")
    assert all(line[place - 2 : place] == "  " for line in lines)


def test_empty_ledger_is_its_header():
    """Nothing happened yet."""
    assert len(listing(of())) == 1


def test_earlier_lines_leave_out_what_is_reported_now():
    """The last lines, under their header, without the last decision on the same predictions."""
    ledger = of(*used("one", 1, 0, bit=True), decision("two"), decision("one"), decision("three"))
    header, *rows = earlier(ledger, digest_bytes(b"one"), 10)
    assert header == HEADER
    assert [row[0] for row in rows] == ["2", "3", "5"]
    assert [row[0] for row in earlier(ledger, None, 2)[1:]] == ["4", "5"]


def test_nothing_earlier_has_no_header():
    """A first decision has no history."""
    assert earlier(of(decision("one")), digest_bytes(b"one"), 10) == []
