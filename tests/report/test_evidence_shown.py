"""What a report says where public rows decide: everywhere that, and nothing of a sealed set."""

import pytest

from assay.report.advice import after, meaning, of_evidence
from assay.report.comment import render_comment
from assay.report.figures import commit_status, gate_line
from assay.report.page import render_page
from report_samples import proposal, verdict

PUBLIC = {
    "evidence": "public",
    "sealed": False,
    "sealed_rows": 0,
    "sealed_groups": 0,
    "stage": "public",
    "public_rows": 312,
    "public_groups": 50,
    "use": 0,
    "disagreements": 0,
    "level": 0.025,
    "explanation": "cross-validation on the public rows shows it",
}


def shown(tmp_path, **changes):
    """The inputs of a report on such a verdict."""
    return proposal(tmp_path, verdict=verdict(**(PUBLIC | changes)))


@pytest.mark.parametrize("preview", [True, False])
def test_comment_page_and_status_say_public(tmp_path, preview):
    """Each names the evidence, and says of a pull request's verdict that it is a preview."""
    inputs = shown(tmp_path, preview=preview)
    status = commit_status(inputs)[1]
    for text in (render_comment(inputs), render_page(inputs), status):
        assert "public evidence" in text.lower()
        assert ("preview" in text) == preview
    assert "NOT SEALED" not in render_comment(inputs)
    assert "assay init" not in of_evidence(inputs.verdict)[1]


def test_status_says_it_before_anything_is_cut(tmp_path):
    """GitHub shows 140 characters of a description: the evidence is among the first."""
    inputs = shown(tmp_path, preview=True, explanation="x" * 300)
    assert "public evidence, preview" in commit_status(inputs)[1][:60]


@pytest.mark.parametrize("reason", ["groups", "pool", "carriers", "headroom", "nothing"])
def test_what_is_undecided_speaks_of_no_sealed_set(reason):
    """Neither the meaning nor the next step of an INCONCLUSIVE names labels that do not exist."""
    found = verdict(
        **PUBLIC | {"outcome": "INCONCLUSIVE", "level": None},
        reason=reason,
        further_rows=40,
        further_groups=12,
    )
    for text in (meaning(found), after(found), gate_line(found)):
        assert "seal" not in text


def test_sealed_verdicts_are_shown_as_before():
    """A verdict from a sealed set names its use, and no preview and no public evidence."""
    line = gate_line(verdict())
    assert "sealed use 14/100" in line
    assert "public evidence" not in line
