"""The wheel of the machinery: equal bytes everywhere, as hatchling has it, pinned by its hash."""

import ast
import email
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from assay import wheels
from conftest import ROOT, Bake
from programs import program, run

STANDALONE = ("wheels.py", "origins.py")


def copied(folder: Path) -> Path:
    """What of the template makes the wheel, to be changed."""
    for name in (wheels.PROJECT, "LICENSE"):
        shutil.copyfile(ROOT / name, folder / name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / wheels.PACKAGE, folder / wheels.PACKAGE, ignore=ignored)
    return folder


def content(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel by their names, the version taken out of these."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            re.sub(r"-[^-/]*\.dist-info", ".dist-info", name): archive.read(name)
            for name in archive.namelist()
            if not name.endswith("/")
        }


def metadata(files: dict[str, bytes]) -> Message:
    """The core metadata among the files of a wheel."""
    return email.message_from_bytes(files["assay_materials.dist-info/METADATA"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return wheels.build_wheel(ROOT, tmp_path_factory.mktemp("wheels"))


def test_wheel_is_hatchlings(wheel, tmp_path):
    """Modules, metadata, licence and commands are those of the wheel that hatchling builds."""
    build = (program("hatchling"), "build", "--target", "wheel", "--directory", tmp_path)
    done = run(*build, folder=ROOT)
    assert done.returncode == 0, done.stderr
    (reference,) = tmp_path.glob("*.whl")
    ours, theirs = content(wheel), content(reference)
    assert ours.keys() == theirs.keys()
    info = "assay_materials.dist-info/"
    for name in ours:
        if not name.startswith(info) or name == f"{info}licenses/LICENSE":
            assert ours[name] == theirs[name], name
    assert ours[f"{info}entry_points.txt"].split() == theirs[f"{info}entry_points.txt"].split()
    found, expected = metadata(ours), metadata(theirs)
    for key in {*found.keys(), *expected.keys()} - {"Metadata-Version", "Version"}:
        assert found.get_all(key) == expected.get_all(key), key
    assert found["Version"].partition("+")[0] == expected["Version"]


def test_same_tree_gives_the_same_bytes(wheel, tmp_path):
    """Neither times, modes, caches nor the order of a folder show in the wheel."""
    template = copied(tmp_path)
    for number, path in enumerate(sorted((template / "src").rglob("*.py"))):
        os.utime(path, (number, number))
        path.chmod(0o600 if number % 2 else 0o755)
    cache = template / wheels.PACKAGE / "__pycache__"
    cache.mkdir()
    (cache / "cli.cpython-311.pyc").write_bytes(b"compiled")
    again = wheels.build_wheel(template, tmp_path / "wheels")
    assert (again.name, again.read_bytes()) == (wheel.name, wheel.read_bytes())


@pytest.mark.parametrize("changed", ["src/assay/texts.py", "src/assay/py.typed", "pyproject.toml"])
def test_any_change_gives_another_version(wheel, tmp_path, changed):
    """Installers leave a package of the same version alone, so a change of a line changes it."""
    template = copied(tmp_path)
    with (template / changed).open("a") as stream:
        stream.write("# changed\n" if changed != "pyproject.toml" else "")
    path = template / changed
    path.write_text(path.read_text().replace("typer>=0.24", "typer>=0.25"))
    other = wheels.build_wheel(template, tmp_path / "wheels")
    assert other.name != wheel.name
    assert other.name.startswith("assay_materials-0.2.0+")


@pytest.mark.parametrize("module", STANDALONE)
def test_what_the_hook_runs_needs_nothing_installed(module):
    """Modules that run beside cookiecutter alone import the standard library alone."""
    tree = ast.parse((ROOT / wheels.PACKAGE / module).read_text())
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        name
        for node in named
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_lock_names_one_wheel_by_its_hash(rendered):
    """A fresh repository has one wheel; lock and pyproject.toml name it, and nothing else of it."""
    (wheel,) = (rendered / "wheels").iterdir()
    lock = (rendered / "requirements.lock").read_text()
    assert wheels.with_entry(lock, wheel) == lock
    assert lock.count("assay_materials") == lock.count("assay-materials") + 1 == 1
    assert f'path = "wheels/{wheel.name}"' in (rendered / "pyproject.toml").read_text()
    assert (
        wheels.without_entry(lock)
        == (ROOT / "<<cookiecutter.project>>" / "requirements.lock").read_text()
    )


def test_new_wheel_takes_the_place_of_the_old_one(repository, tmp_path):
    """After another wheel is pinned, the former is gone from folder, lock and pyproject.toml."""
    (tmp_path / "template").mkdir()
    template = copied(tmp_path / "template")
    with (template / "src/assay/texts.py").open("a") as stream:
        stream.write("# changed\n")
    (old,) = (repository / "wheels").iterdir()
    new = wheels.build_wheel(template, repository / "wheels")
    wheels.pin_wheel(repository, new)
    assert list((repository / "wheels").iterdir()) == [new]
    for name in ("requirements.lock", "pyproject.toml"):
        text = (repository / name).read_text()
        assert (old.name in text, text.count(new.name)) == (False, 1)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_wheel_changed_by_a_byte_is_not_installed(repository, tmp_path, installer):
    """Both installers take the pinned wheel, and refuse it when one byte of a module differs."""
    (wheel,) = (repository / "wheels").iterdir()
    lock = (repository / "requirements.lock").read_text()
    (repository / "one.lock").write_text(re.search(wheels.ENTRY, lock)[0])
    asked = ["--no-deps", "--require-hashes", "--no-index", "-r", "one.lock", "--target"]
    first = [program("uv")] if installer == "uv" else [sys.executable, "-m"]
    command = [*first, "pip", "install", *asked]
    done = run(*command, tmp_path / "good", folder=repository)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "good" / "assay" / "cli.py").is_file()
    for alter in (flipped, rewritten):
        whole = wheel.read_bytes()
        alter(wheel)
        done = run(*command, tmp_path / "bad", folder=repository)
        wheel.write_bytes(whole)
        assert done.returncode != 0
        assert not (tmp_path / "bad" / "assay").exists()
    assert "hash" in (done.stdout + done.stderr).lower()


def flipped(wheel: Path) -> None:
    """Change one bit in the middle, as a disk or a hand can."""
    altered = bytearray(wheel.read_bytes())
    altered[len(altered) // 2] ^= 1
    wheel.write_bytes(altered)


def rewritten(wheel: Path) -> None:
    """Add a comment to a module, checksums and all, as an author can."""
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("assay/more.py", "# more\n")


def test_partial_template_is_refused(tmp_path, tmp_path_factory):
    """A template without src/assay ends with one sentence, and nothing is left behind."""
    template = tmp_path / "template"
    ignored = shutil.ignore_patterns(".*", "build", "demo", "src", "tests", "node_modules")
    shutil.copytree(ROOT, template, ignore=ignored)
    place = tmp_path / "place"
    place.mkdir()
    done = subprocess.run(
        [program("cookiecutter"), str(template), "--no-input"],
        env={**os.environ, "HOME": str(tmp_path_factory.mktemp("home")), "PWD": str(place)},
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "has no src/assay" in done.stderr
    assert list(place.iterdir()) == []


def test_template_without_modules_is_refused(tmp_path):
    """The builder itself says the same, before it writes."""
    (tmp_path / "src" / "assay").mkdir(parents=True)
    with pytest.raises(ValueError, match="downloaded in part"):
        wheels.build_wheel(tmp_path, tmp_path / "wheels")
    assert not (tmp_path / "wheels").exists()


def test_pyproject_without_its_place_is_refused(repository, wheel):
    """Where pyproject.toml names no wheel, neither it nor the lock is changed."""
    project, lock = repository / "pyproject.toml", repository / "requirements.lock"
    project.write_text(re.sub(r"assay-materials = .*\n", "", project.read_text()))
    before = (project.read_text(), lock.read_text())
    with pytest.raises(ValueError, match=r"tool\.uv\.sources"):
        wheels.pin_wheel(repository, wheel)
    assert (project.read_text(), lock.read_text()) == before


def test_template_called_by_a_relative_path(bake: Bake, tmp_path, tmp_path_factory):
    """`cookiecutter .` from the template's own folder finds src/assay, with -o, too."""
    out = tmp_path / "out"
    done = subprocess.run(
        [program("cookiecutter"), ".", "--no-input", "-o", str(out)],
        env={**os.environ, "HOME": str(tmp_path_factory.mktemp("home")), "PWD": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(list((out / "formation-enthalpy" / "wheels").iterdir())) == 1
