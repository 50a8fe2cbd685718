"""Runs the property-based tests of a model and reports what falsifies them, and what ran.

pytest runs in two processes of its own, side by side: the tests may import, patch and seed what
they like, and a crash of theirs is reported instead of suffered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from assay.errors import NotCarriedOutError
from assay.model.bundle import digest_bundle
from assay.records import MAXIMUM_TALLIES, MAXIMUM_TEXT, CheckReport, Finding, Tally, bounded
from assay.repository import Repository
from assay.sanity.own_tests import gone, hooked, not_run, own_tests
from assay.sanity.runs import Content, run_both
from assay.sanity.shortfalls import causes, hindered, kit_shortfalls, own_shortfalls, was_skipped
from assay.sanity.subprocess_model import LOADER
from assay.sanity.suites import FAST, SLOW, drawn_names, wanted_names
from assay.settings import Settings

LONGEST_BLOB = 400


def run_sanity(
    repository: Repository, bundle: Path, *, fast: bool = False, loader: str = LOADER
) -> CheckReport:
    """Test the bundle against assay's properties, and then the repository's own in `tests/`.

    Args:
        repository: with `sanity.examples` Hypothesis examples a property, always the same ones.
        bundle: folder of the model.
        fast: leave out what trains models. It is left out, too, once anything faster failed.
        loader: `module:function` that loads a model from the folder.

    Raises:
        NotCarriedOutError: there is no bundle, it cannot be loaded, or pytest ended without a
            record.
    """
    if not bundle.is_dir():
        raise NotCarriedOutError(
            f"there is no bundle at {bundle}: run `assay train` first.", code="bundle.missing"
        )
    # the settings as the tests themselves take them
    repository = replace(repository, root=repository.root.resolve()).in_force
    kit, own = run_both(repository.root, bundle, loader, fast=fast)
    fast = fast or kit["withheld"]
    runs = [kit] if own is None else [kit, own]
    found = [*_shortfalls(repository, kit, own, fast=fast), *_told(runs)]
    findings, unlisted = bounded(found)
    ran = _ran(runs)
    return CheckReport(
        check="sanity",
        subject=digest_bundle(bundle),
        executed=len({test["node"] for test in ran}),
        findings=findings,
        unlisted=unlisted,
        tallies=_tallies(ran),
        details=_details(repository.settings, kit, fast=fast),
    )


def _shortfalls(
    repository: Repository, kit: Content, own: Content | None, *, fast: bool
) -> Iterator[Finding]:
    """What did not run, or less often than demanded."""
    modules, settings = FAST if fast else FAST + SLOW, repository.settings
    wanted, examples = wanted_names(settings, modules), settings.sanity.examples

    @cache
    def cause() -> str:
        return causes(repository.root)

    yield from kit_shortfalls(kit["tests"], wanted, drawn_names(modules), examples, cause)
    if own is not None:
        yield from hindered(own["collected"], wanted, examples, cause)
        yield from own_shortfalls(own["tests"], examples, cause)
        yield from not_run(own_tests(repository.root, fast=fast), own, cause)
        yield from hooked(own)
    yield from gone(repository)


def _told(runs: Sequence[Content]) -> Iterator[Finding]:
    for content in runs:
        yield from _unreadable(content)
        yield from _failed(content)


def _ran(runs: Sequence[Content]) -> list[dict[str, Any]]:
    """The tests that ran to their end, of which an expected failure is none."""
    tests = [test for content in runs for test in content["tests"]]
    return [test for test in tests if test["stage"] == "call" and not was_skipped(test)]


def _tallies(ran: Sequence[dict[str, Any]]) -> list[Tally]:
    """A count for every property; the cases of a parametrised test are added up."""
    found: dict[tuple[str, str], Tally] = {}
    for test in ran:
        where, _, _ = test["node"].partition("::")
        key = (_cut(test["function"]), _cut(where))
        before = found.get(key, Tally(name=key[0], where=key[1], exhausted=True))
        added = {
            name: (getattr(before, name) or 0) + test[name]
            for name in ("rows", "examples", "rejected")
            if name in test
        }
        exhausted = before.exhausted and test.get("exhausted", False)
        found[key] = before.model_copy(update=added | {"exhausted": exhausted})
    return list(found.values())[:MAXIMUM_TALLIES]


def _details(settings: Settings, kit: Content, *, fast: bool) -> str:
    """What was counted, in words."""
    counts = sorted(
        test["examples"]
        for test in _ran([kit])
        if test.get("examples") is not None and test["outcome"] == "passed"
    )
    each = "no examples"
    if counts:
        span = str(counts[0]) if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
        each = f"{span} examples each"
    withheld = "; no training was tested, as "
    why = "something faster failed" if kit["withheld"] else "only the fast suite was asked for"
    return f"{each}, seed {settings.sanity.seed}" + (withheld + why if fast else "")


def _unreadable(content: dict[str, Any]) -> Iterator[Finding]:
    for entry in content["unreadable"]:
        yield Finding(
            rule="collection",
            severity="failure",
            message=f"pytest cannot read this file: {entry['message'].strip()[-800:]}",
            file=entry["file"] or None,
        )


def _failed(content: dict[str, Any]) -> Iterator[Finding]:
    for test in content["tests"]:
        warning, failed = test["properties"].get("warning"), test["outcome"] == "failed"
        if failed or warning:
            yield Finding(
                rule=_cut(test["name"]),
                severity=test["severity"] if failed else "warning",
                message=_cut(_message(test, warning)),
                file=test["file"] if _is_inside(test["file"]) else None,
                line=test["line"] if _is_inside(test["file"]) else None,
                formula=_short(test.get("formula") or test["properties"].get("formula")),
                value=_short(test.get("value")),
                node=_cut(test["node"]) if failed else None,
                example=_example(test),
            )


def _is_inside(file: str) -> bool:
    """Whether a test lies in the repository, where a reviewer can look at its line."""
    return bool(file) and not file.startswith("..")


def _short(text: Any) -> str | None:
    return None if text in (None, "") else str(text)[:200]


def _cut(text: str) -> str:
    return text if len(text) <= MAXIMUM_TEXT else f"{text[: MAXIMUM_TEXT - 1]}…"


def _example(test: dict[str, Any]) -> str | None:
    found = test.get("reproduction")
    return found if found and len(found) < LONGEST_BLOB else None


def _message(test: dict[str, Any], warning: str | None) -> str:
    if warning:
        return f"{test['property']} But {warning}."
    reason = test["message"].strip().split("\n")[0][:500]
    if test["stage"] != "call":
        return f"{test['name']} could not be set up: {reason}"
    return f"{test['property']} But {reason}."
