"""The data checks: a sound repository passes, and each planted defect is named with its place."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from assay.errors import UsageError
from assay.schema.data_docs import TAGS, self_contained
from schema_samples import SETTINGS, commit, edit, found, only
from schema_samples import check_with_pages as check


def test_sound_data_passes_with_only_known_warnings(sound: Path) -> None:
    """Nothing fails; an element the train set never shows is a warning with its line."""
    edit(sound, "candidates/list.csv", lambda lines: lines.append("c,PuF"))
    report = check(sound)
    assert report.passed
    assert report.executed >= 30
    assert {item.rule for item in report.findings} == {
        "formula.elements",
        "formula.missing",  # the sealed nitride of sodium, NaN
        "formula.oxidation",
    }
    nitride = only(report, "formula.missing")
    assert (nitride.formula, nitride.file) == ("NaN", "data/sealed_inputs.csv")
    [finding] = [item for item in report.findings if item.formula == "NaO"]
    assert (finding.line, finding.formula, finding.severity) == (3, "NaO", "warning")
    assert finding.file == "data/candidates/list.csv"


@pytest.mark.parametrize(
    ("table", "line", "row", "rule", "part"),
    [
        ("train.csv", 3, "t00002,LiXx,-0.2", "formula.readable", "'Xx', which is not an element"),
        ("train.csv", 3, "t00002,,-0.2", "formula.present", "no formula"),
        ("train.csv", 4, "t00003,LiI,abc", "target.number", "'abc', not a number"),
        ("train.csv", 4, 't00003,LiI,"-0,3"', "target.number", "decimal point"),
        ("train.csv", 4, "t00003,LiI,", "target.number", "not a number"),
        ("train.csv", 4, "t00003,LiI,nan", "target.number", "not a number"),
        ("train.csv", 4, "t00003,LiI,-inf", "target.finite", "not finite"),
        ("train.csv", 4, "t00003,LiI,7.5", "target.bounds", "outside of -5 to 5 eV/atom"),
        ("train.csv", 4, "x3,LiI,-0.3", "row_id.form", "t00001"),
        ("train.csv", 4, ",LiI,-0.3", "row_id.present", "no row_id"),
        ("train.csv", 31, "t00030,CsLi,-3", "", ""),
        ("train.csv", 31, "t00030,O3Ba2,-3", "leakage.system", "data/sealed_inputs.csv, line 26"),
        (
            "train.csv",
            31,
            "t00030,SBa,-3",
            "leakage.composition",
            "data/sealed_inputs.csv, line 27",
        ),
        ("train.csv", 31, "t00030,BaS1.01,-3", "leakage.near", "data/sealed_inputs.csv, line 27"),
        ("pool.csv", 3, "p00002,Na-1", "formula.readable", "not a chemical formula"),
        ("sealed_inputs.csv", 3, "s1,LiS", "row_id.form", "s00001"),
    ],
)
def test_a_planted_row_is_named(  # noqa: PLR0913
    sound: Path, *, table: str, line: int, row: str, rule: str, part: str
) -> None:
    """Each kind of bad row fails its own rule, with the file, the line and what to do."""
    edit(sound, table, lambda lines: lines.__setitem__(line - 1, row))
    report = check(sound)
    if not rule:
        assert report.passed  # a good row in the place of another is no failure
        return
    assert not report.passed
    finding = found(report, rule)[0]
    assert part in finding.message
    place = (f"data/{table}", line)
    assert (finding.file, finding.line) == place


def test_repeated_ids_are_named(sound: Path) -> None:
    """Both rows that share an id are found."""
    edit(
        sound, "train.csv", lambda lines: lines.__setitem__(5, lines[5].replace("t00005", "t00001"))
    )
    assert [finding.line for finding in found(check(sound), "row_id.unique")] == [2, 6]


def test_duplicates_must_agree(sound: Path) -> None:
    """Two spellings of a composition fail if they differ by more than the tolerance."""
    edit(sound, "train.csv", lambda lines: lines.append("t00031,Li2F2,-0.12"))
    report = check(sound)
    assert report.passed
    assert only(report, "formula.reduced").formula == "Li2F2"
    edit(sound, "train.csv", lambda lines: lines.append("t00032,FLi,-0.5"))
    lines = [finding.line for finding in found(check(sound), "duplicates.agree")]
    assert lines == [2, 32, 33]


def test_a_label_beside_sealed_inputs_fails(sound: Path) -> None:
    """A further column in the sealed inputs could hold the labels, and is refused."""
    path = sound / "data" / "sealed_inputs.csv"
    plain = pd.read_csv(path, keep_default_na=False)  # NaN is a nitride here
    plain.assign(y=1.0).to_csv(path, index=False)
    assert "formula, row_id, y" in only(check(sound), "columns").message


def test_a_label_under_the_name_of_a_derived_column_fails(sound: Path) -> None:
    """A column that the checks would overwrite cannot hide the labels from them."""
    path = sound / "data" / "sealed_inputs.csv"
    plain = pd.read_csv(path, keep_default_na=False)
    plain.assign(**{"chemical system": 1.0}).to_csv(path, index=False)
    with pytest.raises(UsageError, match=r"sealed_inputs\.csv has a column 'chemical system'"):
        check(sound)


def test_a_class_is_zero_or_one(sound: Path) -> None:
    """With a yes/no target any other number fails."""
    (sound / "assay.toml").write_text(SETTINGS.format(target='kind = "class"'))
    path = sound / "data" / "train.csv"
    frame = pd.read_csv(path)
    frame.assign(y=frame.index % 2).to_csv(path, index=False)
    assert check(sound).passed
    edit(sound, "train.csv", lambda lines: lines.__setitem__(7, "t00007,KF,0.5"))
    assert only(check(sound), "target.class").line == 8


def test_a_constant_target_fails(sound: Path) -> None:
    """A target that does not vary teaches nothing."""
    path = sound / "data" / "train.csv"
    pd.read_csv(path).assign(y=1.0).to_csv(path, index=False)
    assert only(check(sound), "target.varies").value == "1"


def test_findings_are_capped(sound: Path) -> None:
    """Thirty bad rows give twenty findings and a count."""
    path = sound / "data" / "train.csv"
    frame = pd.read_csv(path)
    frame.assign(y=frame["y"] + 100).to_csv(path, index=False)
    findings = found(check(sound), "target.bounds")
    assert len(findings) == 21
    assert [finding.count for finding in findings] == [1] * 20 + [10]
    assert findings[-1].message == "10 more rows break this rule; out/data_docs/rows.csv has all."


def test_all_rows_that_break_a_rule_are_in_a_table(sound: Path) -> None:
    """What the report leaves out stands in the table, row by row; a rule that holds does not."""
    path = sound / "data" / "train.csv"
    frame = pd.read_csv(path)
    frame.assign(y=frame["y"] + 100).to_csv(path, index=False)
    check(sound)
    rows = pd.read_csv(sound / "out" / "data_docs" / "rows.csv", dtype=str)
    broken = rows[rows["rule"] == "target.bounds"]
    assert len(broken) == 30
    assert set(broken["severity"] + broken["file"]) == {"failuredata/train.csv"}
    assert list(broken["formula"]) == [frame["formula"][int(line) - 2] for line in broken["line"]]
    assert "row_id.unique" not in set(rows["rule"])


def test_table_of_broken_rows_executes_nothing(sound: Path) -> None:
    """A formula that a spreadsheet would run is a text there."""
    edit(sound, "train.csv", lambda lines: lines.__setitem__(2, "t00002,=1+1,1"))
    check(sound)
    table = (sound / "out" / "data_docs" / "rows.csv").read_text()
    assert ",'=1+1\n" in table
    assert ",=1+1" not in table


class Parts(HTMLParser):
    """The tags, attributes and text of a page as a browser reads them."""

    def __init__(self, page: str) -> None:
        """Read the page through."""
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data


def body_of(page: str) -> Parts:
    """What of a page a table can have a part in: what follows our own head."""
    head, body = page.split("<body>")
    assert "default-src 'none'" in head
    return Parts(body)


def is_inert(page: str) -> bool:
    """Whether nothing in the body of a page runs, leads elsewhere, loads or has a style."""
    parts = body_of(page)
    return parts.tags <= TAGS and parts.attributes <= {"aria-hidden", "class", "hidden", "colspan"}


def test_hostile_text_reaches_neither_a_template_nor_the_page(sound: Path) -> None:
    """Braces, dollars and markup in cells and settings are shown as they stand."""
    target = 'unit = "{0.__class__} $x <b>"\nlower = -5.0\nupper = 5.0'
    (sound / "assay.toml").write_text(SETTINGS.format(target=target))
    cell = (
        "<script>alert(1)</script><img src=x onerror=alert(2)><a href=javascript:alert(3)>x</a>"
        "</div></td></table><b style=position:fixed>Succeeded</b>{value.__class__}$x&lt;"
    )
    edit(sound, "train.csv", lambda lines: lines.__setitem__(2, f"t00002,{cell},9"))
    finding = only(check(sound), "formula.readable")
    assert "<script>" in finding.message
    page = (sound / "out" / "data_docs" / "train.html").read_text()
    assert is_inert(page)
    assert cell in body_of(page).text
    assert page.count("<table") == page.count("</table>")


@pytest.mark.parametrize(
    "planted",
    [
        "<script>alert(1)</script>",
        "<scr<script></script>ipt>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
        "<div onmouseover=alert(1)>x</div>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="&#106;avascript:alert(1)">x</a>',
        '<b style="position:fixed;top:0">x</b>',
        "<style>body { display: none }</style>",
        '<div style="background:url(https://example.org)">x</div>',
        '<iframe srcdoc="&lt;script>alert(1)&lt;/script>"></iframe>',
        '<form action="https://example.org"><button>x</button></form>',
        '<meta http-equiv=refresh content="0;https://example.org">',
        '<link rel=stylesheet href="https://example.org">',
        '<base href="https://example.org">',
        "<!-- --><img src=x onerror=alert(1)>",
        "</body><body onload=alert(1)>",
        "<table><td background=https://example.org>x</td></table>",
    ],
)
def test_markup_that_reached_a_page_is_taken_out(planted: str) -> None:
    """Whatever stands in Great Expectations' page, the text around it stays and nothing acts."""
    page = f"<html><head></head><body><p>before</p>{planted}<p>after</p></body></html>"
    assert not is_inert(page.replace("<head>", "<head>default-src 'none'"))
    cleaned = self_contained(page, "title")
    assert is_inert(cleaned)
    assert {"before", "after"} <= set(re.findall(r"<p>(\w+)</p>", cleaned))


