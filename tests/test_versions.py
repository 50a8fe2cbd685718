"""One version in one place, and an entry of the changelog for it."""

import re
import tomllib

import assay
from conftest import ROOT


def test_changelog_begins_with_the_version():
    """The first entry of the changelog is that of the version in `src/assay/__init__.py`."""
    entries = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert entries[0] == assay.__version__
    assert len(set(entries)) == len(entries)


def test_version_stands_once():
    """`pyproject.toml` reads it and has none of its own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"] == {"path": "src/assay/__init__.py"}
