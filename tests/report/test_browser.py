"""The page in a real browser: Chromium, headless, without any network, judged by axe-core."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from assay.report.inputs import ReportInputs
from assay.report.page import render_page
from programs import missing
from report_samples import (
    change_train,
    checks,
    commit_tables,
    finding,
    hand_over,
    settings,
    write_tables,
)

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[1] / "accessibility" / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
THEMES = ("light", "dark")
FOCUSED = """[document.activeElement.innerText,
    getComputedStyle(document.activeElement).outlineStyle]"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of this system."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        missing("There is no Chromium: `make browser` installs it as root where there is apt-get.")
    sandbox = [] if os.getuid() else ["--no-sandbox"]  # Chromium refuses to run as root with it
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=sandbox)
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report with everything in it, for a number and for a class."""
    return {kind: _write(tmp_path_factory.mktemp(kind), kind) for kind in ("number", "class")}


def _write(folder: Path, kind: str) -> Path:
    told = finding(file="data/train.csv", line=7, formula="TlBr", severity="warning")
    handover = hand_over(folder / "out", schema=checks("schema", *[told] * 30))
    predictions = write_tables(folder, handover, kind=kind)
    commit_tables(folder)
    change_train(handover, ["t90000", "Mg2Sn", "1" if kind == "class" else "0.125"])
    inputs = ReportInputs(
        handover,
        settings(kind=kind, unit="eV/atom" if kind == "number" else "1"),
        folder,
        {row: min(value + 0.01, 1.0) for row, value in predictions.items()},
        "https://example.org/runs/1",
        (("line", "time", "outcome"), ("3", "2026-01-01", "PASS")),
        "https://example.org/runs/0",
    )
    page = folder / "index.html"
    page.write_text(render_page(inputs), encoding="utf-8")
    return page


@contextmanager
def opened(browser: Browser, path: Path, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """The page, and what went wrong or was asked of a network while it was open."""
    context = browser.new_context(**options)
    page, troubles = context.new_page(), []
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("request", lambda request: troubles.append(f"request: {request.url}"))
    page.goto(path.as_uri())
    troubles.remove(f"request: {path.as_uri()}")
    yield page, [trouble for trouble in troubles if not trouble.startswith("request: data:")]
    context.close()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", ["number", "class"])
def test_page_opens_without_trouble_and_draws_everything(browser, pages, kind: str, theme: str):
    """Nothing on the console, nothing from a network, and every picture has marks of some size."""
    with opened(browser, pages[kind], color_scheme=theme) as (page, troubles):
        figures = page.locator("figure").all()
        assert len(figures) == {"number": 8, "class": 6}[kind]
        for figure in figures:
            box = figure.locator("svg").bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) > 150
            marks = figure.locator("svg path, svg use, svg image, svg rect")
            assert marks.count() > 10
            assert figure.locator("svg text").count() > 3
        assert troubles == []


def axe(page: Page) -> list[str]:
    """Violations of WCAG, levels A and AA, by axe-core."""
    if not AXE.is_file():
        missing("axe-core is not installed: `make node` installs it with npm.")
    # as the browser's own tools do, beside the page's policy
    page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"runOnly": {"type": "tag", "values": WCAG}}
    found = page.evaluate("options => axe.run(document, options)", options)
    assert found["passes"]
    return [
        f"{violation['id']}: {node['target']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


BOTH = pytest.mark.nightly("both themes and both widths are judged once on every push")


@pytest.mark.parametrize(
    ("theme", "width"),
    [
        ("light", 1280),
        ("dark", 360),
        pytest.param("light", 360, marks=BOTH),
        pytest.param("dark", 1280, marks=BOTH),
    ],
)
def test_page_is_accessible(browser, pages, theme: str, width: int):
    """No rule of WCAG A or AA is broken, light or dark, on a desk or a telephone, folds open."""
    size = {"width": width, "height": 800}
    for path in pages.values():
        with opened(browser, path, color_scheme=theme, viewport=size) as (page, _):
            page.locator("summary").first.click()
            assert axe(page) == []


def test_check_for_accessibility_bites(browser, pages):
    """Grey on grey and a picture without a name are found."""
    with opened(browser, pages["number"]) as (page, _):
        page.add_style_tag(content=".quiet { color: #bbb !important }")
        page.evaluate(
            "document.querySelector('figure [role=img]').removeAttribute('aria-labelledby')"
        )
        found = " ".join(axe(page))
    assert "color-contrast" in found
    assert "role-img-alt" in found


def column(page: Page, number: int) -> list[str]:
    """The texts of a column of the largest residuals."""
    return page.locator(
        f"#residuals ~ .scroll >> nth=0 >> tbody tr td:nth-child({number})"
    ).all_inner_texts()


def test_columns_sort_by_mouse_and_keyboard(browser, pages):
    """A click sorts down, another up; Enter does the same, and words are sorted as words."""
    with opened(browser, pages["number"]) as (page, troubles):
        table = page.locator("#residuals ~ .scroll").first
        measured = table.get_by_role("button", name="measured")
        measured.click()
        values = [float(text) for text in column(page, 3)]
        assert len(values) == 50
        assert values == sorted(values, reverse=True)
        assert table.locator("th[aria-sort=descending]").inner_text().startswith("measured")
        measured.focus()
        page.keyboard.press("Enter")
        assert [float(text) for text in column(page, 3)] == values[::-1]
        assert table.locator("th[aria-sort]").count() == 1
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")
        formulas = column(page, 2)
        assert formulas == sorted(formulas, key=str.lower, reverse=True)
        assert troubles == []


def test_everything_is_reached_by_keyboard(browser, pages):
    """Tab visits each link, fold, table and button once, in the order of the page, and is seen."""
    with opened(browser, pages["number"]) as (page, _):
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        wanted = page.locator("a, summary, button, [tabindex='0']").all_inner_texts()
        seen = []
        for _ in wanted:
            page.keyboard.press("Tab")
            text, outline = page.evaluate(FOCUSED)
            seen.append(text)
            assert outline != "none"
        assert seen == wanted


def test_page_reads_the_same_without_script(browser, pages):
    """Where scripts are off every word and picture is there, and no dead button."""
    with opened(browser, pages["number"]) as (page, _):
        words = page.locator("main").inner_text()
    with opened(browser, pages["number"], java_script_enabled=False) as (page, troubles):
        assert page.locator("main").inner_text() == words
        assert page.locator("button").count() == 0
        assert page.locator("figure svg").count() == 8
        assert troubles == []


def test_foreign_script_does_not_run(browser, pages, tmp_path: Path):
    """The policy stops a script, a handler or a picture that somebody put into the page."""
    text = pages["number"].read_text(encoding="utf-8")
    planted = (
        "<script>document.title = 'owned'</script><img src='https://example.org/x.png' "
        "onerror=\"document.title = 'owned'\"></main>"
    )
    path = tmp_path / "planted.html"
    path.write_text(text.replace("</main>", planted, 1), encoding="utf-8")
    with opened(browser, path) as (page, troubles):
        assert page.title() == "formation-enthalpy: PASS"
        assert len([trouble for trouble in troubles if "Content Security Policy" in trouble]) >= 2


@pytest.mark.parametrize("theme", THEMES)
def test_print_is_dark_on_white(browser, pages, theme: str):
    """Whatever the screen's colours, paper is white, ink is dark, and folds are open."""
    with opened(browser, pages["number"], color_scheme=theme) as (page, _):
        page.emulate_media(media="print", color_scheme=theme)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        ink = page.evaluate("getComputedStyle(document.body).color")
        assert background == "rgb(255, 255, 255)"
        assert ink == "rgb(28, 32, 36)"
        assert page.locator("details tbody tr").first.is_visible()
        assert len(page.pdf()) > 20_000


def test_narrow_screen_does_not_scroll_sideways(browser, pages):
    """On a telephone only tables scroll, within themselves."""
    for path in pages.values():
        with opened(browser, path, viewport={"width": 360, "height": 800}) as (page, _):
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