def test_the_pages_need_no_network(sound: Path) -> None:
    """Data Docs hold every suite and reference no remote script, style or picture."""
    check(sound)
    folder = sound / "out" / "data_docs"
    pages = {path.name: path.read_text() for path in folder.glob("*.html")}
    assert set(pages) == {
        "index.html",
        "train.html",
        "sealed_inputs.html",
        "pool.html",
        "candidates-1-list.html",
    }
    for name, page in pages.items():
        assert not re.search(r"(?:src|url)\s*[=(]\s*['\"]?https?:", page), name
        assert "<link" not in page
    assert "No sealed chemical system stands in the train set." in pages["train.html"]


def test_the_pages_tell_a_warning_from_a_failure(sound: Path) -> None:
    """A table with warnings alone has not failed on its page; one bad label makes it fail."""

    def status(name: str) -> str:
        page = (sound / "out" / "data_docs" / f"{name}.html").read_text()
        return " ".join(re.sub("<[^>]*>", " ", page.split("Status:")[1].split("</div>")[0]).split())

    edit(sound, "train.csv", lambda lines: lines.__setitem__(4, "t00004,Na2F2,-0.4"))
    check(sound)
    page = (sound / "out" / "data_docs" / "train.html").read_text()
    assert status("train") == "Holds, with 2 warnings and no failure"
    assert 'class="fas fa-times' not in page
    assert re.search(r"fa-exclamation-triangle[^>]*></i>\s*warning", page)
    assert status("pool") == "Succeeded"
    index = (sound / "out" / "data_docs" / "index.html").read_text()
    assert '<li class="warn"><a href="train.html">train</a>: holds, with warnings</li>' in index

    edit(sound, "train.csv", lambda lines: lines.__setitem__(5, "t00005,NaCl,7.5"))
    check(sound)
    page = (sound / "out" / "data_docs" / "train.html").read_text()
    assert status("train") == "Failed (1 failure, 2 warnings)"
    assert re.search(r"fa-times[^>]*></i>\s*failure", page)
    index = (sound / "out" / "data_docs" / "index.html").read_text()
    assert '<li class="fail"><a href="train.html">train</a>: failed</li>' in index


