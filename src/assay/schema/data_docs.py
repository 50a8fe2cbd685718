"""Great Expectations: its suites run, and its Data Docs as pages that need no network."""

import html
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nh3
import pandas as pd
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.render import RenderedStringTemplateContent, RenderedTableContent
from great_expectations.render.renderer.content_block import (
    ValidationResultsTableContentBlockRenderer,
)
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

from assay.files import replaced_folder
from assay.schema.rules import FORMULA
from assay.tables import for_spreadsheets
from assay.texts import plural

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

    from assay.schema.rules import Rule, Table

_TRIANGLE = ["fas", "fa-exclamation-triangle", "text-warning"]
_CROSS = ["fas", "fa-times", "text-danger"]
Outcome = tuple["Table", list["Rule"], "list[ExpectationValidationResult]"]

# The policy lets the page fetch nothing and run nothing, whatever is left of a cell of a table.
HEAD = """<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { font: 15px/1.45 sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: .5rem 0 }
td, th { border: 1px solid #bbb; padding: .25rem .6rem; text-align: left; vertical-align: top }
td { overflow-wrap: break-word }
.sticky { display: none }
.ge-section { clear: both; margin-bottom: 30px; padding-bottom: 20px }
.show-scrollbars { max-height: 80vh; overflow: auto }
.fas, .fa { font-style: normal }
.pass::before, .fa-check-circle::before { content: "\\2713  "; color: #187a2f }
.fail::before, .fa-times::before { content: "\\2717  "; color: #b3261e }
.warn::before, .fa-exclamation-triangle::before { content: "\\26A0  "; color: #8a6100 }
</style>"""
# What the pages are made of, without links: those lead to pages that are not kept.
TAGS = {"br", "code", "div", "hr", "li", "ol", "p", "pre", "span", "ul"} | {
    *("b", "em", "h4", "h5", "h6", "i", "strong"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}
ATTRIBUTES = {"*": {"aria-hidden", "class", "hidden"}, "td": {"colspan"}, "th": {"colspan"}}
DROPPED = {"footer", "nav", "script", "style", "title"}  # with what is in them
_STATES = {"pass": "", "warn": ": holds, with warnings", "fail": ": failed"}
BROKEN = Path("data_docs") / "rows.csv"  # in the folder of what a run writes
COLUMNS = ["rule", "severity", "file", "line", "formula"]


class WeighedTable(ValidationResultsTableContentBlockRenderer):
    """A column's expectations: beside each that does not hold stands `warning` or `failure`.

    What a table holds is shown as it stands there; Great Expectations takes it for HTML.
    """

    @classmethod
    def _get_content_block_fn(
        cls, expectation_type: str, expectation_config: Any = None
    ) -> Callable[..., Any] | None:
        made: Any = super()._get_content_block_fn(expectation_type, expectation_config)

        def row(*, result: Any = None, **options: Any) -> Any:
            [[status, *cells]] = made(result=result, **options)
            return [[status if result.success else _status(result), *map(_as_text, cells)]]

        return row


class WeighedPage(ValidationResultsPageRenderer):
    """A table's page: it has failed only if an expectation failed that is no warning."""

    def __init__(self, data_context: Any = None) -> None:
        """Render the expectations of each column by `WeighedTable`."""
        table = {"class_name": WeighedTable.__name__, "module_name": __name__}
        section = {"class_name": "ValidationResultsColumnSectionRenderer", "table_renderer": table}
        super().__init__(column_section_renderer=section, data_context=data_context)

    @classmethod
    def _render_validation_header(cls, validation_results: Any) -> Any:
        made: Any = super()._render_validation_header(validation_results)
        failed, warned = _counts(validation_results)
        if failed or warned:
            told = made.subheader.string_template["params"]
            icon = " ".join(_CROSS if failed else _TRIANGLE)
            told["html_success_icon"] = f'<i class="{icon}" aria-hidden="true"></i>'
            told["success"] = (
                f"Failed ({plural(failed, 'failure')}, {plural(warned, 'warning')})"
                if failed
                else f"Holds, with {plural(warned, 'warning')} and no failure"
            )
        return made

    @classmethod
    def _render_validation_statistics(cls, validation_results: Any) -> Any:
        made: Any = super()._render_validation_statistics(validation_results)
        failed, warned = _counts(validation_results)
        holding = len(validation_results.results) - failed - warned
        made.table = [
            ["Expectations", len(validation_results.results)],
            ["hold", holding],
            ["do not hold: failures", failed],
            ["do not hold: warnings, which stop nothing", warned],
        ]
        return made


def _counts(validation_results: Any) -> tuple[int, int]:
    broken = [result for result in validation_results.results if not result.success]
    warned = sum(_is_warning(result) for result in broken)
    return len(broken) - warned, warned


def _is_warning(result: Any) -> bool:
    return bool(result.expectation_config.severity == FailureSeverity.WARNING)


def _as_text(cell: Any) -> Any:
    """The cell of a page with each text in it escaped, wherever it stands."""
    if isinstance(cell, str):
        return html.escape(cell)
    if isinstance(cell, list):
        return [_as_text(one) for one in cell]
    if isinstance(cell, RenderedTableContent):
        cell.table = _as_text(cell.table)
    return cell


def _status(result: Any) -> RenderedStringTemplateContent:
    word, icon = ("warning", _TRIANGLE) if _is_warning(result) else ("failure", _CROSS)
    return RenderedStringTemplateContent(
        content_block_type="string_template",
        string_template={
            "template": "$icon $word",
            "params": {"icon": "", "word": word},
            "styling": {"params": {"icon": {"classes": icon, "tag": "i"}}},
        },
    )


def validated_tables(
    suites: "Iterable[tuple[Table, list[Rule]]]", folder: Path
) -> Iterator[Outcome]:
    """Validate each table against its rules, in turn; then write the pages to `folder`.

    Yields:
        table, rules, and one validation result a rule, in the order of the rules.
    """
    context, verdicts = _context(), []
    for table, rules, results in _outcomes(context, suites):
        verdicts.append((table.name, _state(results)))
        yield table, rules, results
    with replaced_folder(folder) as temporary:
        _build(context, temporary, verdicts)


def validated(suites: "Iterable[tuple[Table, list[Rule]]]") -> Iterator[Outcome]:
    """The same without pages."""
    return _outcomes(_context(), suites)


def _outcomes(context: Any, suites: "Iterable[tuple[Table, list[Rule]]]") -> Iterator[Outcome]:
    source = context.data_sources.add_pandas("repository")
    for table, rules in suites:
        yield table, rules, _validate(context, source, table, rules)


def _state(results: "list[ExpectationValidationResult]") -> str:
    from great_expectations.expectations.metadata_types import FailureSeverity

    broken = [one.expectation_config for one in results if not one.success]
    failed = any(one is None or one.severity != FailureSeverity.WARNING for one in broken)
    return "fail" if failed else "warn" if broken else "pass"


def _context() -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    configuration = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=configuration)


