"""How Great Expectations' pages tell a warning from a failure, which by itself they do not."""

from collections.abc import Callable
from typing import Any

from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.render import RenderedStringTemplateContent
from great_expectations.render.renderer.content_block import (
    ValidationResultsTableContentBlockRenderer,
)
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

from assay.texts import plural

_TRIANGLE = ["fas", "fa-exclamation-triangle", "text-warning"]
_CROSS = ["fas", "fa-times", "text-danger"]


class WeighedTable(ValidationResultsTableContentBlockRenderer):
    """A column's expectations: beside each that does not hold stands `warning` or `failure`."""

    @classmethod
    def _get_content_block_fn(
        cls, expectation_type: str, expectation_config: Any = None
    ) -> Callable[..., Any] | None:
        made: Any = super()._get_content_block_fn(expectation_type, expectation_config)

        def row(*, result: Any = None, **options: Any) -> Any:
            [[status, *cells]] = made(result=result, **options)
            return [[status if result.success else _status(result), *cells]]

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
