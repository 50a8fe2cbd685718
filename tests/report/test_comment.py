"""The comment: what it says, and that text from a pull request stays text."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from assay.gate.remedies import Reason
from assay.records import Refusal
from assay.report import advice
from assay.report.comment import MARKER, render_comment, render_summary
from assay.report.figures import UNREAD, commit_status, gate_line, table
from assay.report.inputs import ReportInputs
from assay.report.page import render_page
from inert import HOSTILE, active, assert_inert
from rendered import Rendered
from report_samples import (
    Tags,
    card,
    checks,
    finding,
    hand_over,
    proposal,
    settings,
    verdict,
)


def _inputs(folder: Path, **records: Any) -> ReportInputs:
    return ReportInputs(hand_over(folder, **records), settings())


def test_comment_says_verdict_reason_and_public_numbers(tmp_path: Path) -> None:
    """A reviewer finds the verdict in the first line and public numbers told apart from sealed."""
    comment = render_comment(_inputs(tmp_path))
    lines = comment.splitlines()
    assert lines[0] == MARKER
    assert lines[1] == "### ✅ PASS: confirmed on the sealed set"
    assert "public, out-of-fold on the train set" in comment
    assert "| MAE (`eV/atom`) | 0.1012 | 0.102 |" in comment
    assert "0.0031" in comment
    assert "Not sealed" not in comment


def test_gate_line_is_the_fixed_template() -> None:
    """The line holds what the gate's template allows, in its order, and nothing more."""
    assert gate_line(verdict()) == (
        "Gate: PASS (confirmed on the sealed set) | claim no-regression, margin 0.005 eV/atom"
        " | sealed set 3f9a3f9a n=3000, 766 groups"
        " | sealed use 14/100, failed confirmations 1/5, level 4.8e-06"
        " | train MAE 0.1012 vs 0.102 (public)"
    )


@pytest.mark.parametrize(
    ("records", "start", "state"),
    [
        ({}, "PASS: confirmed on the sealed set", "success"),
        (
            {"verdict": verdict(outcome="FAIL", stage="public", explanation="a worse model")},
            "FAIL: a worse model",
            "failure",
        ),
        (
            {"verdict": verdict(outcome="INCONCLUSIVE", explanation="not confirmed")},
            "INCONCLUSIVE: not confirmed",
            "failure",
        ),
        (
            {"schema": checks("schema", *[finding()] * 30), "verdict": None},
            "Not scored: 1 data check failed",
            "failure",
        ),
        (
            {"schema": checks("schema", finding(), finding(rule="columns")), "verdict": None},
            "Not scored: 2 data checks failed",
            "failure",
        ),
        (
            {
                "schema": checks("schema", finding()),
                "sanity": checks("sanity", finding(rule="test_a"), finding(rule="test_b")),
                "verdict": None,
            },
            "Not scored: 1 data check failed and 2 sanity properties failed",
            "failure",
        ),
        (
            {"sanity": checks("sanity", finding())},
            "Not scored: 1 sanity property failed",
            "failure",
        ),
        (
            {"verdict": None},
            "ERROR: the benchmark could not be carried out; this says nothing about the model",
            "error",
        ),
        ({"schema": None}, "ERROR: the data checks could not be carried out", "error"),
        ({"candidate": None}, "ERROR: the training could not be carried out", "error"),
        ({"sanity": checks("sanity", executed=0)}, "ERROR: the sanity checks could not", "error"),
    ],
)
def test_headline_and_status_agree(
    tmp_path: Path, records: dict[str, Any], start: str, state: str
) -> None:
    """Only a PASS whose every check ran and held is a success; a crash is never a verdict."""
    inputs = _inputs(tmp_path, **records)
    assert commit_status(inputs)[0] == state
    assert commit_status(inputs)[1].startswith(start)
    assert start in render_comment(inputs).splitlines()[1]


def test_what_waits_for_a_person_is_pending(tmp_path: Path) -> None:
    """A pull request that may not spend what is kept is neither red nor green, unless it is bad."""
    waiting = verdict().model_copy(
        update={"outcome": "INCONCLUSIVE", "stage": "public", "waits_for": "a maintainer"}
    )
    state, told = commit_status(_inputs(tmp_path, verdict=waiting))
    assert (state, told.startswith("waits for a maintainer: ")) == ("pending", True)
    broken = _inputs(tmp_path, verdict=waiting, sanity=checks("sanity", finding()))
    assert commit_status(broken)[0] == "failure"


