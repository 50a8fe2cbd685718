"""The order of findings, and how many a record holds."""

from hypothesis import given
from hypothesis import strategies as st

from assay.records import MAXIMUM_FINDINGS, CheckReport, Finding, bounded, ranked


def _finding(rule: str, severity: str = "failure") -> Finding:
    return Finding.model_validate({"rule": rule, "severity": severity, "message": "m"})


FINDINGS = st.lists(st.builds(_finding, st.sampled_from("abcd"), st.sampled_from(
    ["failure", "warning"])), max_size=30)  # fmt: skip


@given(FINDINGS)
def test_wherever_the_list_is_cut_no_rule_hides_another(findings: list[Finding]):
    """Nothing is lost; a warning never stands before a failure, nor a second before any first."""
    listed = ranked(findings)
    assert sorted(map(str, listed)) == sorted(map(str, findings))
    grave = [one for one in listed if one.severity == "failure"]
    assert listed[: len(grave)] == grave
    for part in (grave, listed[len(grave) :]):
        rules = {one.rule for one in part}
        assert {one.rule for one in part[: len(rules)]} == rules


def test_rows_of_a_rule_keep_their_order():
    """Findings of one rule stay as they were found, which is by line."""
    found = [Finding(rule="a", severity="failure", message="m", line=n) for n in (3, 1, 2)]
    assert ranked(found) == found


def test_what_a_record_has_no_room_for_is_counted():
    """A thousand are kept, the rule that was found last among them, and the rest is a number."""
    found = [*[_finding("a")] * 1400, *[_finding("w", "warning")] * 5, _finding("z")]
    kept, unlisted = bounded(found)
    assert len(kept) == MAXIMUM_FINDINGS == 1000
    assert unlisted == 406
    assert [one.rule for one in kept[:3]] == ["a", "z", "a"]
    report = CheckReport(
        check="schema", subject="0" * 64, executed=9, findings=kept, unlisted=unlisted
    )
    assert (report.failed, report.warned) == (["a", "z"], [])
    assert bounded(found[:1000])[1] == 0
