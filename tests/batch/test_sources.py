"""A list of candidates is what was named, from wherever it came, and nothing else is unpacked."""

import io
import zipfile
from pathlib import Path

import pytest

from assay.batch.lists import obtain
from assay.errors import NotCarriedOutError, UsageError
from github_samples import TOKEN, break_, running_server  # noqa: F401 (a fixture)
from github_server import GithubServer

LIST = b"formula\nNaCl\n"
RUN = 41


@pytest.fixture
def root(tmp_path: Path, server: GithubServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in a workflow whose GitHub is the local server."""
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    monkeypatch.setenv("GITHUB_REPOSITORY", "group/model")
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def release(server: GithubServer, tag: str, **files: bytes) -> None:
    """Publish a release whose files are called as told, with dots for double underscores."""
    assets = []
    (server.state.folder / "assets").mkdir(exist_ok=True)
    for called, content in files.items():
        number = server.state.next_id()
        (server.state.folder / "assets" / str(number)).write_bytes(content)
        url = f"{server.url}/repos/group/model/releases/assets/{number}"
        name = called.replace("__", ".")
        assets.append({"id": number, "name": name, "size": len(content), "url": url})
    url = f"{server.url}/repos/group/model/releases/1"
    listed = {"id": 1, "tag_name": tag, "draft": False, "assets": assets, "url": url}
    server.state.write("releases.json", [listed])


def archive(**files: bytes) -> bytes:
    """A zip of files called as told, with dots for double underscores."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        for name, text in files.items():
            content.writestr(name.replace("__", "."), text)
    return buffer.getvalue()


def artifact(server: GithubServer, content: bytes, number: int = 5, **fields: object) -> None:
    """Keep an artifact `lists` of run 41 beside those that are there."""
    (server.state.folder / "archives").mkdir(exist_ok=True)
    (server.state.folder / "archives" / str(number)).write_bytes(content)
    one = {"id": number, "run": RUN, "name": "lists", "expired": False, **fields}
    server.state.write("artifacts.json", [*server.state.read("artifacts.json", []), one])


def test_path_is_taken_as_it_is(root):
    """A file of the repository is neither looked for elsewhere nor copied."""
    assert obtain(root, "data/candidates/few.csv") == Path("data/candidates/few.csv")
    assert not (root / "out").exists()


def test_path_out_of_the_repository_is_refused_in_actions(root, monkeypatch):
    """Who dispatches a batch names a file of the repository, not one of the runner."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert obtain(root, str(root / "data" / "few.csv")).name == "few.csv"
    for source in ("/etc/hostname", str(root / ".." / "few.csv")):
        with pytest.raises(UsageError, match="no path in this repository"):
            obtain(root, source)


def test_file_of_a_release(root, server):
    """The very bytes of the file that is named, and of no other of the release."""
    release(server, "v1", a__csv=LIST, b__csv=b"formula\nMgO\n")
    path = obtain(root, "release:v1/a.csv")
    assert path == root / "out" / "candidates" / "a.csv"
    assert path.read_bytes() == LIST
    assert [one.name for one in path.parent.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("named", ["lists", "lists/deep/a.csv"])
def test_list_in_an_artifact(root, server, named):
    """The only list of an artifact, or the one that is named; the token stays with GitHub."""
    files = {"deep/a__csv": LIST, "read__me": b"x"}
    artifact(server, archive(**files, **({} if named == "lists" else {"b__csv": b"x"})))
    path = obtain(root, f"artifact:{RUN}/{named}")
    assert path == root / "out" / "candidates" / "a.csv"
    assert path.read_bytes() == LIST


def test_last_artifact_of_a_name_counts(root, server):
    """Of a run that was started again, what the last attempt left; an expired one is not there."""
    artifact(server, archive(a__csv=b"formula\nMgO\n"), 5)
    artifact(server, archive(a__csv=LIST), 7)
    artifact(server, archive(a__csv=b"formula\nKCl\n"), 9, expired=True)
    assert obtain(root, f"artifact:{RUN}/lists").read_bytes() == LIST


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("release:v1", "names no list"),
        ("release:v1/../../a.csv", "names no list"),
        ("artifact:0/lists", "names no list"),
        ("artifact:x/lists", "names no list"),
        ("release:v1/.hidden.csv", "give it a name"),
        ("release:v1/c.csv", "no release 'v1' with the file c.csv"),
        ("release:v2/a.csv", "no release 'v2'"),
        ("artifact:41/other", "no artifact 'other'"),
        ("artifact:42/lists", "HTTP 404"),
        ("artifact:41/lists/c.csv", "holds 0 such lists"),
        ("artifact:41/lists", "holds 2 such lists"),
    ],
)
def test_what_is_not_there_is_one_sentence(root, server, source, told):
    """A wrong name, tag, run or file is named, and nothing is left behind."""
    release(server, "v1", a__csv=LIST)
    artifact(server, archive(a__csv=LIST, b__csv=LIST))
    with pytest.raises((UsageError, NotCarriedOutError), match=told) as caught:
        obtain(root, source)
    assert TOKEN not in str(caught.value)
    assert not list(root.glob("out/candidates/*"))


@pytest.mark.parametrize("name", ["../../up__csv", "deep/$(touch owned)__csv", "deep/.csv"])
def test_member_stays_in_its_folder(root, server, name):
    """What an archive calls its members decides no folder; an unsafe name is refused."""
    artifact(server, archive(**{name: LIST}))
    if name.startswith(".."):
        assert obtain(root, f"artifact:{RUN}/lists").parent == root / "out" / "candidates"
        assert not list(root.parent.glob("up.csv"))
    else:
        with pytest.raises(UsageError, match="give it a name"):
            obtain(root, f"artifact:{RUN}/lists")


def test_damaged_archive_is_told(root, server):
    """What is no zip, or one whose bytes changed, is not taken."""
    whole = archive(a__csv=LIST * 100)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("a.csv", LIST * 100)
    deflated = bytearray(packed.getvalue())
    deflated[36:40] = b"\xff" * 4  # behind the header of 30 bytes and the name of 5
    for content in (b"no zip", whole.replace(b"NaCl", b"KBrI", 1), bytes(deflated)):
        server.state.write("artifacts.json", [])
        artifact(server, content)
        with pytest.raises(NotCarriedOutError, match="cannot be unpacked"):
            obtain(root, f"artifact:{RUN}/lists")
        assert not list(root.glob("out/candidates/*"))


def test_storage_that_fails_is_told_without_the_token(root, server):
    """An answer other than a place, and a place that hands out nothing, are one sentence each."""
    artifact(server, archive(a__csv=LIST))
    (server.state.folder / "archives" / "5").rename(server.state.folder / "archives" / "6")
    server.state.write("artifacts.json", [{"id": 6, "run": RUN, "name": "lists", "expired": False}])
    break_(server, "/zip", 410)
    with pytest.raises(NotCarriedOutError, match="HTTP 410"):
        obtain(root, f"artifact:{RUN}/lists")
