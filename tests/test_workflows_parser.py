"""GitHub's own parser and evaluator on the workflows: no error, and every `if` as meant."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from programs import missing, program, run
from workflow_rules import FOLDER, parse, read_texts

ROOT = Path(__file__).parents[1]
PARSER = Path(__file__).parent / "workflow_parser"
STAND_INS = Path(__file__).parent / "stand_ins"
GATE = ".github/workflows/gate.yml"


def node(script: str, question: Any) -> Any:
    """Ask a script of tests/workflow_parser; question and answer are JSON."""
    if not (PARSER / "node_modules").is_dir():
        missing("GitHub's workflow parser is not installed: `make node` installs it with npm.")
    command = (program("node"), "--import", "./register.mjs", script)
    done = run(*command, folder=PARSER, text=json.dumps(question))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def findings(texts: dict[str, str]) -> list[str]:
    """What GitHub's parser and language server say; of actions they know the stand-ins' inputs."""
    actions = {}
    for folder in (path for path in STAND_INS.iterdir() if path.is_dir()):
        owner = "astral-sh" if folder.name == "setup-uv" else "actions"
        actions[f"{owner}/{folder.name}"] = yaml.safe_load((folder / "action.yml").read_text())
    files = {str(FOLDER / name): text for name, text in texts.items()}
    found = node("check.mjs", {"files": files, "actions": actions})
    return [f"{Path(item['file']).name}:{item['line']}: {item['message']}" for item in found]


@pytest.mark.parametrize("which", ["generated", "own"])
def test_github_would_accept_every_workflow(which: str, rendered: Path):
    """Neither parser nor language server has an error or a warning."""
    assert findings(read_texts(rendered if which == "generated" else ROOT)) == []


PLANTED = (
    ("predict.yml", "      candidates: ${{", "      candidate: ${{", "candidate"),
    ("gate.yml", "reusable-sanity.yml", "reusable-sense.yml", "Unable to find reusable workflow"),
    ("gate.yml", "needs: [schema,", "needs: [scheme,", "scheme"),
    ("score.yml", "startsWith(", "beginsWith(", "beginsWith"),
    ("score.yml", "timeout-minutes: 30", "timeout-minute: 30", "timeout-minute"),
    ("score.yml", "statuses: write", "status: write", "status"),
    ("reusable-predict.yml", "inputs.candidates }}", "inputs.candidate }}", "candidate"),
    ("score.yml", "run-id:", "runid:", "runid"),
)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"), PLANTED, ids=[plant[2].strip(" :,(${") for plant in PLANTED]
)
def test_planted_mistake_is_found(name, old, new, told, rendered: Path):
    """A misspelt input, callee, job, function, key or permission is named by GitHub's parser."""
    texts = read_texts(rendered)
    assert old in texts[name]
    texts[name] = texts[name].replace(old, new, 1)
    found = findings(texts)
    assert any(told in finding for finding in found), found


def evaluated(expressions: list[tuple[str, dict[str, Any]]], status: str = "success") -> list[Any]:
    """What GitHub's evaluator makes of each expression in its contexts."""
    return node(
        "evaluate.mjs",
        [
            {"expression": expression, "contexts": contexts, "status": status}
            for expression, contexts in expressions
        ],
    )


CONCLUSIONS = (
    "success",
    "failure",
    "cancelled",
    "skipped",
    "neutral",
    "timed_out",
    "action_required",
    "startup_failure",
    "stale",
)
RUNS = [
    dict(zip(("conclusion", "event", "head_branch", "owner", "path"), values, strict=True))
    for values in itertools.product(
        CONCLUSIONS,
        ("pull_request", "merge_group", "push", "pull_request_target", "workflow_dispatch"),
        ("main", "feature"),
        ("group/model", "stranger/model"),
        (GATE, f"{GATE}@refs/heads/main", ".github/workflows/imitation.yml", f"{GATE}.yml"),
    )
]


def contexts_of(finished: dict[str, str]) -> dict[str, Any]:
    """The contexts of a workflow_run event for this finished run, in repository group/model."""
    payload = {**finished, "head_repository": {"full_name": finished["owner"]}}
    event = {"workflow_run": payload}
    return {"github": {"event": event, "repository": "group/model", "event_name": "workflow_run"}}


def is_scored(finished: dict[str, str]) -> bool:
    """Design: the gate succeeded, on a pull request (a fork's too), a merge queue or our main."""
    own_main = finished["head_branch"] == "main" and finished["owner"] == "group/model"
    return (
        finished["conclusion"] == "success"
        and finished["path"].split("@")[0] == GATE
        and (
            finished["event"] in {"pull_request", "merge_group"}
            or (finished["event"] == "push" and own_main)
        )
    )


def is_explained(finished: dict[str, str]) -> bool:
    """Design: the gate of a pull request came to a bad end; a superseded run says nothing."""
    return (
        finished["conclusion"] in {"failure", "timed_out", "startup_failure"}
        and finished["path"].split("@")[0] == GATE
        and finished["event"] == "pull_request"
    )


@pytest.mark.parametrize(("job", "wanted"), [("score", is_scored), ("explain", is_explained)])
def test_truth_table_of_jobs(job: str, wanted, rendered: Path):
    """Score and explain start on exactly the runs designed, out of all combinations."""
    condition = parse(read_texts(rendered))["score.yml"].jobs[job]["if"]
    found = evaluated([(condition, contexts_of(finished)) for finished in RUNS])
    assert found == [wanted(finished) for finished in RUNS]
    assert set(found) == {True, False}