def test_failed_check_hides_a_verdict(tmp_path: Path) -> None:
    """A verdict that lies about beside a failed check is not shown at all."""
    comment = render_comment(_inputs(tmp_path, sanity=checks("sanity", finding())))
    assert "PASS" not in comment
    assert "Gate:" not in comment


def test_unreadable_record_is_an_error_not_a_verdict(tmp_path: Path) -> None:
    """A record with an unknown field, or that is a link, counts as not handed over."""
    inputs = _inputs(tmp_path)
    inputs.handover.sanity.write_text('{"check": "sanity", "executed": 7, "passed": true}')
    assert commit_status(inputs)[0] == "error"
    other = ReportInputs(inputs.handover, settings())
    other.handover.sanity.unlink()
    other.handover.sanity.symlink_to(other.handover.schema)
    assert commit_status(other)[0] == "error"


def test_record_of_the_other_check_does_not_count(tmp_path: Path) -> None:
    """The data checks' record handed over in the place of the sanity checks' is refused."""
    assert commit_status(_inputs(tmp_path, sanity=checks("schema")))[0] == "error"


def test_open_labels_are_said(tmp_path: Path) -> None:
    """While labels lie open, every verdict says so, and how to seal them."""
    comment = render_comment(_inputs(tmp_path, verdict=verdict(sealed=False)))
    assert "labels are not sealed yet" in comment.splitlines()[1]
    assert "NOT SEALED" in comment
    assert "`assay init`" in comment


def test_falsified_property_is_told_once(tmp_path: Path) -> None:
    """One item has the composition that breaks it, the value and the rule; below it the command."""
    node = "tests/test_model.py::test_order"
    broken = finding(
        rule="test_order", formula="TlBr", value="0.3", message="0.3 apart", node=node,
        example="@reproduce_failure('1', b'A')",
    )  # fmt: skip
    comment = render_comment(_inputs(tmp_path, sanity=checks("sanity", broken), verdict=None))
    item = "- **failure** `TlBr` value `0.3` · `0.3 apart` · `test_order`"
    shown = "to see exactly this example, decorate it with `@reproduce_failure('1', b'A')`"
    assert f"{item}\n  - run `pytest -p assay.sanity.plugin {node}`; {shown}\n" in comment
    assert comment.count("TlBr") == comment.count("0.3 apart") == 1
    assert_inert(comment)


def test_rules_are_counted_and_so_are_places(tmp_path: Path) -> None:
    """Thirty broken rows are one failed rule in thirty places, also if some are only counted."""
    rows = [finding(line=line + 2) for line in range(20)]
    counted = finding(message="10 more rows break this rule", count=10)
    warned = [finding(rule="columns", severity="warning")] * 6
    inputs = _inputs(tmp_path, schema=checks("schema", *rows, counted, *warned, executed=45))
    said = "45 rules checked: 1 failed in 30 places, 1 with warnings"
    assert table(inputs)[0].what == said
    assert "· `finite target` and 29 more of this rule" in render_comment(inputs)
    assert (
        "rules checked: 1 failed"
        in table(_inputs(tmp_path / "b", schema=checks("schema", finding())))[0].what
    )


def test_no_rule_hides_another(tmp_path: Path) -> None:
    """Of a rule with many rows the first is told, then every other rule, and then the rest."""
    many = [finding(rule="target.bounds", line=line + 2, file="t.csv") for line in range(30)]
    late = [finding(rule=f"rule {number}") for number in range(3)]
    broken = finding(rule="test_order")
    inputs = _inputs(
        tmp_path, schema=checks("schema", *many, *late), sanity=checks("sanity", broken)
    )
    opened = render_comment(inputs).split("<details>")[0]
    items = [line for line in opened.splitlines() if line.startswith("- **failure**")]
    ends = [item.split(" · ")[-1] for item in items[:6]]
    assert ends == [
        "`target.bounds` and 29 more of this rule", "`rule 0`", "`rule 1`", "`rule 2`",
        "`test_order`", "`target.bounds`",
    ]  # fmt: skip
    assert len(items) == 10
    page = render_page(inputs)
    assert page.count("29 more of this rule") == 1
    assert page.index("rule 2") < page.index("t.csv:3<")


