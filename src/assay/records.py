"""The order of findings, and how many of them a record holds."""

from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay.errors import NotCarriedOutError
from assay.evidence import Evidence
from assay.files import write_text

MAXIMUM_BYTES = 16_000_000

MAXIMUM_FINDINGS = 1000
MAXIMUM_TEXT = 2000
MAXIMUM_COUNT = 10**9
MAXIMUM_TALLIES = 2000
MAXIMUM_FILES = 200

# Raise it when a record gets a field, or a check is renamed or removed: see `read_record`.
FORMAT = 3

Text = Annotated[str, Field(max_length=MAXIMUM_TEXT)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=MAXIMUM_COUNT)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Claim = Literal["no-regression", "improvement"]
Outcome = Literal["PASS", "FAIL", "INCONCLUSIVE"]
Severity = Literal["failure", "warning"]


class Record(BaseModel):
    """A JSON file with exactly these fields, or, of a newer format, with these and others."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def write(self, path: Path) -> None:
        """Write the record as JSON: to a temporary name, then renamed."""
        write_text(path, self.model_dump_json(indent=2) + "\n")


class Handed(Record):
    """A record that one half of a run hands to the other; `format` says how it is to be read."""

    format: Annotated[int, Field(ge=1, le=MAXIMUM_COUNT)] = FORMAT


class Finding(Record):
    """What a check found; `file` is relative to the repository, `line` counts from 1.

    `count` is the number of rows or keys it tells of: more than one where they are counted instead
    of listed. `node` is pytest's id of the test that failed, `example` the line by which Hypothesis
    makes the very same example again. `on_main` says whether main has it, too, or the change brings
    it; None where that is not known.
    """

    rule: Text
    severity: Severity
    message: Text
    file: Text | None = None
    line: Annotated[int, Field(ge=1, le=MAXIMUM_COUNT)] | None = None
    formula: Text | None = None
    value: Text | None = None
    count: Annotated[int, Field(ge=1, le=MAXIMUM_COUNT)] = 1
    node: Text | None = None
    example: Text | None = None
    on_main: bool | None = None


class Tally(Record):
    """What one rule or property went through, counted while it ran.

    `where` is the table, the module of assay or the author's file. `rows` were evaluated by a rule,
    or predicted for a property. `examples` were drawn and accepted by Hypothesis, `rejected` drawn
    and thrown away; both are None where nothing is drawn. `exhausted`: there are no more examples.
    """

    name: Text
    where: Text
    rows: Count = 0
    examples: Count | None = None
    rejected: Count | None = None
    exhausted: bool = False


class CheckReport(Handed):
    """What a check did: `executed` rules or properties, and what they found.

    `subject` is the digest of what was checked: of the train set for schema, of the bundle for
    sanity. `unlisted` is the number of findings for which there was no room. `tallies` has a count
    for every rule on every table, or every property.
    """

    check: Literal["schema", "sanity"]
    subject: Digest
    executed: Count
    findings: Annotated[list[Finding], Field(max_length=MAXIMUM_FINDINGS)] = []
    unlisted: Count = 0
    tallies: Annotated[list[Tally], Field(max_length=MAXIMUM_TALLIES)] = []
    details: Text = ""

    @property
    def failures(self) -> list[Finding]:
        """The findings that make the check fail."""
        return [finding for finding in self.findings if finding.severity == "failure"]

    @property
    def failed(self) -> list[str]:
        """The rules or properties that failed, each once, however often it was found broken."""
        return list(dict.fromkeys(finding.rule for finding in self.failures))

    @property
    def warned(self) -> list[str]:
        """Those that were warned of, each once."""
        warnings = (finding.rule for finding in self.findings if finding.severity == "warning")
        return list(dict.fromkeys(warnings))

    @property
    def passed(self) -> bool:
        """Whether something was executed and nothing failed."""
        return self.executed > 0 and not self.failures


class Refusal(Handed):
    """Why a part of a run ended without its own record: the sentence it said, and its exit code."""

    said: Text
    exit_code: Annotated[int, Field(ge=1, le=3)]


class IntervalCoverage(Record):
    """Measured shares of rows inside intervals of a `level`: of new systems, of rows at random."""

    level: Share
    grouped: Share
    random: Share


class CandidateCard(Handed):
    """What the training says of its model; metrics are public, from grouped out-of-fold errors.

    Without sealed inputs `sealed_inputs_digest` is that of nothing.

    `metrics` has `mae`, `rmse` and `r2` for a number (in the target's unit, `r2` without),
    `brier` and `error_rate` for a class. `interval_half_width` is the mean over the train rows,
    `interval_coverage` the prediction interval's.
    `machinery` is the digest of the code of `assay`, `fold_rule` names what the rows' folds follow
    from (`splits.fold_rule`); cards of older versions do not name them, nor the counts of folds, of
    rows predicted out of fold, and of rows `predicted` without a label.
    `findings` are warnings that the training gives; `machinery_files` lists what differs from
    main's of what runs and judges a model, as far as main is at hand.
    """

    model: Text
    target: Text
    unit: Text
    claim: Claim
    commit: Text
    correlation_id: Text
    bundle_digest: Digest
    predictions_digest: Digest
    train_digest: Digest
    sealed_inputs_digest: Digest
    pool_digest: Digest
    lock_digest: Digest
    machinery: Digest | None = None
    machinery_version: Text | None = None
    estimator: Text
    rows: Count
    groups: Count
    features: Count | None
    fold_rule: Text | None = None
    folds: Count | None = None
    out_of_fold: Count | None = None
    predicted: Count | None = None
    interval_half_width: float | None
    interval_coverage: IntervalCoverage | None
    metrics: dict[Text, float]
    findings: Annotated[list[Finding], Field(max_length=MAXIMUM_FINDINGS)] = []
    machinery_files: Annotated[list[Text], Field(max_length=MAXIMUM_FILES)] = []


class PublicFigure(Record):
    """A requirement in public figures: out-of-fold errors of both models on the train rows.

    `groups` is the smallest effective number of groups among train rows, sealed rows and
    pool; with too few a slice is told and not `required`, nor is what is `advisory`.
    """

    name: Text
    unit: Text
    margin: float
    candidate: float | None
    reference: float | None
    groups: float
    required: bool
    advisory: bool = False


class VerdictRecord(Handed):
    """The verdict and the few figures that may be shown beside it.

    `public_rows` in `public_groups` groups and `pool_rows` were compared with the
    reference. `use`, `disagreements` and `level` are functions of past bits alone;
    `candidate_error` and `reference_error` are public out-of-fold errors on the train set. `reason`
    is why the public rows decide nothing; `further_rows` with their `further_groups`, or
    `margin_needed`, would let them (`gate.remedies`). `grouping` says which rows go together and
    what that promises. With public `evidence` there is no sealed set: `sealed_digest` names what is
    predicted, further rows are train rows, and all but main's own run give a `preview`.
    """

    outcome: Outcome
    stage: Literal["unchanged", "public", "sealed", "retired", "revoked"]
    claim: Claim
    margin: float
    metric: Text
    unit: Text
    sealed: bool
    sealed_digest: Digest
    sealed_rows: Count
    sealed_groups: Count
    public_rows: Count | None = None
    public_groups: Count | None = None
    pool_rows: Count | None = None
    use: Count
    uses: Count
    disagreements: Count
    maximum_disagreements: Count
    level: float | None
    candidate_error: float
    reference_error: float
    figures: Annotated[list[PublicFigure], Field(max_length=30)]
    reference: Text
    change_on_pool: float
    explanation: Text
    reason: Text | None = None
    further_rows: Count | None = None
    further_groups: Count | None = None
    margin_needed: float | None = None
    bundle_digest: Digest
    predictions_digest: Digest
    correlation_id: Text
    certified: bool
    why_not_certified: Text | None = None
    waits_for: Text | None = None
    grouping: Text | None = None
    evidence: Evidence = "sealed"
    preview: bool = False


R = TypeVar("R", bound=Record)


def read_record(kind: type[R], path: Path) -> R:
    """Read an untrusted JSON record of the given kind.

    An unknown field is an error, except in a record whose `format` is newer than this assay's: what
    is known of it is read as strictly as ever, and the rest is ignored. So main can judge a pull
    request that updates the machinery. A record without `format` is of format 1.

    Raises:
        NotCarriedOutError: the file is missing, a link, too large, or not such a record.
    """
    if path.is_symlink() or not path.is_file():
        raise NotCarriedOutError(
            f"{path.name} is missing: run `assay check` first.", code="file.no-record"
        )
    if path.stat().st_size > MAXIMUM_BYTES:
        raise NotCarriedOutError(
            f"{path.name} is larger than {MAXIMUM_BYTES:,} bytes and was not read: run the step "
            "that writes it again.",
            code="file.record-too-large",
        )
    try:
        content = path.read_bytes()
        extra: Literal["ignore", "forbid"] = "ignore" if _is_newer(content) else "forbid"
        return kind.model_validate_json(content, extra=extra)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])[:80] or "its top"
        raise NotCarriedOutError(
            f"{path.name} is not a {kind.__name__} ({place}: {first['msg'][:200]}): run the step "
            "that writes it again.",
            code="file.bad-record",
        ) from None


class _Formatted(BaseModel):
    """The one field that says how the others are to be read."""

    format: int = 1


def _is_newer(content: bytes) -> bool:
    try:
        return _Formatted.model_validate_json(content, strict=True).format > FORMAT
    except ValidationError:
        return False


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Failures before warnings, and of both the first of every rule before any second one.

    So no rule hides another, wherever the list is cut.
    """
    seen: set[tuple[str, str]] = set()
    places = []
    for finding in findings:
        rule = (finding.severity, finding.rule)
        places.append((finding.severity != "failure", rule in seen, finding))
        seen.add(rule)
    return [finding for *_, finding in sorted(places, key=itemgetter(0, 1))]


def bounded(findings: Iterable[Finding]) -> tuple[list[Finding], int]:
    """As many as a record holds, ranked, and the number of those left out."""
    listed = ranked(findings)
    return listed[:MAXIMUM_FINDINGS], len(listed[MAXIMUM_FINDINGS:])
