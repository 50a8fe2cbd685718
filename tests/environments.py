"""The machinery as a repository's own wheel has it, installed or exchanged."""

import shutil
import sys
import tempfile
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

from assay import wheels

ROOT = Path(__file__).parents[1]
# guarded like the script that an installer writes, since processes of its own import it again
SCRIPT = """#!{python}
from assay.cli import main
if __name__ == "__main__":
    main()
"""


def make_environment(repository: Path, folder: Path) -> Path:
    """What `make machinery` installs, in a moment: a virtual environment in `folder`.

    The wheel of the repository is installed in it; what else the lock names is there, as this
    Python has it.
    """
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    unpack_machinery(repository, site)
    packages = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "packages.pth").write_text("\n".join([*packages, ""]))
    command = folder / "bin" / "assay"
    command.write_text(SCRIPT.format(python=folder / "bin" / "python"))
    command.chmod(0o755)
    (folder / "locked").touch()
    return folder


def unpack_machinery(repository: Path, folder: Path) -> None:
    """Install the wheel of a repository into a folder, which belongs before all others."""
    (wheel,) = (repository / wheels.FOLDER).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)


def exchange_machinery(repository: Path, changed: Mapping[str, tuple[str, str]]) -> Path:
    """Put a wheel of changed modules into a repository, and into its lock; gives the wheel.

    Args:
        repository: a repository made by the template.
        changed: of modules, by their path below `assay`, an old text and the new one; an old text
            that is empty means the end of the file.
    """
    with tempfile.TemporaryDirectory() as name:
        template = Path(name)
        for file in (wheels.PROJECT, "LICENSE"):
            shutil.copyfile(ROOT / file, template / file)
        source = Path(shutil.copytree(ROOT / wheels.PACKAGE, template / wheels.PACKAGE))
        for module, (old, new) in changed.items():
            text = (source / module).read_text()
            if old not in text:
                raise ValueError(f"{module} does not hold {old!r}")
            (source / module).write_text(text.replace(old, new, 1) if old else text + new)
        wheel = wheels.build_wheel(template, repository / wheels.FOLDER)
    wheels.pin_wheel(repository, wheel)
    return wheel


if __name__ == "__main__":
    make_environment(Path(sys.argv[1]), Path(sys.argv[2]))