def test_findings_beyond_the_record_are_counted(tmp_path: Path) -> None:
    """What the record had no room for is told; a number of rules that may be too small says so."""
    full = checks("sanity", *[finding(rule=f"test_{number}") for number in range(1000)])
    told = _inputs(tmp_path, sanity=full.model_copy(update={"unlisted": 234}), verdict=None)
    assert "Not scored: at least 1,000 sanity properties failed" in render_comment(told)
    for report in (render_comment(told), render_page(told)):
        assert "at least 1,000 failed; 234 further findings not listed" in report
    rows = checks("schema", *[finding()] * 3).model_copy(update={"unlisted": 1})
    told = _inputs(tmp_path / "b", schema=rows, verdict=None)
    assert "Not scored: 1 data check failed" in render_comment(told)
    assert "1 failed in 3 places; 1 further finding not listed" in render_comment(told)
    silent = render_comment(_inputs(tmp_path / "c", sanity=full, verdict=None))
    assert "at least" not in silent
    assert "not listed" not in silent


@pytest.mark.parametrize(
    "unit", ["10^-6", "°C", "Å", "eV/atom", "m_e", "W/(m*K)", "$\\mu$", "%", "a|b"]
)
def test_units_are_shown_as_they_are(tmp_path: Path, unit: str) -> None:
    """Wherever the comment has a unit it is code: Markdown takes nothing from it."""
    figures = [verdict().figures[0].model_copy(update={"unit": unit})]
    record = verdict(unit=unit).model_copy(update={"figures": figures})
    inputs = proposal(tmp_path, verdict=record, candidate=card(unit=unit))
    vars(inputs)["settings"] = settings(unit=unit)
    shown = unit.replace("|", "¦")
    comment = render_comment(inputs)
    for name in (
        "| MAE", "| RMSE", "Mean change of predictions on the pool", "that changed most",
        "**Errors by family**: MAE", "predicted minus measured", "Train rows, out of fold", "Pool",
    ):  # fmt: skip
        assert f"{name} (`{shown}`)" in comment, name
    outside = re.sub(r"`[^`]*`", "", comment.replace("```", ""))
    assert unit not in outside or unit in {"%", "Å"}
    assert Rendered(comment).triggers == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(tmp_path: Path, text: str) -> None:
    """Whatever a pull request writes into any field, nothing of it is markup, link or mention."""
    hostile = finding(message=text, formula=text, file=text, rule=text, value=text, line=3)
    inputs = _inputs(
        tmp_path,
        schema=checks("schema", *[hostile] * 15).model_copy(update={"details": text}),
        sanity=checks("sanity", hostile),
        candidate=card(estimator=text, correlation_id=text, commit=text, model=text),
    )
    assert_inert(render_comment(inputs))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_card_is_inert_beside_a_verdict(tmp_path: Path, text: str) -> None:
    """The same where a verdict is shown; the table keeps its three columns."""
    inputs = _inputs(
        tmp_path,
        schema=checks("schema").model_copy(update={"details": text}),
        candidate=card(estimator=text),
        verdict=verdict(explanation=text),
    )
    comment = render_comment(inputs)
    rows = [line for line in comment.splitlines() if line.startswith("| **")]
    assert [line.count("|") for line in rows] == [4] * 4
    text_of = "".join(token.content for token in active(comment) if token.type == "text")
    assert "@" not in text_of
    assert "://" not in text_of
    assert comment.count(MARKER) == 1


def test_the_check_for_inert_text_bites() -> None:
    """The same text outside of code is caught by the assertion used above."""
    for text in HOSTILE[:5]:
        with pytest.raises(AssertionError):
            assert_inert(f"{MARKER}\n### PASS\n\n- **failure** {text}\n")


def test_long_comment_is_cut_with_a_note(tmp_path: Path) -> None:
    """However much was found, the comment keeps GitHub's limit, its head, and says what is left."""
    wordy = finding(message="x" * 1500, file="data/train.csv", line=1, formula="Fe2O3")
    many = checks("schema", *[wordy] * 1000, executed=1000)
    inputs = _inputs(tmp_path, schema=many, verdict=None)
    comment = render_comment(inputs)
    assert 50_000 < len(comment) < 60_000
    assert "Not scored: 1 data check failed" in comment
    shown = comment.count("- **failure**")
    assert f"{1000 - shown} more not shown" in comment
    assert comment.count("<details>") == comment.count("</details>") == 1
    assert_inert(comment)


