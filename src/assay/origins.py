"""Which template a repository was made by, with which answers, and which files came from it.

The record is `.cookiecutter.json`, which `assay update` reads. cookiecutter's hook runs this file
from the template, where nothing but the standard library is installed, so it imports nothing else.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

RECORD = ".cookiecutter.json"
# git's id of a file's content, by which the content is found again in the repository's history
Files = dict[str, str]


def write_origin(repository: Path, template: Path, answers: dict[str, str]) -> None:
    """Write the record of a repository whose files, just rendered, are in git's index.

    `answers` are those to the questions of `cookiecutter.json`, `template` is its folder.
    """
    text = record_text(address(template), commit(template), answers, staged(repository))
    (repository / RECORD).write_text(text, encoding="utf-8")


def record_text(
    origin: str | None, made_from: str | None, answers: dict[str, str], files: Files
) -> str:
    """The record: the template's address and commit, the answers, and the files with their ids."""
    content: dict[str, Any] = {
        "template": {"origin": origin, "commit": made_from},
        "answers": answers,
        "files": files,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def staged(repository: Path) -> Files:
    """The files in git's index by their path, each with git's id of its content."""
    listed = git(repository, "ls-files", "--stage", "-z") or ""
    entries = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
    return {name: told.split()[1] for told, name in entries if name != RECORD}


def address(template: Path) -> str | None:
    """Where the template was cloned from, without a password; None for a folder of this machine."""
    url = git(template, "remote", "get-url", "origin") or ""
    if re.match(r"[\w.-]+@[\w.-]+:(?!//)", url):
        return url
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http", "ssh", "git"} or not parts.hostname:
        return None
    bare = parts.netloc.rpartition("@")[2] if parts.scheme.startswith("http") else parts.netloc
    return urlunsplit((parts.scheme, bare, parts.path, "", ""))


def commit(template: Path) -> str | None:
    """The template's commit, with `+changes` where its files differ; None where git knows none."""
    found = git(template, "rev-parse", "HEAD")
    if found is None or git(template, "rev-parse", "--show-cdup") != "":
        return None  # no repository of its own, but a folder in somebody else's
    return found + ("+changes" if git(template, "status", "--porcelain", "-uno") else "")


def git(folder: Path, *arguments: str) -> str | None:
    """What git prints there, stripped, or None where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, check=False
        )
    except OSError:
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
