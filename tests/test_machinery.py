"""The digest of the machinery: of the installed files, and only while they are the wheel's."""

import os
import py_compile
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from assay import wheels
from assay.errors import NotCarriedOutError
from assay.machinery import (
    digest_installed,
    machinery_digest,
    machinery_of,
    pinned_wheels,
    wheel_digest,
    wheel_faults,
)
from environments import ROOT, exchange_machinery, unpack_machinery


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that holds a wheel of this tree, its lock and nothing else."""
    repository = tmp_path_factory.mktemp("built")
    wheel = wheels.build_wheel(ROOT, repository / wheels.FOLDER)
    (repository / wheels.PROJECT).write_text(f'path = "{wheel.name}"\n')
    (repository / wheels.LOCK).write_text("# lock\na==1 \\\n    --hash=sha256:00\n")
    wheels.pin_wheel(repository, wheel)
    return repository


@pytest.fixture
def repository(built: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(built, tmp_path / "repository"))


@pytest.fixture
def installed(built: Path, tmp_path: Path) -> Path:
    """The package of that wheel, installed in a folder."""
    unpack_machinery(built, tmp_path / "site")
    return tmp_path / "site" / "assay"


def information(package: Path) -> Path:
    """The folder beside an installed package."""
    (found,) = package.parent.glob("*.dist-info")
    return found


def append(path: Path, text: str = "\n") -> None:
    """Add to a file."""
    path.write_text(path.read_text() + text)


def test_files_wheel_and_installation_have_one_digest(built: Path, installed: Path) -> None:
    """A tree, its wheel and what is installed from it cannot be told apart by the digest."""
    (wheel,) = (built / wheels.FOLDER).glob("*.whl")
    assert digest_installed(ROOT / wheels.PACKAGE) == wheel_digest(wheel)
    assert digest_installed(installed) == wheel_digest(wheel) == machinery_digest()


def test_another_module_gives_another_digest(repository: Path, installed: Path) -> None:
    """One changed hint is another machinery, by its digest as by its version."""
    before = digest_installed(installed)
    wheel = exchange_machinery(repository, {"texts.py": ("", "\n# changed\n")})
    assert wheel_digest(wheel) != before


@pytest.mark.parametrize(
    "alter",
    [
        lambda package: append(package / "gate" / "decision.py"),
        lambda package: (package / "gate" / "decision.py").unlink(),
        lambda package: (package / "gate" / "more.py").write_text(""),
        lambda package: append(package / "report" / "page.html"),
        lambda package: (package / "cli.so").write_text(""),
        lambda package: (package / "more.pyc").write_text(""),
        lambda package: (information(package) / "RECORD").unlink(),
        lambda package: shutil.copytree(
            information(package), package.parent / f"{wheels.DISTRIBUTION}-9.dist-info"
        ),
    ],
    ids=["changed", "missing", "added", "page", "shadowing", "bytecode", "record", "twice"],
)
def test_an_altered_installation_is_not_carried_out(
    installed: Path, alter: Callable[[Path], object]
) -> None:
    """A file that differs, lacks or is added ends it, with the command that installs again."""
    digest_installed(installed)
    alter(installed)
    with pytest.raises(NotCarriedOutError, match=r"rm -f \.venv/locked && make setup"):
        digest_installed(installed)


@pytest.mark.parametrize("kind", ["CHECKED_HASH", "UNCHECKED_HASH", "TIMESTAMP"])
def test_what_python_compiles_is_no_alteration(installed: Path, kind: str) -> None:
    """Compiled modules may lie there, but not of another source where Python looks no more."""
    source, mode = installed / "texts.py", py_compile.PycInvalidationMode[kind]
    text = source.read_text()
    py_compile.compile(str(source), invalidation_mode=mode)
    digest_installed(installed)
    append(source, "# other\n")
    py_compile.compile(str(source), invalidation_mode=mode)
    source.write_text(text)
    if kind == "TIMESTAMP":
        digest_installed(installed)
    else:
        with pytest.raises(NotCarriedOutError, match="compiled from another source"):
            digest_installed(installed)


def test_an_editable_installation_is_hashed_from_its_files(installed: Path) -> None:
    """Whoever works on assay itself is not asked to install it after each line."""
    (information(installed) / "direct_url.json").write_text('{"dir_info": {"editable": true}}')
    before = digest_installed(installed)
    append(installed / "texts.py")
    assert digest_installed(installed) != before


def planted_second(repository: Path) -> None:
    """A second wheel beside the first."""
    (wheel,) = (repository / wheels.FOLDER).glob("*.whl")
    shutil.copyfile(wheel, wheel.with_name(wheel.name.replace("0.2.0", "0.1.0")))


def planted_byte(repository: Path) -> None:
    """A wheel with one other byte."""
    (wheel,) = (repository / wheels.FOLDER).glob("*.whl")
    wheel.write_bytes(wheel.read_bytes().replace(b"may predict", b"can predict", 1))


def planted_lock(repository: Path) -> None:
    """A lock without the wheel's entry."""
    lock = repository / wheels.LOCK
    lock.write_text(wheels.without_entry(lock.read_text()))