def test_truth_table_of_the_bundle(rendered: Path):
    """The bundle is fetched of main's own run only, never of a pull request."""
    steps = parse(read_texts(rendered))["score.yml"].using("actions/download-artifact")
    (condition,) = [step["if"] for step in steps if step["with"].get("name") == "bundle"]
    events = ("push", "pull_request")
    runs = [contexts_of({**RUNS[0], "event": event}) for event in events]
    assert evaluated([(condition, contexts) for contexts in runs]) == [True, False]
    assert [step["with"].get("name") for step in steps if "if" in step] == ["bundle"]


def test_truth_table_of_the_attestation(rendered: Path):
    """Attested is what this run certified, in a public repository, and nothing else."""
    (step,) = parse(read_texts(rendered))["score.yml"].using("actions/attest")
    cases = list(itertools.product(({"certified": "true"}, {}), ("public", "internal", "private")))
    contexts = [
        {
            "steps": {"score": {"outputs": outputs, "outcome": "success"}},
            "github": {"event": {"repository": {"visibility": visibility}}},
        }
        for outputs, visibility in cases
    ]
    found = evaluated([(step["if"], one) for one in contexts])
    assert found == [bool(outputs) and visibility == "public" for outputs, visibility in cases]
    assert found.count(True) == 1


@pytest.mark.parametrize("parts", ["[]", "[1, 2]", ""], ids=["short", "long", "refused"])
def test_truth_table_of_a_divided_batch(parts: str, rendered: Path):
    """Tables are kept where all was predicted at once, even if no row could be; else are parts."""
    flow = parse(read_texts(rendered))["reusable-predict.yml"]
    tables, fetched = (step["if"] for step in flow.using("actions/upload-artifact")[:2])
    context = {"outputs": {"parts": parts}}
    status = "success" if parts else "failure"
    asked = [(tables, {"steps": {"begin": context}}), (fetched, {"steps": {"begin": context}})]
    asked.append((flow.jobs["part"]["if"], {"needs": {"begin": context}}))
    # GitHub puts `success() &&` before a condition that does not ask for a status
    wanted = [parts == "[]", parts == "[1, 2]", parts == "[1, 2]"]
    whole = [(one if "always()" in one else f"success() && {one}", told) for one, told in asked]
    assert evaluated(whole, status) == wanted


@pytest.mark.parametrize("status", ["success", "failure", "cancelled"])
def test_truth_table_of_steps_and_gates(status: str, rendered: Path):
    """Every other `if` is `always()`: gates and reports run whatever came before."""
    conditions = [
        part["if"]
        for texts in (read_texts(rendered), read_texts(ROOT))
        for name, workflow in parse(texts).items()
        for part in (*workflow.jobs.values(), *(step for _, step in workflow.steps))
        if "if" in part and not re.search(r"workflow_run|steps\.|needs\.", part["if"])
    ]
    assert len(conditions) >= 6
    assert evaluated([(condition, {}) for condition in conditions], status) == [True] * len(
        conditions
    )


def test_results_that_reach_the_gate(rendered: Path):
    """The gate is told the result of each needed job and nothing that an author wrote."""
    (step,) = parse(read_texts(rendered))["gate.yml"].jobs["gate"]["steps"]
    expression = step["env"]["RESULTS"].removeprefix("${{").removesuffix("}}")
    needs = {
        "schema": {"result": "success", "outputs": {"text": "$(touch owned)"}},
        "candidate": {"result": "failure", "outputs": {}},
        "sanity": {"result": "skipped", "outputs": {}},
    }
    assert evaluated([(expression, {"needs": needs})]) == ["success failure skipped"]


def test_truth_table_of_the_queue_to_score(rendered: Path):
    """Main's own runs wait in one queue; every other run is alone in its own, so displaces none."""
    group = parse(read_texts(rendered))["score.yml"].content["concurrency"]["group"]
    expression = group.removeprefix("score-${{").removesuffix("}}")
    contexts = [contexts_of({**finished, "id": 41}) for finished in RUNS]
    found = evaluated([(expression, context) for context in contexts])
    own = ("push", "main", "group/model")
    wanted = ["main" if (r["event"], r["head_branch"], r["owner"]) == own else "41" for r in RUNS]
    assert list(map(str, found)) == wanted
    assert set(wanted) == {"main", "41"}


@pytest.mark.parametrize(("event", "cancels"), [("pull_request", True), ("push", False)])
def test_truth_table_of_cancelling(event: str, cancels, rendered: Path):
    """A newer push to a pull request replaces the run before; commits on main never do."""
    concurrency = parse(read_texts(rendered))["gate.yml"].content["concurrency"]
    number = {"pull_request": {"number": 7}} if event == "pull_request" else {}
    github = {"event_name": event, "event": number, "run_id": "41"}
    expression = concurrency["cancel-in-progress"].removeprefix("${{").removesuffix("}}")
    group = concurrency["group"].removeprefix("gate-${{").removesuffix("}}")
    found = evaluated([(expression, {"github": github}), (group, {"github": github})])
    assert found == [cancels, "7" if cancels else "41"]