@pytest.mark.parametrize("limit", range(1500, 9000, 500))
def test_every_limit_is_kept(tmp_path: Path, limit: int) -> None:
    """Wherever the cut falls, folds are closed and no finding is lost from the count."""
    sample = [finding(message=f"number {i} " + "y" * 150) for i in range(40)]
    inputs = _inputs(tmp_path, schema=checks("schema", *sample), verdict=None)
    comment = render_comment(inputs, limit)
    assert len(comment) <= limit
    assert comment.count("<details>") == comment.count("</details>")
    shown = comment.count("- **failure**")
    assert shown == 40 or f"{40 - shown} more not shown" in comment


def test_failures_are_open_and_warnings_folded(tmp_path: Path) -> None:
    """Up to ten failures stand open; warnings, which ask for no action, are folded."""
    mixed = [finding(severity="warning")] * 9 + [finding(file="data/pool.csv", line=4)] * 4
    comment = render_comment(_inputs(tmp_path, schema=checks("schema", *mixed)))
    opened, folded = comment.split("<details>")
    assert opened.count("- **failure** `data/pool.csv:4`") == 4
    assert "- **warning**" not in opened
    assert folded.count("- **warning**") == 9


def test_warnings_that_main_has_stand_apart(tmp_path: Path) -> None:
    """What the change brings comes first and is counted as new; main's own follow below."""
    old = [finding(severity="warning", rule="r", message="old", on_main=True, count=7)] * 2
    new = [finding(severity="warning", rule="r", message="new", on_main=False)]
    handover = hand_over(tmp_path, schema=checks("schema", *old, *new))
    text = render_comment(ReportInputs(handover, settings()))
    assert "Findings: no failure, 1 new warning, 2 that main has, too" in text
    brought, standing = text.split("**Main has these, too**")
    assert ("`new`" in brought, "`old`" in brought) == (True, False)
    assert standing.count("`old`") == 2
    assert "and 7 more of this rule" in standing
    assert "12 rules checked, 1 with warnings ·" not in text
    only = checks("schema", *old)
    handover = hand_over(tmp_path, schema=only)
    text = render_comment(ReportInputs(handover, settings()))
    assert "Findings: no failure, no new warning, 2 that main has, too" in text
    assert "1 with warnings, 1 of them as on main" in text


def test_summary_is_the_comment_without_marker(tmp_path: Path) -> None:
    """The job summary has the comment's content; the marker is for comments alone."""
    inputs = _inputs(tmp_path)
    assert f"{MARKER}\n{render_summary(inputs)}" == render_comment(inputs)


def test_link_is_shown_only_if_it_is_one(tmp_path: Path) -> None:
    """The run's address becomes a link; anything else is left out."""
    handover = hand_over(tmp_path)
    good = ReportInputs(handover, settings(), url="https://example.org/runs/1")
    assert "(https://example.org/runs/1)" in render_comment(good)
    for bad in ("javascript:alert(1)", "https://example.org/) [x](", "/runs/1"):
        assert "Run and report page" not in render_comment(
            ReportInputs(handover, settings(), url=bad)
        )


@pytest.mark.parametrize(
    ("records", "parts", "told"),
    [
        ({}, [], ""),
        ({"schema": checks("schema", finding()), "candidate": None, "sanity": None},
         ["Data schema"], "correct the first row listed"),
        ({"schema": None}, ["Data schema"], "the job Schema ended"),
        ({"candidate": None, "sanity": None, "verdict": None}, ["Candidate"], "the job Candidate"),
        ({"sanity": checks("sanity", finding())}, ["Sanity"], "`assay check`"),
        ({"verdict": None}, ["Benchmark"], "the log of the step Score"),
        ({"verdict": verdict(outcome="FAIL", stage="public")}, ["Benchmark"], "`assay score`"),
        ({"verdict": verdict(outcome="FAIL", stage="revoked")}, ["Benchmark"], "another model"),
        ({"verdict": verdict(outcome="INCONCLUSIVE", stage="public")},
         ["Benchmark"], "`assay plan`"),
        ({"verdict": verdict(outcome="INCONCLUSIVE", stage="sealed")}, ["Benchmark"], "each costs"),
        ({"verdict": verdict(outcome="INCONCLUSIVE", stage="retired")}, ["Benchmark"],
         "`assay seal renew TABLE`"),
    ],
)  # fmt: skip
def test_whatever_is_red_says_the_one_thing_to_do(
    tmp_path: Path, records: dict[str, Any], parts: list[str], told: str
) -> None:
    """The first part that is not as it should be says what to do, in the first lines, and no other.

    What only waits for it asks for nothing.
    """
    inputs = _inputs(tmp_path, **records)
    assert [row.part for row in table(inputs) if row.todo] == parts
    head = render_comment(inputs).splitlines()[2:4]
    said = [line for line in head if line.startswith("**Next:** ")]
    assert bool(said) == bool(told)
    assert told in "".join(said)