def planted_gap(repository: Path) -> None:
    """A lock whose wheel is gone."""
    (wheel,) = (repository / wheels.FOLDER).glob("*.whl")
    wheel.unlink()


@pytest.mark.parametrize(
    "plant", [planted_second, planted_byte, planted_lock, planted_gap], ids=lambda f: f.__name__
)
def test_wheel_and_lock_belong_together(repository: Path, plant: Callable[[Path], None]) -> None:
    """Two wheels, a changed byte, and an entry or a wheel alone: nothing is recorded with them."""
    assert wheel_faults(repository) == []
    assert machinery_of(repository) == machinery_digest()
    plant(repository)
    assert len(wheel_faults(repository)) == 1
    with pytest.raises(NotCarriedOutError, match=r"`git checkout|`rm "):
        machinery_of(repository)


def test_line_ends_of_windows_change_no_lock(repository: Path) -> None:
    """A lock saved with other line ends pins the same wheel."""
    text = (repository / wheels.LOCK).read_text()
    assert pinned_wheels(text)
    assert pinned_wheels(text.replace("\n", "\r\n")) == pinned_wheels(text)


@pytest.mark.parametrize(
    "line",
    [
        "vendor/assay_materials-9-py3-none-any.whl --hash=sha256:00",
        "Assay.Materials==0.2.0",
        "assay-materials @ https://example.org/assay.whl",
    ],
)
def test_no_other_line_of_the_lock_names_assay(repository: Path, line: str) -> None:
    """Beside the wheel's entry nothing is installed under its name."""
    append(repository / wheels.LOCK, f"{line}\n")
    (fault,) = wheel_faults(repository)
    assert "names assay" in fault.sentence


def test_a_marker_leaves_the_wheel_unpinned(repository: Path) -> None:
    """An entry that holds for no Python pins nothing."""
    lock = repository / wheels.LOCK
    lock.write_text(lock.read_text().replace("-any.whl ", "-any.whl ; python_version < '3' "))
    assert any("does not pin" in fault.sentence for fault in wheel_faults(repository))


@pytest.mark.parametrize(
    "name",
    [
        "sitecustomize.py",
        "zz.pth",
        "assay/gate/decision.so",
        "assay/gate/decision.cpython-311-x86_64-linux-gnu.so",
        "assay/texts.pyc",
        "assay/more.py",
        "assay_materials-1.data/purelib/assay/texts.py",
        "../outside.py",
    ],
)
def test_a_wheel_holds_assay_alone(repository: Path, name: str) -> None:
    """What an installer would put beside the recorded modules, the digest does not see: refused."""
    (wheel,) = (repository / wheels.FOLDER).glob("*.whl")
    digest = wheel_digest(wheel)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(name, "")
    wheels.pin_wheel(repository, wheel)
    assert wheel_digest(wheel) == digest
    (fault,) = wheel_faults(repository)
    assert name in fault.sentence


def test_a_wheel_has_the_modules_of_its_record(repository: Path) -> None:
    """A module that is not the one of RECORD is found in the wheel, before it is installed."""
    (wheel,) = (repository / wheels.FOLDER).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["assay/texts.py"] += b"# more\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    wheels.pin_wheel(repository, wheel)
    (fault,) = wheel_faults(repository)
    assert "assay/texts.py" in fault.sentence


def test_another_wheel_than_the_installed_one_is_not_carried_out(repository: Path) -> None:
    """After a merge that brought another wheel, each verb asks for `make setup` first."""
    exchange_machinery(repository, {"texts.py": ("", "\n# changed\n")})
    assert wheel_faults(repository) == []
    with pytest.raises(NotCarriedOutError, match="make setup"):
        machinery_of(repository)


def test_a_repository_without_a_wheel_has_no_fault(tmp_path: Path) -> None:
    """Where assay was installed otherwise there is nothing to compare with."""
    assert wheel_faults(tmp_path) == []
    assert machinery_of(tmp_path) == machinery_digest()


def run(installed: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """The command line of an installed package."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "assay", *arguments],
        env=dict(os.environ) | {"PYTHONPATH": str(installed.parent)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_version_is_that_of_the_installed_wheel(installed: Path) -> None:
    """`assay --version` has the wheel's version with its digest, and fails if it was altered."""
    done = run(installed, "--version")
    version = information(installed).name.removesuffix(".dist-info").split("-")[1]
    assert done.stdout == f"assay {version}, machinery {machinery_digest()[:12]}\n"
    append(installed / "gate" / "decision.py")
    assert run(installed, "--version").returncode == 3


@pytest.mark.parametrize(
    "verb",
    [
        ["schema"],
        ["train"],
        ["sanity"],
        ["score"],
        ["predict", "data/candidates/few.csv", "--uncertified"],
        ["verify", "out"],
        ["batch", "sign"],
        ["revoke", "0" * 64, "--reason", "none"],
    ],
    ids=" ".join,
)
@pytest.mark.slow
def test_an_altered_installation_records_nothing(
    installed: Path, toy: Path, verb: list[str]
) -> None:
    """No verb that checks, scores, predicts, signs or verifies works with an altered package."""
    append(installed / "texts.py")
    done = run(installed, *verb, cwd=toy)
    assert done.returncode == 3
    assert "texts.py was changed" in done.stderr
