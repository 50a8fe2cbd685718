"""What a change claims: whatever a merge button does to its commits, and nothing of main's own."""

import pytest

from assay.claims import claimed_since
from test_provenance import commit, root, run  # noqa: F401 (a fixture)

CLAIM = "Better\n\nAssay-Claim: improvement"
SQUASHED = """Better forest (#7)

* Use more trees

Assay-Claim: no-regression

* Now it is better

Assay-Claim: improvement

Co-authored-by: B <b@localhost>
"""


@pytest.mark.parametrize(
    ("message", "claim"),
    [
        ("Title", None),
        ("Title\n\nAssay-Claim: improvement\n", "improvement"),
        ("Title\n\nassay-claim:  Improvement \n", "improvement"),
        ("Title\n\nassay-claim: improvement  \n", "improvement"),
        ("Title\r\n\r\nAssay-Claim: improvement\r\nSigned-off-by: A\r\n", "improvement"),
        ("Title\n\nAssay-Claim: improvement.\n", "improvement"),
        ("Title\n\n    Assay-Claim: improvement\n", "improvement"),
        ("Title (#7)\n\n* Assay-Claim: improvement\n", "improvement"),
        ("Title (#7)\n\n- Assay-Claim: improvement.\n", "improvement"),
        (SQUASHED, "improvement"),
        ("Title\n\nAssay-Claim: improvement\n\nAssay-Claim: no-regression\n", "no-regression"),
        (b"Caf\xe9\n\nAssay-Claim: improvement\n", "improvement"),
    ],
)
def test_the_last_line_that_claims_counts(root, message, claim):  # noqa: F811
    """The form is forgiving where the meaning is plain, wherever a squash put the line."""
    commit(root, message)
    found = claimed_since(root, None)
    assert (found.claim, list(found.unread)) == (claim, [])


@pytest.mark.parametrize(
    "line",
    [
        "Assay-Claim: improvements",
        "Assay-Claim: improvement, surely",
        "Assay-Claim improvement",
        "Assay claim: improvement",
        "assay_claims: improvement",
        "(Assay-Claim: improvement)",
        "Assay-Claim:",
    ],
)
def test_a_near_miss_is_named(root, line):  # noqa: F811
    """What looks like a claim and is none is shown, not lost."""
    commit(root, f"Title\n\n{line}\n")
    found = claimed_since(root, None)
    assert (found.claim, list(found.unread)) == (None, [line])


def test_a_sentence_about_claims_is_no_near_miss(root):  # noqa: F811
    """Prose that speaks of an assay is left alone."""
    commit(root, "Title\n\nI make no Assay-Claim: improvement\nThe assay was slow.\n")
    found = claimed_since(root, None)
    assert (found.claim, list(found.unread)) == (None, [])


@pytest.fixture
def pull(root):  # noqa: F811
    """A branch `pull` with one commit that claims, off a main that claimed before."""
    commit(root, f"Base\n\n{CLAIM}")
    run(root, "checkout", "-q", "-b", "pull")
    commit(root, CLAIM)
    return root


def test_claim_survives_a_later_commit(pull):
    """A claim in the last commit but one is the claim of the change."""
    commit(pull, "Correct a word")
    assert claimed_since(pull, "main").claim == "improvement"


def test_a_later_commit_may_take_it_back(pull):
    """The newest commit that makes a claim decides."""
    commit(pull, "Not better\n\nAssay-Claim: no-regression")
    assert claimed_since(pull, "main").claim == "no-regression"


def test_claim_survives_an_updated_branch(pull):
    """The button "Update branch" puts a merge commit on top, and main claims for itself."""
    run(pull, "checkout", "-q", "main")
    commit(pull, "Theirs\n\nAssay-Claim: no-regression")
    run(pull, "checkout", "-q", "pull")
    run(pull, "merge", "-q", "--no-ff", "main", "-m", "Merge branch 'main' into pull")
    assert claimed_since(pull, "main").claim == "improvement"
    run(pull, "checkout", "-q", "main")
    run(pull, "merge", "-q", "--no-ff", "pull", "-m", "Merge 1 into 2")
    assert claimed_since(pull, "HEAD^1").claim == "improvement"


def test_main_does_not_claim_for_a_change(root):  # noqa: F811
    """What main claimed before is no claim of the next commit."""
    commit(root, CLAIM)
    commit(root, "Next")
    assert claimed_since(root, "HEAD^1").claim is None
    assert claimed_since(root, None).claim is None


def test_without_git_nothing_is_claimed(tmp_path, monkeypatch):
    """Outside a repository there is no claim, and nothing fails."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert claimed_since(tmp_path, None).claim is None
