"""The documentation: the site builds, every path leads somewhere, and generated parts are true."""

import re
import sys
from pathlib import Path

import pytest
from benchmarks import pages
from pydantic import BaseModel
from typer.main import get_command

import doc_tables
import reference_pages
from assay.cli import VERBOSE, app
from assay.gate.policy import Gate
from assay.settings import Settings
from conftest import ROOT
from programs import run

DOCS = ROOT / "docs"
LONGEST = 250
LONGEST_MEASURED = 300  # a table of measurements is not divided
SOURCES = ("README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")
FOLDERS = ("src", "scripts", "hooks", "benchmarks", "tests", "<<cookiecutter.project>>")
KINDS = {".py", ".md", ".yml", ".toml", ".html"}
NAMED = re.compile(r"(?<![\w/.])docs/[\w./-]+\.(?:md|html|png|svg)\b")
# files of a generated repository that a case makes, and the page that the next test plants
MADE_UP = {"docs/plot.svg", "docs/nowhere.md"}
PLACEHOLDERS = {"VERB", "..."}


def build(source: Path, target: Path) -> tuple[int, str]:
    """Build a site by the settings of docs/conf.py: exit code and warnings."""
    options = ("-b", "html", "-W", "--keep-going", "-n", "-E", "-q", "-c", DOCS)
    done = run(sys.executable, "-m", "sphinx", *options, source, target, folder=ROOT)
    return done.returncode, done.stderr


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Every link, anchor and image of every page leads somewhere."""
    assert build(DOCS, tmp_path / "site") == (0, "")
    settings = (tmp_path / "site" / "reference" / "settings.html").read_text(encoding="utf-8")
    assert "minimum_groups" in settings
    assert "generated:" not in settings


@pytest.mark.slow
def test_planted_faults_are_found(tmp_path: Path) -> None:
    """A link, an anchor and an image that lead nowhere, and a page in no list, are each named."""
    planted = {
        "link": ("[a page](nowhere.md)", "myst.xref_missing"),
        "anchor": ("[an anchor](index.md#nowhere)", "myst.xref_missing"),
        "own-anchor": ("[an anchor](#nowhere)", "myst.xref_missing"),
        "image": ("![a picture](nowhere.svg)", "image.not_readable"),
    }
    for name, (line, _) in planted.items():
        (tmp_path / f"{name}.md").write_text(f"# Page\n\n[sound](index.md#index)\n\n{line}\n")
    (tmp_path / "unlisted.md").write_text("# Page\n")
    listed = "\n".join(planted)
    (tmp_path / "index.md").write_text(f"# Index\n\n```{{toctree}}\n{listed}\n```\n")
    code, told = build(tmp_path, tmp_path / "site")
    assert code == 1
    warnings = [line for line in told.splitlines() if "WARNING" in line]
    assert len(warnings) == len(planted) + 1, told
    for name, (_, warning) in planted.items():
        assert any(f"{name}.md:5:" in line and warning in line for line in warnings), (name, told)
    assert any("unlisted.md" in line and "toc.not_included" in line for line in warnings)


def test_a_generated_part_without_a_name_is_an_error() -> None:
    """A page gets the part that it names; a name that no part has ends the build."""
    assert reference_pages.filled("a\n<!-- generated: verbs -->\nb\n").startswith("a\n## `assay`")
    with pytest.raises(KeyError, match="nothing"):
        reference_pages.filled("<!-- generated: nothing -->\n")


def test_the_index_lists_every_page() -> None:
    """Whoever reads the index, on GitHub or on the site, finds each page."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    all_pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"index.md"}
    assert set(re.findall(r"\]\(([\w/-]+\.md)\)", index)) == all_pages


def test_no_page_is_long() -> None:
    """A page that nobody reads to the end is divided."""
    for page in DOCS.rglob("*.md"):
        most = LONGEST_MEASURED if page.parent == pages.FOLDER else LONGEST
        assert len(page.read_text(encoding="utf-8").splitlines()) <= most, page.name


def lost_paths(text: str) -> set[str]:
    """The paths in docs/ that a text names and that do not exist."""
    return {path for path in NAMED.findall(text) if not (ROOT / path).exists()}


