"""A change of the machinery is a pull request of its own, and its wheel is the lock's."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from assay import wheels
from assay.repository import read_repository
from assay.schema.settings_rules import machinery_suites
from environments import ROOT, exchange_machinery
from schema_samples import check, commit, edit, only

OTHER = "other==1 \\\n    --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture
def carrying(sound: Path) -> Path:
    """A sound repository on main that carries a wheel of this tree, with a model."""
    wheel = wheels.build_wheel(ROOT, sound / wheels.FOLDER)
    (sound / wheels.PROJECT).write_text(f'path = "{wheel.name}"\n')
    (sound / wheels.LOCK).write_text(f"# lock\n{OTHER}")
    wheels.pin_wheel(sound, wheel)
    (sound / "src" / "toy").mkdir(parents=True)
    (sound / "src" / "toy" / "model.py").write_text("one = 1\n")
    commit(sound)
    return sound


def broken(repository: Path) -> list[str]:
    """The rules that are asked, each of which only is where it is broken."""
    found = read_repository(repository)
    asked = machinery_suites(found, found.base.settings)
    return [rule.name for _, rules in asked for rule in rules]


def update(repository: Path) -> None:
    """Bring another wheel, and what else `assay update` may change."""
    exchange_machinery(repository, {"texts.py": ("", "\n# another hint\n")})
    for name in ("Makefile", "README.md", ".github/workflows/gate.yml"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text("new\n")
    lock = repository / wheels.LOCK
    lock.write_text(lock.read_text().replace("other==1", "other==2"))
    settings = repository / "assay.toml"
    settings.write_text("# new\n" + settings.read_text() + "[data]\nmaximum_growth = 9.0\n")


def model(repository: Path) -> None:
    """Change the model."""
    (repository / "src" / "toy" / "model.py").write_text("one = 2\n")


def hidden(repository: Path) -> None:
    """Add a module beside the packages."""
    (repository / "src" / "sitecustomize.py").write_text("")
    git = str(shutil.which("git"))
    subprocess.run([git, "-C", str(repository), "add", "--all"], check=True)


def data(repository: Path) -> None:
    """Change a label."""
    edit(repository, "train.csv", lambda lines: lines.__setitem__(4, "t00004,NaF,-0.5"))


def settings(old: str, new: str) -> Callable[[Path], None]:
    """Change a key of assay.toml."""

    def change(repository: Path) -> None:
        path = repository / "assay.toml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


OTHERS = {
    "model": model,
    "hidden": hidden,
    "data": data,
    "gate": settings("margin = 0.1", "margin = 0.2"),
    "split": settings("folds = 3", "folds = 4"),
    "target": settings("upper = 5.0", "upper = 6.0"),
    "seed": settings("[split]", "[model]\nseed = 7\n[split]"),
}


def test_an_update_alone_passes(carrying: Path) -> None:
    """Wheel, lock, workflows, Makefile and unrelated keys may change together."""
    assert broken(carrying) == []
    update(carrying)
    assert broken(carrying) == []
    report = check(carrying)
    assert report.passed, report.failures


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_an_update_changes_nothing_that_is_judged(
    carrying: Path, change: Callable[[Path], None]
) -> None:
    """With model, data or policy it fails, which each may change without it."""
    change(carrying)
    assert broken(carrying) == []
    update(carrying)
    assert broken(carrying) == ["machinery.alone"]


def test_the_advice_leads_on(carrying: Path) -> None:
    """The finding is a failure that names what changed with the wheel, and is gone once followed.

    `git restore` is what the finding says, with main by its name here.
    """
    model(carrying)
    update(carrying)
    finding = only(check(carrying), "machinery.alone")
    assert finding.severity == "failure"
    assert "src/toy/model.py" in finding.message
    told = re.search(r"`git (restore [^`]+)`", finding.message)
    assert told is not None
    words = told[1].replace("origin/main", "main").split()
    git = str(shutil.which("git"))
    subprocess.run([git, "-C", str(carrying), "add", "--all"], check=True)
    subprocess.run([git, "-C", str(carrying), *words], check=True)
    assert broken(carrying) == []
    assert (carrying / "src" / "toy" / "model.py").read_text() == "one = 2\n"


def test_a_changed_hash_is_a_change_of_the_machinery(carrying: Path) -> None:
    """Who exchanges the hash in the lock alone is found by both rules."""
    model(carrying)
    lock = carrying / wheels.LOCK
    (digest,) = {line for line in lock.read_text().splitlines() if "--hash" in line} - {
        OTHER.splitlines()[1]
    }
    lock.write_text(lock.read_text().replace(digest, "    --hash=sha256:" + "1" * 64))
    assert broken(carrying) == ["machinery.pinned", "machinery.alone"]


def test_other_packages_of_the_lock_change_with_the_model(carrying: Path) -> None:
    """A new dependency comes with the model that needs it, since the wheel stays."""
    model(carrying)
    lock = carrying / wheels.LOCK
    lock.write_text(lock.read_text().replace("other==1", "other==2"))
    assert broken(carrying) == []


@pytest.mark.parametrize("kind", ["two", "byte", "entry", "wheel"])
def test_the_wheel_is_the_one_of_the_lock(carrying: Path, kind: str) -> None:
    """Two wheels, another byte, no entry, no wheel: each is a failure with its file."""
    (wheel,) = (carrying / wheels.FOLDER).glob("*.whl")
    lock = carrying / wheels.LOCK
    if kind == "two":
        wheel.with_name(wheel.name.replace("0.2.0", "0.1.0")).write_bytes(wheel.read_bytes())
    elif kind == "byte":
        content = wheel.read_bytes()
        wheel.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif kind == "entry":
        lock.write_text(wheels.without_entry(lock.read_text()))
    else:
        wheel.unlink()
    assert broken(carrying) == ["machinery.pinned"]


def test_a_wheel_without_its_lock_fails_the_check(carrying: Path) -> None:
    """The finding is a failure in the lock and says how to restore both."""
    lock = carrying / wheels.LOCK
    lock.write_text(wheels.without_entry(lock.read_text()))
    finding = only(check(carrying), "machinery.pinned")
    assert finding.severity == "failure"
    assert "requirements.lock: it does not pin wheels/" in finding.message
