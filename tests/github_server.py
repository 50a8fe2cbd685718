"""A stand-in of GitHub's REST API on loopback, as far as our client and its tests go.

`python tests/github_server.py --port-file F --state DIR` serves until it is stopped; DIR then
holds, as JSON, what was sent to it:

- `requests.jsonl`: one line a request: method, path, body (never the token)
- `statuses.json`: commit SHA -> list of statuses
- `comments.json`: issue number -> list of comments
- `releases.json`: list of releases; the files themselves lie in `assets/`

and reads there, when present, what a test wants GitHub to know:

- `pulls.json`: list of pull requests: `number`, `state`, `head.sha`, ...; where they do not say
  otherwise they are to main of the repository asked
- `faults.json`: list of `{"method", "path", "status"}`: requests whose path contains `path`
  are answered with that status
- `artifacts.json`: list of artifacts of workflow runs: `id`, `run`, `name`, `expired`; the archive
  of each lies in `archives/<id>`, and is handed out at an address that must not be sent the token
- `user.json`: the token's own account; without it the token is a workflow's: `/user` is refused
"""

import argparse
import json
import re
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}
PAGE = 100
STORAGE = "/storage/"

Answer = tuple[int, Any]


class State:
    """What the server knows; every change is on disk before the answer is sent."""

    def __init__(self, folder: Path) -> None:
        """Keep everything in `folder`, continuing from what is there."""
        self.folder = folder
        self.lock = threading.RLock()
        (folder / "assets").mkdir(parents=True, exist_ok=True)

    def read(self, name: str, default: Any) -> Any:
        """The content of a JSON file, or `default` if it is not there."""
        path = self.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else default

    def write(self, name: str, content: Any) -> None:
        """Replace a JSON file."""
        temporary = self.folder / f".{name}"
        temporary.write_text(json.dumps(content, indent=2), encoding="utf-8")
        temporary.replace(self.folder / name)

    def record(self, method: str, path: str, body: Any) -> None:
        """Append to the list of requests."""
        with (self.folder / "requests.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"method": method, "path": path, "body": body}) + "\n")

    def next_id(self) -> int:
        """A number that was not given out before."""
        number = self.read("next_id.json", 1)
        self.write("next_id.json", number + 1)
        return int(number)

    def account(self) -> dict[str, Any]:
        """Who the token belongs to."""
        return dict(self.read("user.json", BOT))


class Api:
    """The routes; `base` is the server's own address."""

    def __init__(self, state: State, base: str) -> None:
        """Answer from `state`; addresses in answers start with `base`."""
        self.state = state
        self.base = base

    def answer(self, method: str, target: str, body: Any) -> Answer:
        """Status and JSON content (or bytes) for one request."""
        path = unquote(urlsplit(target).path)
        query = {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}
        with self.state.lock:
            self.state.record(method, target, None if isinstance(body, bytes) else body)
            for fault in self.state.read("faults.json", []):
                if fault.get("method", method) == method and fault["path"] in path:
                    return fault["status"], {"message": "planted fault"}
            for verb, pattern, handler in self._routes():
                match = re.fullmatch(pattern, path)
                if verb == method and match:
                    return handler(*match.groups(), query=query, body=body)
        return 404, {"message": "Not Found"}

    def _routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        repository = r"/repos/([^/]+/[^/]+)"
        return [
            ("GET", r"/user", self._user),
            ("GET", repository, self._repository),
            ("GET", repository + r"/commits/([0-9a-f]{40})", self._commit),
            ("GET", repository + r"/commits/([0-9a-f]{40})/statuses", self._statuses),
            ("POST", repository + r"/statuses/([0-9a-f]{40})", self._set_status),
            ("GET", repository + r"/pulls", self._pulls),
            ("GET", repository + r"/issues/(\d+)/comments", self._comments),
            ("POST", repository + r"/issues/(\d+)/comments", self._add_comment),
            ("PATCH", repository + r"/issues/comments/(\d+)", self._edit_comment),
            ("POST", repository + r"/releases", self._add_release),
            ("GET", repository + r"/releases/tags/(.+)", self._tagged),
            ("PATCH", repository + r"/releases/(\d+)", self._edit_release),
            ("GET", repository + r"/releases/(\d+)/assets", self._assets),
            ("POST", r"/uploads" + repository + r"/releases/(\d+)/assets", self._upload),
            ("GET", repository + r"/releases/assets/(\d+)", self._download),
            ("GET", repository + r"/actions/runs/(\d+)", self._run),
            ("GET", repository + r"/actions/runs/(\d+)/artifacts", self._artifacts),
            ("GET", repository + r"/actions/artifacts/(\d+)/zip", self._archive),
        ]

    def _user(self, **_: Any) -> Answer:
        account = self.state.read("user.json", None)
        if account is None:
            return 403, {"message": "Resource not accessible by integration"}
        return 200, account

    def _repository(self, name: str, **_: Any) -> Answer:
        url = f"{self.base}/repos/{name}"
        return 200, {"full_name": name, "default_branch": "main", "url": url}

    def _commit(self, name: str, sha: str, **_: Any) -> Answer:
        return 200, {"sha": sha, "url": f"{self.base}/repos/{name}/commits/{sha}"}

    def _statuses(self, _name: str, sha: str, query: dict[str, str], **_: Any) -> Answer:
        return 200, _page(self.state.read("statuses.json", {}).get(sha, [])[::-1], query)

    def _set_status(self, _name: str, sha: str, body: Any, **_: Any) -> Answer:
        if body.get("state") not in {"error", "failure", "pending", "success"}:
            return 422, {"message": "state is not included in the list"}
        if len(body.get("description") or "") > 140:
            return 422, {"message": "description is too long (maximum is 140 characters)"}
        statuses = self.state.read("statuses.json", {})
        status = {"id": self.state.next_id(), "context": "default", **body}
        statuses.setdefault(sha, []).append(status)
        self.state.write("statuses.json", statuses)
        return 201, status

    def _pulls(self, name: str, query: dict[str, str], **_: Any) -> Answer:
        wanted = query.get("state", "open")
        main = {"ref": "main", "repo": {"full_name": name}}
        pulls = [
            pull | {"base": main | pull.get("base", {})}
            for pull in self.state.read("pulls.json", [])
            if wanted in {"all", pull.get("state", "open")}
        ]
        if query.get("sort") == "updated":
            descending = query.get("direction", "desc") == "desc"
            pulls.sort(key=lambda pull: pull.get("updated_at", ""), reverse=descending)
        # a filter that the client sends is one that GitHub applies
        base = query.get("base")
        return 200, _page([p for p in pulls if base in {None, p["base"]["ref"]}], query)

    def _comments(self, _name: str, number: str, query: dict[str, str], **_: Any) -> Answer:
        return 200, _page(self.state.read("comments.json", {}).get(number, []), query)

    def _add_comment(self, name: str, number: str, body: Any, **_: Any) -> Answer:
        if len(body["body"]) > 65536:
            return 422, {"message": "body is too long (maximum is 65536 characters)"}
        identity = self.state.next_id()
        url = f"{self.base}/repos/{name}/issues/comments/{identity}"
        comment = {"id": identity, "url": url, "user": self.state.account(), **body}
        comments = self.state.read("comments.json", {})
        comments.setdefault(number, []).append(comment)
        self.state.write("comments.json", comments)
        return 201, comment

    def _edit_comment(self, _name: str, identity: str, body: Any, **_: Any) -> Answer:
        comments = self.state.read("comments.json", {})
        for comment in (comment for listed in comments.values() for comment in listed):
            if comment["id"] == int(identity):
                comment["body"] = body["body"]
                self.state.write("comments.json", comments)
                return 200, comment
        return 404, {"message": "Not Found"}

    def _add_release(self, name: str, body: Any, **_: Any) -> Answer:
        if not body.get("draft") and self._find(tag_name=body["tag_name"], draft=False):
            return 422, {"message": "Validation Failed"}
        identity = self.state.next_id()
        url = f"{self.base}/repos/{name}/releases/{identity}"
        upload = f"{self.base}/uploads/repos/{name}/releases/{identity}/assets{{?name,label}}"
        release = {"id": identity, "url": url, "upload_url": upload, "assets": [], **body}
        self._keep(release)
        return 201, release

    def _tagged(self, _name: str, tag: str, **_: Any) -> Answer:
        release = self._find(tag_name=tag, draft=False)
        return (200, release) if release else (404, {"message": "Not Found"})

    def _edit_release(self, _name: str, identity: str, body: Any, **_: Any) -> Answer:
        release = self._find(id=int(identity))
        if release is None:
            return 404, {"message": "Not Found"}
        self._keep(release | body)
        return 200, release | body

    def _assets(self, _name: str, identity: str, query: dict[str, str], **_: Any) -> Answer:
        release = self._find(id=int(identity))
        if release is None:
            return 404, {"message": "Not Found"}
        return 200, _page(release["assets"], query)

    def _upload(
        self, name: str, identity: str, query: dict[str, str], body: bytes, **_: Any
    ) -> Answer:
        release = self._find(id=int(identity))
        if release is None or any(a["name"] == query["name"] for a in release["assets"]):
            return 422, {"message": "Validation Failed"}
        number = self.state.next_id()
        (self.state.folder / "assets" / str(number)).write_bytes(body)
        url = f"{self.base}/repos/{name}/releases/assets/{number}"
        asset = {"id": number, "name": query["name"], "size": len(body), "url": url}
        release["assets"].append(asset | {"state": "uploaded"})
        self._keep(release)
        return 201, asset

    def _download(self, _name: str, identity: str, **_: Any) -> Answer:
        path = self.state.folder / "assets" / identity
        return (200, path.read_bytes()) if path.exists() else (404, {"message": "Not Found"})

    def _run(self, name: str, number: str, **_: Any) -> Answer:
        if all(one["run"] != int(number) for one in self.state.read("artifacts.json", [])):
            return 404, {"message": "Not Found"}
        url = f"{self.base}/repos/{name}/actions/runs/{number}"
        return 200, {"id": int(number), "url": url, "artifacts_url": f"{url}/artifacts"}

    def _artifacts(self, name: str, number: str, query: dict[str, str], **_: Any) -> Answer:
        listed = [one for one in self.state.read("artifacts.json", []) if one["run"] == int(number)]
        found = [one | self._archived(name, str(one["id"])) for one in listed]
        return 200, {"total_count": len(found), "artifacts": _page(found, query)}

    def _archived(self, name: str, identity: str) -> dict[str, Any]:
        url = f"{self.base}/repos/{name}/actions/artifacts/{identity}/zip"
        size = self._archive_of(identity).stat().st_size
        return {"size_in_bytes": size, "archive_download_url": url}

    def _archive(self, _name: str, identity: str, **_: Any) -> Answer:
        return 302, {"location": f"{self.base}{STORAGE}{identity}"}

    def _archive_of(self, identity: str) -> Path:
        return self.state.folder / "archives" / identity

    def stored(self, path: str, *, token: bool) -> Answer:
        """What the storage hands out: whoever sends it the token has given it away."""
        place = self._archive_of(path.removeprefix(STORAGE))
        if token or not place.is_file():
            return 400, {"message": "no such thing, or an Authorization header"}
        return 200, place.read_bytes()

    def _find(self, **wanted: Any) -> dict[str, Any] | None:
        for release in self.state.read("releases.json", []):
            if all(release.get(key) == value for key, value in wanted.items()):
                return dict(release)
        return None

    def _keep(self, release: dict[str, Any]) -> None:
        others = [r for r in self.state.read("releases.json", []) if r["id"] != release["id"]]
        self.state.write("releases.json", [*others, release])


def _page(items: list[Any], query: dict[str, str]) -> list[Any]:
    size = min(int(query.get("per_page", 30)), PAGE)
    start = (int(query.get("page", 1)) - 1) * size
    return items[start : start + size]


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for `Api`; a request without a token is refused as GitHub refuses it."""

    protocol_version = "HTTP/1.1"

    def __init__(self, state: State, *arguments: Any) -> None:
        """Serve from `state`."""
        self.state = state
        super().__init__(*arguments)

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        binary = self.path.startswith("/uploads/")
        body = content if binary else json.loads(content) if content else None
        base = f"http://{self.headers['Host']}"
        if self.path.startswith(STORAGE):
            token = "Authorization" in self.headers
            self._send(*Api(self.state, base).stored(self.path, token=token))
            return
        if not re.match(r"(?i)(token|bearer) \S", self.headers.get("Authorization") or ""):
            self._send(401, {"message": "Requires authentication"})
            return
        if self.path.endswith("/zip") and "octet-stream" in (self.headers.get("Accept") or ""):
            self._send(415, {"message": "Unsupported 'Accept' header"})
            return
        status, content = Api(self.state, base).answer(self.command, self.path, body)
        self._send(status, content, self._link(base, content))

    do_GET = do_POST = do_PATCH = _serve  # noqa: N815

    def _link(self, base: str, content: Any) -> str | None:
        """Where the next page is; like GitHub, PyGithub's only way to learn of it."""
        address = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        if not isinstance(content, list) or len(content) < int(query.get("per_page", 30)):
            return None
        following = urlencode(query | {"page": int(query.get("page", 1)) + 1})
        return f'<{base}{address.path}?{following}>; rel="next"'

    def _send(self, status: int, content: Any, link: str | None = None) -> None:
        binary = isinstance(content, bytes)
        data = content if binary else json.dumps(content).encode()
        kind = "application/octet-stream" if binary else "application/json; charset=utf-8"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if link:
            self.send_header("Link", link)
        if isinstance(content, dict) and "location" in content:
            self.send_header("Location", content["location"])
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Say nothing: the requests are on disk."""


class GithubServer:
    """The server as a context manager: `with GithubServer(folder) as server: server.url`."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        """Listen on loopback; port 0 takes any free one."""
        self.state = State(folder)
        self.server = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, self.state))
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        """What `GITHUB_API_URL` must be."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def requests(self) -> list[dict[str, Any]]:
        """Everything that was sent so far, in order."""
        path = self.state.folder / "requests.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving and free the port."""
        self.server.shutdown()
        self.server.server_close()


def main() -> None:
    """Serve until stopped; the port is written only once it can be connected to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port-file", type=Path, required=True, help="written with the port")
    parser.add_argument("--state", type=Path, required=True, help="folder of what was sent")
    options = parser.parse_args()
    github = GithubServer(options.state)
    temporary = options.port_file.with_suffix(".part")
    temporary.write_text(str(github.server.server_port), encoding="utf-8")
    temporary.replace(options.port_file)
    github.server.serve_forever()


if __name__ == "__main__":
    main()
