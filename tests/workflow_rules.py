"""What every workflow must keep to, each rule a function from the workflows to its findings."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(".github", "workflows")
TRUSTED = ("score.yml", "revoke.yml", "predict.yml", "reusable-predict.yml")
# The files that hold secrets, each with the verb whose step alone gets them, and which of them.
HOLDERS = {
    "score.yml": ("score", {"ASSAY_SEALING_KEY", "ASSAY_SIGNING_KEY"}),
    "revoke.yml": ("revoke", {"ASSAY_SIGNING_KEY"}),
    "predict.yml": ("batch sign", {"ASSAY_SIGNING_KEY"}),
}
WRITERS = {"score.yml", "revoke.yml"}
KINDS = {"string": (str,), "boolean": (bool,), "number": (int, float)}
LEVELS = {"none": 0, "read": 1, "write": 2}


FIRST_PARENT = 2


@dataclass(frozen=True)
class Workflow:
    """A workflow file: its text, and the same as YAML."""

    text: str
    content: dict[Any, Any]

    @property
    def triggers(self) -> dict[str, Any]:
        """The events under `on`, which YAML 1.1 reads as true."""
        found = self.content.get("on", self.content.get(True))
        return found if isinstance(found, dict) else dict.fromkeys(found)

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """The jobs by their names."""
        return self.content["jobs"]

    @property
    def steps(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every step with the name of its job."""
        return ((name, step) for name, job in self.jobs.items() for step in job.get("steps", []))

    def using(self, action: str) -> list[dict[str, Any]]:
        """The steps that use an action, whatever its version."""
        return [step for _, step in self.steps if step.get("uses", "").startswith(f"{action}@")]


Workflows = Mapping[str, Workflow]
Rule = Callable[[Workflows], list[str]]


def parse(texts: Mapping[str, str]) -> Workflows:
    """The workflows of these texts."""
    return {name: Workflow(text, yaml.safe_load(text)) for name, text in texts.items()}


def read_texts(root: Path) -> dict[str, str]:
    """The text of each workflow of a repository, by file name."""
    return {path.name: path.read_text() for path in sorted((root / FOLDER).glob("*.y*ml"))}


def _matching(workflows: Workflows, pattern: str) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, workflow in workflows.items()
        for number, line in enumerate(workflow.text.splitlines(), start=1)
        if re.search(pattern, line)
    ]


def no_risky_words(workflows: Workflows) -> list[str]:
    """Nothing that runs a pull request's code with rights, hides a failure or spreads secrets."""
    words = "pull_request_target|allow-unsafe-pr-checkout|continue-on-error|self-hosted"
    secrets = r"secrets:\s*inherit|toJSON\(\s*secrets|GITHUB_ENV|GITHUB_OUTPUT|::set-"
    return _matching(workflows, f"(?i){words}|{secrets}")


def no_expression_in_run(workflows: Workflows) -> list[str]:
    """No author's text is pasted into a shell command."""
    return [
        f"{name}: {step['run']}"
        for name, workflow in workflows.items()
        for _, step in workflow.steps
        if "${{" in step.get("run", "")
    ]


def actions_are_pinned(workflows: Workflows) -> list[str]:
    """Every action is named by a full SHA and its version; every callee lies in this repository."""
    pin = r"uses: (actions|astral-sh)/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$"
    local = r"uses: \./\.github/workflows/reusable-[a-z]+\.yml$"
    return [
        line for line in _matching(workflows, r"\buses:") if not re.search(f"{pin}|{local}", line)
    ]


def permissions_start_empty(workflows: Workflows) -> list[str]:
    """The file grants nothing, and says so before its first job; every job says what it needs."""
    found = [
        f"{name}: no `permissions: {{}}` before jobs"
        for name, workflow in workflows.items()
        if workflow.content.get("permissions") != {}
        or list(workflow.content).index("permissions") > list(workflow.content).index("jobs")
    ]
    return found + [
        f"{name}: job {job} does not state its permissions"
        for name, workflow in workflows.items()
        for job, content in workflow.jobs.items()
        if not isinstance(content.get("permissions"), dict)
    ]


def grants_have_reasons(workflows: Workflows) -> list[str]:
    """Each permission is followed by a comment that says what for."""
    lines = _matching(workflows, r"^\s+[a-z-]+: (read|write)\b")
    return [line for line in lines if not re.search(r"(read|write) # \w+ \w+", line)]


