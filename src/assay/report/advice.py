"""What a verdict means, and the one thing to do next, for everything shown in red or yellow."""

from dataclasses import dataclass

from assay.records import VerdictRecord

HOW_TO_SEAL = (
    "The held-out labels of this repository lie open, so whoever trains can look at them and a "
    "PASS shows only that the mechanism works. To seal them: run `assay init`, commit what it "
    "writes, store the two keys it names as secrets of the environment `heldout`, and restrict "
    "that environment to the branch `main`."
)

FAILED = {
    "Data schema": "correct the first row listed under Findings, then run `assay schema`",
    "Sanity": "mend what Findings says of the first property, then run `assay check`",
}

_ENDED = "ended before it wrote its record: open its log, which says why, and run it again"
MISSING = {
    "Data schema": f"the job Schema {_ENDED}",
    "Candidate": f"the job Candidate {_ENDED}",
    "Sanity": f"the job Sanity {_ENDED}",
    "Benchmark": (
        "the log of the step Score names what was wrong and what to do; then run the job again"
    ),
}

REFUSED = {
    "Data schema": "do what the row Data schema says, then run `assay schema`",
    "Candidate": "do what the row Candidate says, then run `assay train`",
    "Sanity": "do what the row Sanity says, then run `assay check`",
    "Benchmark": "do what the row Benchmark says, then run the job Score again",
}

_SEALED = (
    "do not push small variations, since each costs a use of the sealed set: look for a larger gain"
)
_AFTER = {
    ("FAIL", "public"): (
        "find where it is worse under Errors by family, improve that, and run `assay score`"
    ),
    ("FAIL", "revoked"): "propose another model: neither this one nor its predictions can pass",
    ("INCONCLUSIVE", "sealed"): _SEALED,
    ("INCONCLUSIVE", "retired"): (
        "ask whoever holds the keys for a fresh sealed set: `assay seal retire`, `assay seal fresh`"
    ),
}


@dataclass(frozen=True)
class Undecided:
    """What it means that nothing was decided, in a sentence, and what to do then."""

    meaning: str
    todo: str


_NO_FAILURE = "this is not a failure of the model, and the sealed labels were not opened"
_PLAN = "`assay plan` tells how many are needed"
_UNSAID = Undecided(
    f"these rows cannot tell whether the model got better or worse; {_NO_FAILURE}",
    "run `assay plan`, which tells what these rows can decide, before you change the model",
)
# by what the gate says of the public rows
UNDECIDED = {
    "chemical systems only": Undecided(
        "nearly all of the change in the predictions sits in a few chemical systems, too few to "
        f"tell whether the model got better or worse; {_NO_FAILURE}",
        "either make a change that reaches more chemical systems, or have more rows sealed: "
        f"{_PLAN}",
    ),
    "with so few rows": Undecided(
        "for so few rows the gain, if it is one, is too small to be told from chance; "
        f"{_NO_FAILURE}",
        f"either look for a larger gain, or have more rows sealed: {_PLAN}",
    ),
    "effective groups": Undecided(
        f"there are too few chemical systems to tell anything about any model; {_NO_FAILURE}",
        f"add rows of further chemical systems to the data: {_PLAN}",
    ),
    "the pool has": Undecided(
        "there are too few unlabelled compositions to show errors that are rare but large; "
        f"{_NO_FAILURE}",
        "add compositions to `data/pool.csv` on main, in a pull request of their own",
    ),
    "nothing follows": Undecided(
        "the public errors of the two models cannot be compared, since they are all alike or some "
        f"are enormous; {_NO_FAILURE}",
        "look at Largest residuals on the page, and correct the model or the label there",
    ),
}
_CLOSED = {
    "sealed": (
        "the sealed rows did not show that the model holds what was claimed; they did not show "
        "that it is worse, either, and more than this is never told of them"
    ),
    "retired": (
        "the sealed set has answered all that it may; this says nothing about the model, and no "
        "other model would fare better"
    ),
}


def meaning(verdict: VerdictRecord) -> str:
    """What an INCONCLUSIVE means, in one plain sentence; nothing of any other verdict."""
    if verdict.outcome != "INCONCLUSIVE":
        return ""
    return _CLOSED.get(verdict.stage) or _undecided(verdict).meaning


def _undecided(verdict: VerdictRecord) -> Undecided:
    said = verdict.explanation
    return next((one for part, one in UNDECIDED.items() if part in said), _UNSAID)


def after(verdict: VerdictRecord) -> str:
    """What to do after a verdict; nothing after a PASS."""
    if (verdict.outcome, verdict.stage) == ("INCONCLUSIVE", "public"):
        return _undecided(verdict).todo
    return _AFTER.get((verdict.outcome, verdict.stage), "")
