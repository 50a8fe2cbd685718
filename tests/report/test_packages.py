"""What a lock, the environment and the machinery changed is named: from which to which version."""

from pathlib import Path

import pytest

from assay.files import digest_bytes
from assay.layout import Handover
from assay.locks import package_changes
from assay.report.comment import render_comment
from assay.report.inputs import ReportInputs
from inert import assert_inert
from report_samples import card, checks, finding, hand_over, settings
from toy import commit, git

HASH = f"    --hash=sha256:{'0' * 64}"
WHEEL = f"./wheels/assay_materials-0.2.0+1-py3-none-any.whl \\\n{HASH}\n"


def lock(*pins: str) -> str:
    """A lock as `make lock` writes it."""
    return "".join(f"{pin} \\\n{HASH}\n" for pin in pins)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (["a==1"], ["a==1"], []),
        (["a==1.10"], ["a==1.9"], ["a 1.10 → 1.9 (older)"]),
        (["a==1.9"], ["a==1.10"], ["a 1.9 → 1.10 (newer)"]),
        (["a==1.0"], ["a==1.0.0"], ["a 1.0 → 1.0.0 (changed)"]),
        (["a==2.0"], ["a==2.0rc1"], ["a 2.0 → 2.0rc1 (older)"]),
        (["a==1"], [], ["a 1 removed"]),
        ([], ["a==1"], ["a 1 added"]),
        (["A_b==1"], ["a-b==1"], []),
        (["a==nonsense"], ["a==1"], ["a nonsense → 1 (changed)"]),
        (
            ["n==2.2; python_version < '3.12'", "n==2.4; python_version >= '3.12'"],
            ["n==2.2; python_version < '3.12'", "n==2.3; python_version >= '3.12'"],
            ["n 2.2, 2.4 → 2.2, 2.3 (older)"],
        ),
        (
            ["b==1", "a==1", "c==2"],
            ["b==2", "c==1"],
            ["c 2 → 1 (older)", "a 1 removed", "b 1 → 2 (newer)"],
        ),
    ],
)
def test_each_package_is_named_with_both_versions(
    before: list[str], after: list[str], said: list[str]
) -> None:
    """Up, down, in, out, several for several systems; what is older comes first."""
    changes = package_changes(WHEEL + lock(*before), lock(*after))
    assert [str(one) for one in changes] == said


def report(folder: Path, main: str, own: str, **fields: object) -> ReportInputs:
    """A pull request whose lock is `own`, beside a main whose lock is `main`."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / "requirements.lock").write_text(main)
    commit(folder, "Lock")
    named = card(lock_digest=digest_bytes(own.encode()), **fields)
    handover = hand_over(folder / "out", candidate=named, schema=checks("schema"))
    handover.lock.write_text(own)
    return ReportInputs(handover, settings(), folder)


def test_the_comment_names_packages_workflows_and_the_environment(tmp_path: Path) -> None:
    """An older library, a lock that is not what is installed, and changed workflows all stand."""
    told = finding(
        rule="train.environment",
        severity="warning",
        message="numpy 2.2 is locked and 2.3 installed",
        file="requirements.lock",
    )
    inputs = report(
        tmp_path / "root",
        lock("scikit-learn==1.9.1", "numpy==2.2"),
        lock("scikit-learn==1.8.0", "numpy==2.2", "`x`==1"),
        findings=[told],
        machinery_files=[".github/workflows/gate.yml", "wheels/`a`.whl"],
    )
    comment = render_comment(inputs)
    assert "`scikit-learn 1.9.1 → 1.8.0 (older)`" in comment
    assert "numpy 2.2 is locked and 2.3 installed" in comment
    assert "`.github/workflows/gate.yml`" in comment
    assert_inert(comment)


def test_a_lock_other_than_the_cards_is_not_believed(tmp_path: Path) -> None:
    """Versions are of the very lock that the card names, or not at all."""
    inputs = report(tmp_path / "root", lock("a==1"), lock("a==2"))
    inputs.handover.lock.write_text(lock("a==3"))
    assert inputs.package_changes is None
    inputs.handover.lock.unlink()
    assert (
        ReportInputs(
            Handover(tmp_path / "root" / "out"), settings(), tmp_path / "root"
        ).package_changes
        is None
    )


def test_other_hashes_of_the_same_versions_are_told(tmp_path: Path) -> None:
    """A lock with the same versions and other bytes is not passed over."""
    inputs = report(tmp_path / "root", lock("a==1"), lock("a==1").replace("0" * 64, "1" * 64))
    assert "no version differs" in render_comment(inputs)