def test_every_path_into_the_docs_exists() -> None:
    """A path in code, tests, Makefile or README leads to a page or a picture; a planted one not."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    files = [path for path in files if path.suffix in KINDS and "node_modules" not in path.parts]
    texts = [path.read_text(encoding="utf-8") for path in (*files, *map(ROOT.joinpath, SOURCES))]
    assert {path for text in texts for path in lost_paths(text)} == MADE_UP
    assert lost_paths("see docs/nowhere.md") == {"docs/nowhere.md"}


def tables_of(section: type[BaseModel]) -> set[type[BaseModel]]:
    """A table of `assay.toml` and all tables below it."""
    fields = section.model_fields.values()
    below = {model for field in fields for model in reference_pages.models_in(field.annotation)}
    return {section}.union(*map(tables_of, below))


def test_every_key_is_explained() -> None:
    """Each docstring of a table of `assay.toml` explains its keys, in order, and no others."""
    found = tables_of(Settings)
    assert len(found) >= 11
    for section in found:
        assert list(reference_pages.explained(section)) == list(section.model_fields), section


def test_a_key_without_explanation_is_found() -> None:
    """A key that the docstring of its table leaves out is missing from what is explained."""

    class Planted(Gate):
        """A table.

        Attributes:
            margin: The margin.
        """

        unexplained: int = 0

    assert set(Planted.model_fields) - set(reference_pages.explained(Planted)) >= {"unexplained"}


def test_the_reference_has_every_verb_option_and_property() -> None:
    """Verbs of verbs are in it, options of a new verb are, and hidden verbs are not."""
    from assay.sanity.suites import property_names

    verbs, properties = reference_pages.verbs(), reference_pages.properties()
    for wanted in ("## `assay seal retire`", "`--uncertified", "`--scheduler <str>`"):
        assert wanted in verbs
    assert "update-with" not in verbs
    assert [name for name in property_names() if f"`{name}`" not in properties] == []


def strange_words(text: str) -> list[str]:
    """The verbs and options of `assay`, and the targets of make, that a page shows in vain."""
    blocks = re.findall(r"```(?:sh)?\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`((?:assay|make) [^`]+)`", text)
    lines = "\n".join([*blocks, *spans]).replace("\\\n", " ").splitlines()
    found = []
    for words in (re.split(r" &&|  +#", line)[0].split() for line in lines):
        if words[:1] == ["make"]:
            found += [word for word in words[1:] if word.islower() and word not in targets()]
        elif words[:1] in (["assay"], [".venv/bin/assay"]) and words[1:]:
            found += strange_to_assay(words[1:])
    return found


def targets() -> set[str]:
    """What `make` can make here or in a generated repository."""
    makefiles = (ROOT / "Makefile", ROOT / "<<cookiecutter.project>>" / "Makefile")
    texts = (makefile.read_text(encoding="utf-8") for makefile in makefiles)
    return {name for text in texts for name in re.findall(r"^([a-z-]+):", text, re.MULTILINE)}


def strange_to_assay(words: list[str]) -> list[str]:
    """The words that are neither a verb, nor an option of the verb before them."""
    command = get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        if words[0] in PLACEHOLDERS:
            return []
        if words[0] not in command.commands:
            return words[:1]
        command, words = command.commands[words[0]], words[1:]
    known = {"--help", VERBOSE}
    known.update(name for one in command.params for name in (*one.opts, *one.secondary_opts))
    return [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("`assay predikt my.csv`", ["predikt"]),
        ("`assay seal retir`", ["retir"]),
        ("```\nassay predict my.csv --colum x   # a comment\n```", ["--colum"]),
        ("```\nmake check skore\n```", ["skore"]),
        ("`assay predict my.csv --column x`, `assay seal retire --early`, `make check score`", []),
    ],
)
def test_planted_commands_are_found(text: str, strange: list[str]) -> None:
    """A verb, an option or a target that does not exist is named, and nothing else."""
    assert strange_words(text) == strange


def test_the_pages_show_commands_that_exist() -> None:
    """Whoever copies a command from a page meets no usage error."""
    for page in (*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        assert strange_words(page.read_text(encoding="utf-8")) == [], page.name


def test_every_property_has_its_bound() -> None:
    """The table of bounds names each property once, and nothing else."""
    from assay.sanity.suites import property_names

    page = (DOCS / "reference" / "sanity-properties.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(named) == sorted(property_names())


def test_tables_are_made_from_the_records_alone(tmp_path: Path, monkeypatch) -> None:
    """Emptied tables of the appendix come back to the byte, without a measurement."""
    before = {page: page.read_text(encoding="utf-8") for page in pages.FOLDER.glob("*.md")}
    for page, text in before.items():
        emptied = re.sub(r"^\|.*\n", "", text, flags=re.MULTILINE) if "<!--" in text else text
        (tmp_path / page.name).write_text(emptied, encoding="utf-8")
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    doc_tables.write_tables()
    for page, text in before.items():
        made = (tmp_path / page.name).read_text(encoding="utf-8")
        assert between_marks(made) == between_marks(text), page.name


def between_marks(text: str) -> list[str]:
    """What stands between marks, in order."""
    return re.findall(r"<!-- .*?-->\n(.*?)<!--", text, re.DOTALL)