REASONS = get_args(Reason)


def _undecided(tmp_path: Path, **found: Any) -> list[str]:
    """The comment's two lines on a model of which the public rows decide nothing."""
    record = verdict(outcome="INCONCLUSIVE", stage="public", explanation="so it is", **found)
    head = render_comment(_inputs(tmp_path, verdict=record)).splitlines()[2:4]
    assert [line.split(":")[0] for line in head] == ["**This means", "**Next"]
    assert f"This means: {advice.meaning(record)}." in Tags(render_page(
        _inputs(tmp_path, verdict=record))).text  # fmt: skip
    return head


def test_every_reason_for_deciding_nothing_has_its_own_words(tmp_path: Path) -> None:
    """Each reason of the gate has its own meaning and its own next step."""
    told = [tuple(_undecided(tmp_path, reason=reason)) for reason in REASONS]
    assert len({meaning for meaning, _ in told}) == len({todo for _, todo in told}) == len(REASONS)
    # a record of an older version has no reason
    assert len(_undecided(tmp_path)) == 2


@pytest.mark.parametrize("claim", ["no-regression", "improvement"])
@pytest.mark.parametrize("found", [0.09, 0.12])
def test_what_was_found_is_said_as_it_is(tmp_path: Path, claim: str, found: float) -> None:
    """A gain is spoken of where one was claimed; larger and smaller errors are called that."""
    told = {"claim": claim, "candidate_error": found, "reason": "headroom"}
    meaning, todo = _undecided(tmp_path, **told, further_rows=40, further_groups=21)
    assert ("gain" in meaning + todo) == (claim == "improvement")
    if claim == "no-regression":
        assert ("smaller" in meaning) == (found < 0.1020)
        assert ("larger public error" in meaning) == (found > 0.1020)


def test_what_would_decide_is_said_in_numbers(tmp_path: Path) -> None:
    """Further rows and groups, and a margin with its unit, as far as each would decide."""
    _, todo = _undecided(
        tmp_path, reason="headroom", further_rows=412, further_groups=130, margin_needed=0.0231
    )
    assert all(number in todo for number in ("412", "130", "0.023 eV/atom"))
    _, todo = _undecided(tmp_path, reason="headroom", margin_needed=0.0231)
    assert "0.023" in todo
    assert "further" not in todo
    _, todo = _undecided(tmp_path, reason="carriers", further_rows=412, further_groups=130)
    assert "130" in todo


def test_a_pass_or_a_fail_has_no_meaning_but_its_word(tmp_path: Path) -> None:
    """Only INCONCLUSIVE is explained, and not where a failed check hides the verdict."""
    undecided = verdict(outcome="INCONCLUSIVE", explanation="not confirmed on the sealed set")
    assert "that the model is worse" in render_comment(_inputs(tmp_path, verdict=undecided))
    failed = {"schema": checks("schema", finding()), "verdict": undecided}
    for records in ({}, {"verdict": verdict(outcome="FAIL", stage="public")}, failed):
        assert "**This means:**" not in render_comment(_inputs(tmp_path, **records))


def test_what_did_not_run_says_what_it_waits_for(tmp_path: Path) -> None:
    """Behind a part that does not hold nothing looks broken; in front of it, it is told."""
    lost = {"schema": None, "candidate": None, "sanity": None, "verdict": None}
    first, *rest = table(_inputs(tmp_path, **lost))
    assert "missing or cannot be read" in first.what
    assert [row.what for row in rest] == ["waits for Data schema"] * 3


