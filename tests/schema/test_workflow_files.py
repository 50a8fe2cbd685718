"""The workflow files: as the template made them, and none beside them that sees the keys."""

import json
from pathlib import Path

import pytest

from assay.commits import blob_id
from schema_samples import check
from toy import git

RULE = "workflows.of_template"
GATE = ".github/workflows/gate.yml"
TEXT = "on: push\njobs:\n  gate:\n    if: always()\n"


@pytest.fixture
def made(sound: Path) -> Path:
    """A sound repository with one workflow that is on record."""
    path = sound / GATE
    path.parent.mkdir(parents=True)
    path.write_text(TEXT)
    found = git(sound, "hash-object", GATE)
    (sound / ".cookiecutter.json").write_text(
        json.dumps({"files": {GATE: found, "README.md": "1"}})
    )
    return sound


def found(root: Path) -> list[str]:
    """The files that the rule names."""
    report = check(root)
    assert any(one.name == RULE for one in report.tallies)
    assert all(one.severity == "warning" for one in report.findings if one.rule == RULE)
    return [one.message.split(" ")[0] for one in report.findings if one.rule == RULE]


def test_the_templates_own_files_hold(made):
    """What the template made, and a workflow of one's own without the keys, is no finding."""
    (made / ".github/workflows/docs.yml").write_text("on: push\njobs: {}\n")
    assert not found(made)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text(TEXT.replace("always()", "success() || true")),
        lambda path: path.write_text(TEXT + " "),
        lambda path: path.unlink(),
    ],
    ids=["a condition", "a space", "gone"],
)
def test_a_changed_or_missing_workflow_is_named(made, change):
    """Whatever differs in a file that guards the gate is shown."""
    change(made / GATE)
    assert found(made) == [GATE]


@pytest.mark.parametrize(
    "text",
    [
        "environment: heldout\n",
        "env: { KEY: ${{ secrets.ASSAY_SIGNING_KEY }} }\n",
        "secrets: inherit\n",
        '"secrets": "inherit"\n',
        "env: { ALL: ${{ toJson(secrets) }} }\n",
        "env: { KEY: ${{ secrets[format('ASSAY_{0}_KEY', 'SIGNING')] }} }\n",
        "environment: ${{ format('held{0}', 'out') }}\n",
        "run: git push origin x:refs/heads/assay-ledger\n",
    ],
)
def test_another_workflow_that_sees_the_keys_is_named(made, text):
    """A file beside the template's that asks for keys, their environment or the ledger is shown."""
    (made / ".github/workflows/other.yaml").write_text(text)
    assert found(made) == [".github/workflows/other.yaml"]


@pytest.mark.parametrize("record", [None, "{", "[]", '{"files": 1}', '{"files": {}}'])
def test_without_a_record_nothing_is_said(made, record):
    """A repository that was made by hand has nothing to be compared with."""
    path = made / ".cookiecutter.json"
    path.unlink() if record is None else path.write_text(record)
    assert not any(one.name == RULE for one in check(made).tallies)


def test_an_id_is_gits(tmp_path):
    """Our id of a content is the one that git gives it, in either format."""
    (tmp_path / "file").write_bytes(b"a\0b\n")
    for form in ("sha1", "sha256"):
        git(tmp_path, "init", "--quiet", f"--object-format={form}", form)
        (tmp_path / form / "file").write_bytes(b"a\0b\n")
        name = git(tmp_path / form, "hash-object", "file")
        assert blob_id(b"a\0b\n", name) == name