def jobs_have_timeouts(workflows: Workflows) -> list[str]:
    """Every job that runs steps ends by itself."""
    return [
        f"{name}: job {job}"
        for name, workflow in workflows.items()
        for job, content in workflow.jobs.items()
        if "steps" in content and not isinstance(content.get("timeout-minutes"), int)
    ]


def gate_needs_every_job(workflows: Workflows) -> list[str]:
    """The job `gate` always runs and waits for all others of its file; at least one is there."""
    found = []
    for name, workflow in workflows.items():
        gate = workflow.jobs.get("gate")
        if gate is None:
            continue
        missing = set(workflow.jobs) - {"gate"} - set(gate.get("needs", []))
        if missing or gate.get("if") != "always()" or not gate.get("needs"):
            found.append(f"{name}: gate misses {sorted(missing)} or does not always run")
    return found if any("gate" in workflow.jobs for workflow in workflows.values()) else ["no gate"]


def credentials_are_dropped(workflows: Workflows) -> list[str]:
    """No checkout leaves the token in the repository's configuration."""
    return [
        f"{name}: {step}"
        for name, workflow in workflows.items()
        for step in workflow.using("actions/checkout")
        if step.get("with", {}).get("persist-credentials") is not False
    ]


def untrusted_jobs_have_main_at_hand(workflows: Workflows) -> list[str]:
    """The checks of a pull request see main's limits, in the first parent of the merge commit."""
    return [
        f"{name}: the checkout has no parent"
        for name, workflow in workflows.items()
        if re.fullmatch("reusable-(schema|candidate|sanity).yml", name)
        for step in workflow.using("actions/checkout")
        if step.get("with", {}).get("fetch-depth", 1) < FIRST_PARENT
    ]


def uploads_can_be_repeated(workflows: Workflows) -> list[str]:
    """A failed job that is run again takes the place of what its first attempt left."""
    return [
        f"{name}: {step.get('with', {}).get('name')} cannot be uploaded twice"
        for name, workflow in workflows.items()
        for step in workflow.using("actions/upload-artifact")
        if step.get("with", {}).get("overwrite") is not True
    ]


def bundles_are_handed_over_whole(workflows: Workflows) -> list[str]:
    """A hidden file of the author's package is in the bundle's digest, so it is uploaded, too."""
    return [
        f"{name}: hidden files of the bundle are left out"
        for name, workflow in workflows.items()
        for step in workflow.using("actions/upload-artifact")
        if step.get("with", {}).get("name") == "bundle"
        and step["with"].get("include-hidden-files") is not True
    ]


def files_are_short(workflows: Workflows) -> list[str]:
    """At most 100 lines a file, three lines and one command a `run`."""
    long = [name for name, workflow in workflows.items() if workflow.text.count("\n") > 100]
    return long + [
        f"{name}: {step['run']}"
        for name, workflow in workflows.items()
        for _, step in workflow.steps
        if "\n" in step.get("run", "").strip() or len(step.get("run", "")) > 300
    ]


def files_say_what_they_guarantee(workflows: Workflows) -> list[str]:
    """A name, and under it one sentence of comment."""
    shape = re.compile(r"\Aname: [A-Z][\w ]+\n# [A-Z].{30,}\.\n\n")
    return [name for name, workflow in workflows.items() if not shape.match(workflow.text)]


def versions_are_text(workflows: Workflows) -> list[str]:
    """No version is a YAML number: 3.10 would be read as 3.1."""
    return _matching(workflows, r"(version|python): [\d.]+\b|(python|version): \[[\d.]")


def inputs_are_described(workflows: Workflows) -> list[str]:
    """At most five inputs a workflow, each with a description and a type."""
    found = []
    for name, workflow in workflows.items():
        for event in ("workflow_call", "workflow_dispatch"):
            inputs = (workflow.triggers.get(event) or {}).get("inputs", {})
            bare = [
                key for key, value in inputs.items() if not {"description", "type"} <= set(value)
            ]
            found += [f"{name}: {event} {bare}"] if bare or len(inputs) > 5 else []
    return found


def _calls(workflows: Workflows) -> Iterator[tuple[str, dict[str, Any], Workflow]]:
    for name, workflow in workflows.items():
        for job, content in workflow.jobs.items():
            if "uses" in content:
                yield f"{name}: job {job}", content, workflows[Path(content["uses"]).name]


