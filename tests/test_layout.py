"""Where things lie."""

import shutil
import subprocess

from assay.layout import Handover, Layout


def paths(thing):
    """Every path that a layout names."""
    names = [name for name, kind in vars(type(thing)).items() if isinstance(kind, property)]
    return [getattr(thing, name) for name in names]


def test_paths(tmp_path):
    """All paths lie inside, no two are the same, and asking creates nothing."""
    for thing in (Layout(tmp_path), Handover(tmp_path)):
        found = paths(thing)
        assert len(found) >= 7
        assert len(set(found)) == len(found)
        assert all(path.is_relative_to(tmp_path) for path in found)
    assert not list(tmp_path.iterdir())


def test_secrets_are_ignored(repository):
    """Keys, models, tracking and output are ignored by git, tables and public key are not."""
    layout = Layout(repository)
    secret = [layout.keys / "sealing.key", layout.models / "a", layout.tracking / "b"]
    public = [layout.train, layout.sealed_labels, layout.public_key, layout.pool]
    for path, ignored in [(p, True) for p in [*secret, layout.out / "c"]] + [
        (p, False) for p in public
    ]:
        done = subprocess.run(
            [str(shutil.which("git")), "check-ignore", "-q", str(path)], cwd=repository, check=False
        )
        assert (done.returncode == 0) == ignored, path