def test_an_unreadable_table_is_a_usage_error_and_leaves_the_pages(sound: Path) -> None:
    """A renamed column is one sentence, and the pages of the last run stay."""
    check(sound)
    edit(sound, "pool.csv", lambda lines: lines.__setitem__(0, "row_id,Formula"))
    with pytest.raises(UsageError, match=r"pool\.csv.*no column 'formula'"):
        check(sound)
    assert (sound / "out" / "data_docs" / "train.html").exists()
    assert [path.name for path in (sound / "out").iterdir()] == ["data_docs"]


def test_changes_against_main_are_shown(sound: Path) -> None:
    """One changed label warns with the old value; a tenth of the rows removed fails."""
    assert "main, which is not at hand" in check(sound).details
    commit(sound)
    assert "the train set of main" in check(sound).details
    edit(sound, "train.csv", lambda lines: lines.__setitem__(4, "t00004,NaF,-0.45"))
    report = check(sound)
    assert report.passed
    finding = only(report, "history.labels")
    assert (finding.line, finding.formula) == (5, "NaF")
    assert "is -0.45 here but -0.4 on main" in finding.message
    edit(sound, "train.csv", lambda lines: lines.__delitem__(slice(-3, None)))
    assert "3 are missing and 1 has another label" in only(check(sound), "history.rows").message


def test_another_unit_is_noticed(sound: Path) -> None:
    """The target in kJ/mol instead of eV fails the comparison of quartiles with main."""
    commit(sound)
    (sound / "assay.toml").write_text(SETTINGS.format(target=""))
    path = sound / "data" / "train.csv"
    frame = pd.read_csv(path)
    frame.assign(y=frame["y"] * 96.485).to_csv(path, index=False)
    report = check(sound)
    assert "check that the unit is the same" in only(report, "history.scale").message
    assert found(report, "history.rows")