def callees_ask_no_more_than_callers_grant(workflows: Workflows) -> list[str]:
    """A called workflow's permissions lie within its caller's, else GitHub does not start it."""
    return [
        f"{place}: {scope} {level}"
        for place, caller, callee in _calls(workflows)
        for job in callee.jobs.values()
        for scope, level in job.get("permissions", {}).items()
        if LEVELS[level] > LEVELS[caller.get("permissions", {}).get(scope, "none")]
    ]


def call_inputs_match(workflows: Workflows) -> list[str]:
    """Callers give known inputs, all required ones, and literals of the declared type."""
    found = []
    for place, caller, callee in _calls(workflows):
        declared = (callee.triggers["workflow_call"] or {}).get("inputs", {})
        given = caller.get("with", {})
        required = {key for key, value in declared.items() if value.get("required")}
        wrong = [
            key
            for key, value in given.items()
            if key not in declared
            or ("${{" not in str(value) and not isinstance(value, KINDS[declared[key]["type"]]))
        ]
        found += [f"{place}: {sorted({*wrong, *(required - set(given))})}"] * bool(
            wrong or required - set(given)
        )
    return found


def _leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if not isinstance(node, dict | list):
        yield path, str(node)
        return
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield from _leaves(value, (*path, key))


def _may_hold(name: str, workflow: Workflow, path: tuple[Any, ...], value: str) -> bool:
    if name not in HOLDERS or path[0::2][:2] != ("jobs", "steps") or path[4:5] != ("env",):
        return False
    (verb, known), job = HOLDERS[name], workflow.jobs[path[1]]
    named = re.fullmatch(r"\$\{\{ secrets\.([A-Z_]+) \}\}", value)
    runs = f"bin/assay {verb} " in job["steps"][path[3]].get("run", "") + " "
    return job.get("environment") == "heldout" and runs and bool(named and named[1] in known)


def secrets_stay_in_one_step(workflows: Workflows) -> list[str]:
    """Secrets are named only in the environment of the one step that needs them, in heldout."""
    return [
        f"{name}: {path} {value}"
        for name, workflow in workflows.items()
        for path, value in _leaves(workflow.content)
        if ("secrets" in value or "secrets" in path) and not _may_hold(name, workflow, path, value)
    ]


def trusted_code_is_mains(workflows: Workflows) -> list[str]:
    """What holds secrets checks out main by name, in every job, and nothing the event names."""
    holders = {name: workflows[name] for name in HOLDERS}
    found = [
        f"{name} checks out {step['with'].get('ref')}"
        for name, workflow in holders.items()
        for step in workflow.using("actions/checkout")
        if step["with"].get("ref") != "refs/heads/main"
    ]
    return found + _matching(holders, r"head_(sha|commit|ref)|\bref:.*\$\{\{")


def artifacts_stay_in_their_folders(workflows: Workflows) -> list[str]:
    """score.yml downloads each artifact by its exact name to a temporary folder of its own.

    A pattern that matches one artifact alone is unpacked without its folder; what is in it could
    then lie where only `score` writes, a forged verdict for instance.
    """
    return [
        f"score.yml: {given}"
        for step in workflows["score.yml"].using("actions/download-artifact")
        for given in [step["with"]]
        for name in [given.get("name") or given.get("pattern", "")]
        if not re.fullmatch(r"[a-z]+", name)
        or given["path"] != f"${{{{ runner.temp }}}}/handover/{name}"
        or given.get("run-id") != "${{ github.event.workflow_run.id }}"
        or "merge-multiple" in given
    ]


def signed_is_what_this_run_made(workflows: Workflows) -> list[str]:
    """What is signed are the tables of the same run, downloaded by name; no code is among them."""
    steps = workflows["predict.yml"].using("actions/download-artifact")
    given = [step["with"] for step in steps]
    made = [{"name": "batches", "path": "out/batches"}]
    return [] if given == made else [f"predict.yml signs {given}"]


def trusted_jobs_have_no_cache(workflows: Workflows) -> list[str]:
    """What decides or predicts installs from the lock, never from a cache that others may fill."""
    trusted = {name: workflows[name] for name in TRUSTED}
    filled = [
        f"{name}: {step['with']}"
        for name, workflow in trusted.items()
        for step in workflow.using("astral-sh/setup-uv")
        if step["with"].get("enable-cache") is not False
    ]
    return filled + _matching(trusted, r"actions/cache|enable-cache: true|cache-mode|restore-keys")


