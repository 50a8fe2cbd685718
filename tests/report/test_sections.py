"""The comment's sections: what changed is told, and gives way where there is no room."""

import re
from dataclasses import replace
from pathlib import Path

from assay.report.comment import render_comment
from assay.report.images import Exhibit
from assay.report.inputs import ReportInputs
from assay.report.sections import reasons
from inert import assert_inert
from rendered import Rendered
from report_samples import checks, finding, proposal, settings


def test_what_changed_is_told(tmp_path: Path) -> None:
    """Rows added, removed and relabelled; the largest change; families; earlier verdicts."""
    comment = render_comment(proposal(tmp_path))
    assert "1 row added, 1 row removed, 1 row relabelled" in comment
    assert "| `t90000` | `Mg2Sn` | added | `0.125` |" in comment
    assert "| `t00009` | `H2O` | `" in comment
    assert "| removed |" in comment
    assert "| `t00004` | `LiFePO4` | `" in comment
    assert "| `7.25` |" in comment
    assert re.search(r"changed most \(`eV/atom`\): .*; `CeO2` \S+ → \S+, pool", comment)
    assert "environment lock `3f9a3f9a3f9a` main's is not at hand" in comment
    assert "Earlier verdicts: the last 1" in comment
    assert re.search(r"\| RMSE \(`eV/atom`\) \| 0.2 \| \d\S+ \|", comment)
    assert "alkali" in comment
    assert "┃" in comment


def test_changes_give_way_where_there_is_no_room(tmp_path: Path) -> None:
    """Sections are left out whole, and the comment is sound Markdown at any length."""
    inputs = proposal(tmp_path)
    lengths = set()
    for limit in range(1600, 9000, 400):
        comment = render_comment(inputs, limit)
        lengths.add(len(comment))
        assert len(comment) <= limit
        assert comment.count("<details>") == comment.count("</details>")
        assert comment.count("```") % 2 == 0
        assert_inert(comment)
    assert len(lengths) > 4


def test_unreadable_predictions_are_said(tmp_path: Path) -> None:
    """Where rows cannot be compared the comment says why, and shows the rest."""
    inputs = proposal(tmp_path)
    inputs.handover.predictions.write_text("row_id,prediction\n")
    comment = render_comment(ReportInputs(inputs.handover, settings(), tmp_path))
    assert "`Not drawn: predictions.csv lacks" in comment
    assert "1 row added" in comment


def test_failed_check_still_shows_what_changed(tmp_path: Path) -> None:
    """A pull request that is red for its data is told what it did to them, and no verdict."""
    comment = render_comment(proposal(tmp_path, schema=checks("schema", finding())))
    assert "1 row relabelled" in comment
    assert "PASS: " not in comment


def _exhibits(words: str = "MAE 0.1 eV/atom") -> list[Exhibit]:
    place = f"https://example.org/group/model/blob/{'a5' * 20}"
    return [Exhibit(f"{place}/{name}.png?raw=true", words) for name in ("parity", "residuals")]


def test_pictures_stand_where_drawings_did_and_these_are_folded(tmp_path: Path) -> None:
    """A reviewer sees pictures and opens the rest; the verdict is still in the first lines."""
    inputs = proposal(tmp_path)
    comment = render_comment(inputs, exhibits=_exhibits())
    assert any(line.startswith("### ✅ PASS") for line in comment.splitlines()[:12])
    parts = [
        "**What changed**", "**Errors** of the train rows", "parity.png", "residuals.png",
        "<details><summary>Errors by family, and residuals, as text</summary>",
        "**Errors by family**", "**Residuals**", "Rows added",
    ]  # fmt: skip
    places = [comment.index(part) for part in parts]
    assert places == sorted(places)
    seen = Rendered(comment)
    assert [dict(found)["alt"] for tag, found in seen.tags if tag == "img"] == [
        "MAE 0.1 eV/atom"
    ] * 2
    assert seen.triggers == []
    assert "**" not in seen.running
    assert_inert(comment)


def test_pictures_give_way_where_there_is_no_room(tmp_path: Path) -> None:
    """However short it must be, the comment keeps its limit and shows a picture whole or not."""
    inputs, shown = proposal(tmp_path), set()
    for limit in range(1600, 9000, 400):
        comment = render_comment(inputs, limit, _exhibits())
        assert len(comment) <= limit
        assert_inert(comment)
        shown.add(comment.count("<img"))
    assert shown == {0, 2}


def test_changed_labels_stand_before_the_verdict_with_their_reasons(tmp_path: Path) -> None:
    """Every label that is another number is shown, whatever the run says of it."""
    words = "formation_enthalpy of t00004 was -1 and is 7.25: misprint in table 2. Approve it."
    shown = finding(severity="warning", rule="corrections.shown", message=words)
    comment = render_comment(proposal(tmp_path, schema=checks("schema", shown)))
    assert comment.index("Labels changed: 1 row") < comment.index("### ✅ PASS")
    assert comment.index("Each changed label") < comment.index("### ✅ PASS")
    assert "1 listed with a reason" in comment
    assert "`misprint in table 2. Approve it.` |" in comment
    (tmp_path / "other").mkdir()
    without = render_comment(proposal(tmp_path / "other"))
    assert "0 listed with a reason" in without
    assert "none listed" in without


def test_a_reason_is_found_whatever_the_target_is_called(tmp_path: Path) -> None:
    """The words between a column and a row stand in names of targets as well."""
    words = "heat of formation of t00004 was -1 and is 7.25: misprint: 7, not 1."
    shown = finding(severity="warning", rule="corrections.shown", message=words)
    inputs = proposal(tmp_path, schema=checks("schema", shown))
    target = inputs.settings.target.model_copy(update={"column": "heat of formation"})
    settings = inputs.settings.model_copy(update={"target": target})
    assert reasons(replace(inputs, settings=settings)) == {"t00004": "misprint: 7, not 1."}


def test_families_that_got_worse_are_always_named(tmp_path: Path) -> None:
    """A loss on a family stands in the comment with its errors, rows and interval, worst first."""
    inputs = proposal(tmp_path)
    worse = [one for one in inputs.families if one.worse]
    assert worse
    comment = render_comment(inputs)
    table = comment.split("Worse by family, advisory")[1].split("\n\n")[1].splitlines()[2:]
    assert [line.split("|")[1].strip(" *") for line in table] == [one.family for one in worse]
    assert [one.growth for one in worse] == sorted((one.growth for one in worse), reverse=True)
    assert all(" to " in line or "one system" in line for line in table)
