"""The stand-ins for marketplace actions do what the real ones document and workflows rely on."""

import hashlib
import json
from pathlib import Path

import pytest

from programs import run

STAND_INS = Path(__file__).parent / "stand_ins"


@pytest.fixture
def upload(tmp_path: Path):
    """Upload paths of a workspace as an artifact of run 1; gives the exit code."""

    def done(name: str, *paths: str, if_none="warn", overwrite="false", hidden="false") -> int:
        told = {"IF_NONE": if_none, "OVERWRITE": overwrite, "HIDDEN": hidden}
        variables = {"NAME": name, "PATHS": "\n".join(paths), **told}
        return act("upload", tmp_path, "1", **variables)

    return done


@pytest.fixture
def download(tmp_path: Path):
    """Download artifacts of run 1 in run 2; gives the exit code."""

    def done(name="", pattern="", token="token", merge="false") -> int:
        variables = {"NAME": name, "PATTERN": pattern, "TARGET": "in", "TOKEN": token}
        variables["MERGE"] = merge
        return act("download", tmp_path, "2", RUN="1", **variables)

    return done


def act(verb: str, folder: Path, number: str, **variables: str) -> int:
    """Run the script of a stand-in in a workspace."""
    script = STAND_INS / f"{verb}-artifact" / f"{verb}.py"
    store = {"STAND_IN_ARTIFACTS": str(folder / "store"), "GITHUB_RUN_ID": number}
    return run("python3", script, folder=folder, **variables, **store).returncode


def write(folder: Path, *names: str) -> None:
    """Make files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def fetched(folder: Path) -> set[str]:
    """What was downloaded, relative to the path that was asked for."""
    files = (path for path in (folder / "in").rglob("*") if path.is_file())
    return {path.relative_to(folder / "in").as_posix() for path in files}


def test_one_file_lies_at_the_top(tmp_path: Path, upload, download):
    """An artifact of one file holds it without its folders."""
    write(tmp_path, "out/schema/schema.json")
    assert upload("schema", "out/schema/schema.json") == 0
    assert download("schema") == 0
    assert fetched(tmp_path) == {"schema.json"}


def test_folder_is_taken_without_hidden_files(tmp_path: Path, upload, download):
    """An artifact of a folder holds its content; hidden files and empty folders are left out."""
    write(tmp_path, "out/bundle/MLmodel", "out/bundle/code/a.py", "out/bundle/.secret")
    (tmp_path / "out" / "bundle" / "empty").mkdir()
    assert upload("bundle", "out/bundle") == 0
    assert download("bundle") == 0
    assert fetched(tmp_path) == {"MLmodel", "code/a.py"}
    assert upload("whole", "out/bundle", hidden="true") == 0
    assert download("whole") == 0
    assert fetched(tmp_path) == {"MLmodel", "code/a.py", ".secret"}


def test_lone_match_of_a_pattern_is_unpacked_flat(tmp_path: Path, upload, download):
    """One match lands in the path itself, several in folders of their names: a trap."""
    write(tmp_path, "a.json", "b.json")
    assert upload("a", "a.json") == 0
    assert download(pattern="{a,b}") == 0
    assert fetched(tmp_path) == {"a.json"}
    assert upload("b", "b.json") == 0
    assert download(pattern="{a,b}") == 0
    assert fetched(tmp_path) == {"a.json", "a/a.json", "b/b.json"}


def test_parts_are_merged_where_that_is_asked(tmp_path: Path, upload, download):
    """With merge-multiple all that a pattern matches lies in the path itself."""
    write(tmp_path, "a.json", "b.json")
    assert upload("shards-1", "a.json") == 0
    assert upload("shards-2", "b.json") == 0
    assert download(pattern="shards-*", merge="true") == 0
    assert fetched(tmp_path) == {"a.json", "b.json"}


def test_artifact_is_replaced_only_where_that_is_asked(tmp_path: Path, upload, download):
    """With overwrite a name is taken over whole; without it stays another's."""
    write(tmp_path, "a.json", "b.json")
    assert upload("a", "a.json") == 0
    assert upload("a", "b.json") == 1
    assert upload("a", "b.json", overwrite="true") == 0
    assert download("a") == 0
    assert fetched(tmp_path) == {"b.json"}


def test_what_is_missing(tmp_path: Path, upload, download):
    """A missing name fails, a pattern without match does not; nothing to upload fails if asked."""
    assert download("schema") == 1
    assert download(pattern="schema") == 0
    assert upload("schema", "schema.json") == 0
    assert upload("schema", "schema.json", if_none="error") == 1
    assert fetched(tmp_path) == set()


def test_artifacts_are_immutable_and_need_a_token(tmp_path: Path, upload, download):
    """A name is taken once a run, and another run's artifacts are not read without a token."""
    write(tmp_path, "a.json")
    assert upload("a", "a.json") == 0
    assert upload("a", "a.json") == 1
    assert download("a", token="") == 1


def attested(folder: Path, **variables: str) -> int:
    """Run the stand-in of attest in a workspace with a subject and a predicate."""
    write(folder, "bundle.sha256")
    (folder / "predicate.json").write_text('{"verdict": "PASS"}')
    given = {
        "SUBJECT_PATH": "bundle.sha256",
        "SUBJECT_DIGEST": "",
        "SUBJECT_CHECKSUMS": "",
        "PREDICATE": "",
        "PREDICATE_PATH": "predicate.json",
        "PREDICATE_TYPE": "urn:x:1",
        "STAND_IN_ARTIFACTS": str(folder / "store"),
        "GITHUB_RUN_ID": "1",
    }
    script = STAND_INS / "attest" / "attest.py"
    return run("python3", script, folder=folder, **{**given, **variables}).returncode


def test_attestation_is_of_the_files_own_digest(tmp_path: Path):
    """The statement names the subject by the SHA-256 of its content and holds the predicate."""
    assert attested(tmp_path) == 0
    made = json.loads((tmp_path / "store" / "1" / "attestation.json").read_text())
    digest = hashlib.sha256(b"bundle.sha256").hexdigest()
    assert made["subject"] == [{"name": "bundle.sha256", "digest": {"sha256": digest}}]
    assert (made["predicateType"], made["predicate"]) == ("urn:x:1", {"verdict": "PASS"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"SUBJECT_PATH": ""},
        {"SUBJECT_PATH": "missing"},
        {"SUBJECT_DIGEST": "sha256:0"},
        {"PREDICATE": "{}"},
        {"PREDICATE_TYPE": ""},
    ],
)
def test_attestation_needs_one_subject_and_one_predicate(tmp_path: Path, wrong):
    """What the real action refuses, the stand-in refuses."""
    assert attested(tmp_path, **wrong) == 1