def _has_rights(job: Mapping[str, Any]) -> bool:
    """Whether a job has an environment, may write, or names a secret."""
    named = any("secrets." in value for _, value in _leaves(dict(job)))
    return named or "environment" in job or "write" in job.get("permissions", {}).values()


def trusted_jobs_run_nothing_of_the_author(workflows: Workflows) -> list[str]:
    """What has rights installs the lock alone, by `make machinery`, and runs assay; nothing else.

    `make setup` would put the author's `src/` on Python's path, where any module beside the
    packages is imported in the place of a library's, and so would a variable of Python's.
    """
    trusted = [
        (f"{name}: {job}", content)
        for name, workflow in workflows.items()
        for job, content in workflow.jobs.items()
        if "steps" in content and (name in TRUSTED or _has_rights(content))
    ]
    runs = [
        f"{place} runs {step['run']}"
        for place, content in trusted
        for step in content["steps"]
        if "run" in step
        and not re.fullmatch(r"make machinery|\.venv/bin/assay [^;&|`]+", step["run"])
    ]
    bare = [
        f"{place} does not install by `make machinery`"
        for place, content in trusted
        if "make machinery" not in [step.get("run") for step in content["steps"]]
    ]
    return (
        runs
        + bare
        + [
            f"{name}: {path}"
            for name, workflow in workflows.items()
            for path, _ in _leaves(workflow.content)
            if any(str(part).startswith("PYTHON") for part in path)
        ]
    )


def rights_stay_in_trusted_files(workflows: Workflows) -> list[str]:
    """What runs a pull request's code has no token to use, no write permission, no environment."""
    untrusted = {name: flow for name, flow in workflows.items() if name not in TRUSTED}
    reading = {name: flow for name, flow in workflows.items() if name not in WRITERS}
    keyless = {name: flow for name, flow in workflows.items() if name not in HOLDERS}
    unsigned = {name: flow for name, flow in workflows.items() if name != "score.yml"}
    return [
        *_matching(untrusted, r"github\.token|GITHUB_TOKEN|github-token"),
        *_matching(reading, r"^\s+[a-z-]+: write\b"),
        *_matching(keyless, r"^\s+environment:"),
        *_matching(unsigned, r"id-token|attestations"),
    ]


def triggers_are_as_designed(workflows: Workflows) -> list[str]:
    """Each file starts on its own events only."""
    designed = {
        "gate.yml": {"pull_request", "push", "merge_group"},
        "score.yml": {"workflow_run"},
        "predict.yml": {"workflow_dispatch"},
        "revoke.yml": {"workflow_dispatch"},
    }
    found = [
        f"{name}: {sorted(workflow.triggers)}"
        for name, workflow in workflows.items()
        if set(workflow.triggers) != designed.get(name, {"workflow_call"})
    ]
    watched = workflows["score.yml"].triggers.get("workflow_run", {}).get("workflows")
    return found + ([] if watched == [workflows["gate.yml"].content["name"]] else ["score: name"])


def only_superseded_pull_requests_are_cancelled(workflows: Workflows) -> list[str]:
    """A verdict or a batch is never cut short, and neither is the gate on main."""
    wanted = {
        "gate.yml": "${{ github.event_name == 'pull_request' }}",
        "score.yml": False,
        "predict.yml": False,
        "revoke.yml": False,
    }
    return [
        name
        for name, value in wanted.items()
        if workflows[name].content.get("concurrency", {}).get("cancel-in-progress") != value
    ]


EVERYWHERE: tuple[Rule, ...] = (
    no_risky_words,
    no_expression_in_run,
    actions_are_pinned,
    permissions_start_empty,
    grants_have_reasons,
    jobs_have_timeouts,
    gate_needs_every_job,
    credentials_are_dropped,
    files_are_short,
    files_say_what_they_guarantee,
    versions_are_text,
    inputs_are_described,
    callees_ask_no_more_than_callers_grant,
    call_inputs_match,
)
GENERATED: tuple[Rule, ...] = (
    secrets_stay_in_one_step,
    untrusted_jobs_have_main_at_hand,
    uploads_can_be_repeated,
    bundles_are_handed_over_whole,
    trusted_code_is_mains,
    artifacts_stay_in_their_folders,
    signed_is_what_this_run_made,
    trusted_jobs_have_no_cache,
    trusted_jobs_run_nothing_of_the_author,
    rights_stay_in_trusted_files,
    triggers_are_as_designed,
    only_superseded_pull_requests_are_cancelled,
)
