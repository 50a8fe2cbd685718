"""Text of others commands nobody who shows it; limits are told where there are any."""

from hypothesis import given
from hypothesis import strategies as st

from assay.texts import BLANK, on_one_line, plural, up_to


@given(text=st.text())
def test_text_stays_on_one_line_and_commands_nothing(text):
    """No line end, no escape sequence, no invisible letter, no command to a runner."""
    line = on_one_line(text)
    assert line.isprintable()
    assert not set(BLANK).intersection(line)
    assert "##[" not in line
    assert len(line.splitlines()) <= 1


def test_ordinary_text_is_left_alone():
    """Letters of any language stay; a terminal's and a runner's commands do not."""
    assert on_one_line("Büchner's Na₂O: 3 % ::off::") == "Büchner's Na₂O: 3 % ::off::"
    assert on_one_line("a\x1b[2Jb\nc\u202ed") == "a [2Jb c d"
    assert on_one_line("a\u3164b\u2800c") == "a b c"
    assert on_one_line("##[add-mask]a") == "# #[add-mask]a"


def test_a_limit_is_told_if_there_is_one():
    """Two digits, behind a space; nothing where there is no limit."""
    assert (up_to(0.4329), up_to(float("inf"))) == (" up to 0.43", "")


def test_a_noun_goes_with_its_count():
    """One is one; nothing and many have the other form, and thousands a comma."""
    assert (plural(1, "row"), plural(0, "failure")) == ("1 row", "0 failures")
    assert plural(1234, "row added", "rows added") == "1,234 rows added"
