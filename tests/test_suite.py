"""The tests themselves: what would keep some of them from being run."""

from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent


def repeated(folder: Path) -> list[str]:
    """Names that more than one Python file below a folder has, packages' own aside."""
    names = Counter(path.name for path in folder.rglob("*.py") if "node_modules" not in path.parts)
    return sorted(name for name, times in names.items() if times > 1 and name != "__init__.py")


def test_no_two_files_of_tests_have_one_name(tmp_path: Path) -> None:
    """Folders of tests are no packages, so pytest takes the second file of a name for the first."""
    for name in ("a/test_x.py", "b/test_x.py", "b/test_y.py", "node_modules/test_y.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert repeated(tmp_path) == ["test_x.py"]
    assert repeated(HERE) == []
