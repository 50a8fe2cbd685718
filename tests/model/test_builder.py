"""The author's build_model: found, or a sentence that says where it stops and why."""

from pathlib import Path

import pytest

import toy
from assay.errors import UsageError
from assay.model.builder import load_builder
from assay.repository import read_repository


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"src/toy_model/model\.py does not exist: restore it"),
        ("x = 1\n", r"src/toy_model/model\.py must define build_model\(seed\)"),
        (
            "def build_model(seed):\n    return make_pipelin()\n",
            r"line 2: .*make_pipelin",
        ),
        ("def build_model():\n    return 1\n", r"build_model\(\) takes 0 positional arguments"),
        ("import absent_package\n", r"model\.py, line 1: .*absent_package"),
        ("def build_model(seed)\n    return 1\n", r"model\.py, line 1: .*expected ':'"),
        ("def build_model(seed):\n    return None.fit\n", r"model\.py, line 2: .*'fit'"),
    ],
)
def test_what_does_not_run_is_a_usage_error(
    tmp_path: Path, laptop: None, text: str | None, said: str
) -> None:
    """A missing, broken or misspelt model names the file, the line and the reason."""
    package = tmp_path / "src" / toy.PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (tmp_path / "assay.toml").write_text(toy.SETTINGS)
    if text:
        (package / "model.py").write_text(text)
    with pytest.raises(UsageError, match=said):
        load_builder(read_repository(tmp_path))


def test_model_may_be_a_package(tmp_path: Path, laptop: None) -> None:
    """A module that grew into a folder of modules is found in its `__init__.py`."""
    folder = tmp_path / "src" / "grown_model" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").write_text("from .parts import build_model\n")
    (folder / "parts.py").write_text("def build_model(seed):\n    return seed\n")
    (tmp_path / "assay.toml").write_text(toy.SETTINGS.replace(toy.PACKAGE, "grown_model"))
    assert load_builder(read_repository(tmp_path))(3) == 3
