"""The page of batches shows what its benchmarks wrote down, and nothing else in those places."""

import json

import pytest
from benchmarks import pages


def test_page_shows_the_record():
    """The page holds each table that batch.json gives, between its marks."""
    page = (pages.FOLDER / "batch-benchmark.md").read_text(encoding="utf-8")
    for name, made in pages.parts(json.loads(pages.RECORD.read_text())):
        begin, end = pages.marks(name)
        assert f"{begin}\n{made}\n{end}" in page, name


def test_parts_go_to_their_places(tmp_path, monkeypatch):
    """A part replaces what stood in its place and nothing else; without a place it is an error."""
    page, same = tmp_path / "page.md", tmp_path / "same.md"
    (begin, end), (other, last) = pages.marks("a"), pages.marks("b")
    page.write_text(f"x\n{begin}\nold\n{end}\ny\n{other}\n{last}\n")
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    pages.fill([("b", "B"), ("a", r"new \1")])
    assert page.read_text() == f"x\n{begin}\nnew \\1\n{end}\ny\n{other}\nB\n{last}\n"
    with pytest.raises(ValueError, match="0 places"):
        pages.fill([("c", "C")])
    same.write_text(page.read_text())
    with pytest.raises(ValueError, match="2 places"):
        pages.fill([("a", "A")])