def _validate(
    context: Any, source: Any, table: "Table", rules: "list[Rule]"
) -> "list[ExpectationValidationResult]":
    import great_expectations as gx

    for rule in rules:
        rule.expectation.meta = {"rule": rule.name}
    suite = gx.ExpectationSuite(table.name, expectations=[rule.expectation for rule in rules])
    asset = source.add_dataframe_asset(table.name)
    definition = gx.ValidationDefinition(
        name=table.name,
        data=asset.add_batch_definition_whole_dataframe("rows"),
        suite=context.suites.add(suite),
    )
    result = context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": table.frame},
        result_format={"result_format": "COMPLETE", "return_unexpected_index_query": False},
    )
    order = {rule.name: position for position, rule in enumerate(rules)}
    return sorted(result.results, key=lambda r: order[r.expectation_config.meta["rule"]])


def _build(context: Any, folder: Path, verdicts: list[tuple[str, str]]) -> None:
    context.add_data_docs_site(
        site_name="pages",
        site_config={
            "class_name": "SiteBuilder",
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder / "site"),
            },
            "site_section_builders": {
                "validations": {
                    "renderer": {
                        "module_name": "assay.schema.data_docs",
                        "class_name": "WeighedPage",
                    }
                }
            },
        },
    )
    context.build_data_docs()
    for name, _ in verdicts:
        [page] = (folder / "site" / "validations" / name).rglob("*.html")
        text = page.read_text(encoding="utf-8")
        (folder / f"{name}.html").write_text(self_contained(text, name), encoding="utf-8")
    shutil.rmtree(folder / "site")
    (folder / "index.html").write_text(_index(verdicts), encoding="utf-8")


def self_contained(page: str, title: str) -> str:
    """The page with plain text, tables and icons alone: no script, style, link or picture."""
    body = nh3.clean(page, tags=TAGS, attributes=ATTRIBUTES, clean_content_tags=DROPPED)
    return _page(title, body)


def _page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>\n<meta charset="utf-8">\n{HEAD}\n'
        f"<title>{html.escape(title)}</title></head>\n<body>{body}</body></html>\n"
    )


def _index(verdicts: list[tuple[str, str]]) -> str:
    items = "\n".join(
        f'<li class="{state}"><a href="{html.escape(name)}.html">{html.escape(name)}</a>'
        f"{_STATES[state]}</li>"
        for name, state in verdicts
    )
    return _page("Data checks", f"<h1>Data checks</h1>\n<ul>\n{items}\n</ul>")


def broken_rows(outcomes: "Sequence[Outcome]") -> pd.DataFrame:
    """One row for each row of a table and each rule that it breaks, as text.

    `line` is empty where the rows stand in no file. Nothing in it is executed by a spreadsheet.
    """
    found = []
    for table, rules, results in outcomes:
        severities = {rule.name: rule.severity for rule in rules}
        for result in results:
            name = result.expectation_config.meta["rule"]
            for row in sorted(result.result.get("unexpected_index_list") or ()):
                formula = table.cells.iloc[row].get(FORMULA) or ""
                line = str(row + 2) if table.located else ""
                found.append((name, severities[name], table.file, line, formula))
    return for_spreadsheets(pd.DataFrame(found, columns=COLUMNS, dtype=str))
