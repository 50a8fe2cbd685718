"""The one thing to do next, for everything that a report shows in red or yellow."""

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
    ("INCONCLUSIVE", "public"): (
        "run `assay plan`, which tells what these rows can decide, before you change the model"
    ),
    ("INCONCLUSIVE", "sealed"): _SEALED,
    ("INCONCLUSIVE", "retired"): (
        "ask whoever holds the keys for a fresh sealed set: `assay seal retire`, `assay seal fresh`"
    ),
}


def after(verdict: VerdictRecord) -> str:
    """What to do after a verdict; nothing after a PASS."""
    return _AFTER.get((verdict.outcome, verdict.stage), "")