def test_what_said_something_does_not_wait(tmp_path: Path) -> None:
    """Behind a lost part, one that left a word is told in it, and an empty check as such."""
    lost = {"schema": None, "candidate": None, "sanity": checks("sanity", executed=0)}
    inputs = _inputs(tmp_path, **lost, verdict=None)
    Refusal(said=UNREAD, exit_code=3).write(inputs.handover.refusal("candidate"))
    _, candidate, sanity, benchmark = table(ReportInputs(inputs.handover, settings()))
    assert (candidate.what, candidate.quoted) == ("", UNREAD)
    assert sanity.what == "no property was checked"
    assert benchmark.what == "waits for Data schema"


@pytest.mark.parametrize(
    ("part", "record", "told"),
    [
        ("schema", "schema", "`assay schema`"),
        ("candidate", "candidate", "`assay train`"),
        ("sanity", "sanity", "`assay check`"),
        ("score", "verdict", "the job Score again"),
    ],
)
def test_a_refusal_is_told_in_its_own_words(
    tmp_path: Path, part: Any, record: str, told: str
) -> None:
    """What was not carried out says why in the table, and nothing of an earlier time stands."""
    inputs = _inputs(tmp_path)
    why = "assay.toml: sanity.exampels is no key; take it out"
    Refusal(said=why, exit_code=2).write(inputs.handover.refusal(part))
    fresh = ReportInputs(inputs.handover, settings())
    comment = render_comment(fresh)
    assert getattr(fresh, record) is None
    assert commit_status(fresh)[0] == "error"
    assert told in comment.splitlines()[2]
    assert sum(f"`{why}`" in line for line in comment.splitlines()) == 1
    assert why in render_page(fresh)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_refusal_is_inert(tmp_path: Path, text: str) -> None:
    """An error's own words are a pull request's: they stay text, in the cells of one row."""
    inputs = _inputs(tmp_path, schema=None)
    Refusal(said=text, exit_code=2).write(inputs.handover.refusal("schema"))
    comment = render_comment(inputs)
    assert_inert(comment)
    rows = [line for line in comment.splitlines() if line.startswith("| **")]
    assert [line.count("|") for line in rows] == [4] * 4


def test_details_say_what_was_compared(tmp_path: Path) -> None:
    """Beside the number of rules stands what they were held against, on one line and cut."""
    report = checks("schema").model_copy(update={"details": "5 tables,\ncompared with main"})
    inputs = _inputs(tmp_path, schema=report)
    assert "12 rules checked · `5 tables, compared with main` |" in render_comment(inputs)
    assert "5 tables,\ncompared with main" in render_page(inputs)
    long = report.model_copy(update={"details": "x" * 2000})
    assert "x" * 500 not in render_comment(_inputs(tmp_path / "b", schema=long))


def test_findings_name_their_rule(tmp_path: Path) -> None:
    """The rule stands with what it found, since its severity is set by this name."""
    broken = finding(rule="target.finite", message="row t3 is no number")
    comment = render_comment(_inputs(tmp_path, schema=checks("schema", broken)))
    assert "`row t3 is no number` · `target.finite`" in comment


def test_order_is_what_a_reviewer_asks_for(tmp_path: Path) -> None:
    """Verdict, checks, gate, figures, what changed, errors, folds, provenance."""
    broken = checks("schema", finding(severity="warning"))
    comment = render_comment(proposal(tmp_path, schema=broken))
    parts = [
        "### ✅ PASS", "**Data schema**", "**Sanity**", "**Benchmark**", "`Gate:", "| MAE",
        "Findings: no failure, 1 warning", "**What changed**", "**Errors by family**",
        "**Residuals**", "Rows added", "Largest changes", "Earlier verdicts", "correlation id",
    ]  # fmt: skip
    places = [comment.index(part) for part in parts]
    assert places == sorted(places)


def test_cut_comment_links_to_the_page(tmp_path: Path) -> None:
    """What is not shown is one click away."""
    wordy = checks("schema", *[finding(message="x" * 1500)] * 400, executed=400)
    handover = hand_over(tmp_path, schema=wordy, verdict=None)
    comment = render_comment(ReportInputs(handover, settings(), url="https://example.org/runs/1"))
    assert "more not shown here: [the report page](https://example.org/runs/1)" in comment


def test_usual_comment_is_short_and_valid(tmp_path: Path) -> None:
    """With everything shown it is a few screens; GitHub's renderer sees no raw mark-up in it."""
    comment = render_comment(proposal(tmp_path))
    assert len(comment) < 12_000
    seen = Rendered(comment)
    assert seen.triggers == []
    assert "**" not in seen.running
    assert "| " not in seen.running
