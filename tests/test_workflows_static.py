"""What can be said of all workflows, ours and the generated ones, without running them."""

import itertools
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.exceptions import TyperException
from typer.main import get_command

import workflow_rules as rules
from assay.cli import app
from programs import program, run
from workflow_rules import FOLDER, Rule, Workflows, parse, read_texts

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "<<cookiecutter.project>>"

UPLOAD = "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1"
SETUP = "      - run: make machinery\n"
SEALING = "ASSAY_SEALING_KEY: ${{ secrets.ASSAY_SEALING_KEY }}"
CALL = "    uses: ./.github/workflows/reusable-candidate.yml\n"
POSTING = "      - name: Report\n        if: always()\n        env: { "

# rule, file, what stands there, what a careless or hostile author puts in its place
PLANTED: tuple[tuple[Rule, str, str, str], ...] = (
    (rules.no_risky_words, "gate.yml", "  pull_request:\n", "  pull_request_target:\n"),
    (
        rules.no_risky_words,
        "score.yml",
        "{ ref: refs/heads/main,",
        "{ allow-unsafe-pr-checkout: true,",
    ),
    (rules.no_risky_words, "gate.yml", CALL, f"{CALL}    secrets: inherit\n"),
    (rules.no_risky_words, "gate.yml", "if: always()", "if: always()\n    continue-on-error: true"),
    (rules.no_risky_words, "score.yml", SEALING, "ALL: ${{ toJSON(secrets) }}"),
    (rules.no_risky_words, "reusable-schema.yml", "make setup", 'echo "A=1" >> "$GITHUB_ENV"'),
    (
        rules.no_expression_in_run,
        "reusable-predict.yml",
        '"$CANDIDATES"',
        "${{ inputs.candidates }}",
    ),
    (rules.actions_are_pinned, "reusable-schema.yml", UPLOAD, "actions/upload-artifact@v7"),
    (
        rules.actions_are_pinned,
        "gate.yml",
        CALL,
        "    uses: someone/else/.github/workflows/a.yml@main\n",
    ),
    (rules.permissions_start_empty, "gate.yml", "permissions: {}\n\nconcurrency", "concurrency"),
    (rules.permissions_start_empty, "score.yml", "permissions: {}\n", "permissions: write-all\n"),
    (rules.grants_have_reasons, "score.yml", "statuses: write # set", "statuses: write\n# set"),
    (rules.jobs_have_timeouts, "score.yml", "    timeout-minutes: 30\n", ""),
    (rules.gate_needs_every_job, "gate.yml", "[schema, candidate, sanity]", "[schema, candidate]"),
    (rules.gate_needs_every_job, "gate.yml", "    if: always()\n", ""),
    (rules.credentials_are_dropped, "reusable-sanity.yml", "persist-credentials: false", "ref: ''"),
    (
        rules.untrusted_jobs_have_main_at_hand,
        "reusable-sanity.yml",
        "fetch-depth: 500",
        "fetch-depth: 1",
    ),
    (
        rules.uploads_can_be_repeated,
        "reusable-sanity.yml",
        "          overwrite: true\n",
        "",
    ),
    (
        rules.bundles_are_handed_over_whole,
        "reusable-candidate.yml",
        "include-hidden-files: true",
        "compression-level: 6",
    ),
    (rules.files_are_short, "score.yml", SETUP, SETUP * 10),
    (
        rules.files_are_short,
        "score.yml",
        SETUP,
        "      - run: |\n          make\n          make machinery\n",
    ),
    (rules.files_say_what_they_guarantee, "gate.yml", "# Every", "# every"),
    (rules.versions_are_text, "score.yml", 'python-version: "3.12"', "python-version: 3.10"),
    (rules.inputs_are_described, "predict.yml", "        type: string\n", ""),
    (
        rules.callees_ask_no_more_than_callers_grant,
        "reusable-sanity.yml",
        "contents: read",
        "contents: write",
    ),
    (rules.call_inputs_match, "predict.yml", "      candidates: ${{", "      candidate: ${{"),
    (rules.call_inputs_match, "predict.yml", "${{ inputs.candidates }}", "true"),
    (
        rules.secrets_stay_in_one_step,
        "score.yml",
        POSTING,
        f'{POSTING}KEY: "${{{{ secrets.ASSAY_SEALING_KEY }}}}", ',
    ),
    (rules.secrets_stay_in_one_step, "score.yml", "    environment: heldout\n", ""),
    (
        rules.secrets_stay_in_one_step,
        "revoke.yml",
        "          DIGEST:",
        f"          {SEALING}\n          DIGEST:",
    ),
    (rules.secrets_stay_in_one_step, "revoke.yml", "    environment: heldout\n", ""),
    (
        rules.secrets_stay_in_one_step,
        "gate.yml",
        "RESULTS: ${{",
        f"{SEALING}\n          R: ${{{{",
    ),
    (
        rules.trusted_code_is_mains,
        "score.yml",
        "ref: refs/heads/main,",
        'ref: "${{ github.event.workflow_run.head_sha }}",',
    ),
    (rules.trusted_code_is_mains, "score.yml", "{ ref: refs/heads/main, persist", "{ persist"),
    (
        rules.trusted_code_is_mains,
        "revoke.yml",
        "ref: refs/heads/main,",
        'ref: "${{ github.ref }}",',
    ),
    (
        rules.artifacts_stay_in_their_folders,
        "score.yml",
        '"${{ runner.temp }}/handover/schema"',
        "out",
    ),
    (
        rules.artifacts_stay_in_their_folders,
        "score.yml",
        "pattern: sanity",
        'pattern: "{sanity,a}"',
    ),
    (rules.artifacts_stay_in_their_folders, "score.yml", "handover/candidate", "handover"),
    (rules.artifacts_stay_in_their_folders, "score.yml", "name: candidate, ", ""),
    (
        rules.signed_is_what_this_run_made,
        "predict.yml",
        "name: batches, path: out/batches }",
        'name: batches, path: out/batches, run-id: "7" }',
    ),
    (rules.signed_is_what_this_run_made, "predict.yml", "name: batches, path: out/", "path: "),
    (rules.secrets_stay_in_one_step, "predict.yml", "    environment: heldout\n", ""),
    (rules.secrets_stay_in_one_step, "predict.yml", "batch sign", "predict"),
    (rules.trusted_code_is_mains, "predict.yml", "ref: refs/heads/main, ", ""),
    (
        rules.rights_stay_in_trusted_files,
        "predict.yml",
        "contents: read # check out main, read",
        "contents: write # check out main, read",
    ),
    (
        rules.rights_stay_in_trusted_files,
        "reusable-predict.yml",
        "    timeout-minutes: 350\n",
        "    timeout-minutes: 350\n    environment: heldout\n",
    ),
    *(
        (rules.trusted_jobs_run_nothing_of_the_author, name, "make machinery", "make setup")
        for name in rules.TRUSTED
    ),
    (
        rules.trusted_jobs_run_nothing_of_the_author,
        "score.yml",
        "run: .venv/bin/assay score",
        "run: python -m assay score",
    ),
    (
        rules.trusted_jobs_run_nothing_of_the_author,
        "revoke.yml",
        "      - run: make machinery\n",
        "",
    ),
    (
        rules.trusted_jobs_run_nothing_of_the_author,
        "reusable-schema.yml",
        "    permissions:\n",
        "    environment: heldout\n    permissions:\n",
    ),
    (
        rules.trusted_jobs_run_nothing_of_the_author,
        "score.yml",
        SEALING,
        f"{SEALING}\n          PYTHONPATH: src",
    ),
    (rules.trusted_jobs_have_no_cache, "score.yml", "enable-cache: false", "enable-cache: true"),
    (
        rules.trusted_jobs_have_no_cache,
        "reusable-predict.yml",
        ", enable-cache: false",
        "",
    ),
    (rules.rights_stay_in_trusted_files, "gate.yml", "contents: read", "contents: write"),
    (
        rules.rights_stay_in_trusted_files,
        "revoke.yml",
        "      contents: write",
        "      id-token: write # sign it\n      contents: write",
    ),
    (
        rules.rights_stay_in_trusted_files,
        "reusable-candidate.yml",
        "        run: .venv",
        "        env:\n          TOKEN: ${{ github.token }}\n        run: .venv",
    ),
    (
        rules.rights_stay_in_trusted_files,
        "gate.yml",
        "    permissions: {}\n    steps",
        "    permissions: {}\n    environment: heldout\n    steps",
    ),
    (rules.triggers_are_as_designed, "score.yml", "  workflow_run:", "  push:\n  workflow_run:"),
    (
        rules.triggers_are_as_designed,
        "revoke.yml",
        "  workflow_dispatch:",
        "  issues:\n  workflow_dispatch:",
    ),
    (rules.triggers_are_as_designed, "gate.yml", "name: Gate\n#", "name: Gates\n#"),
    (
        rules.only_superseded_pull_requests_are_cancelled,
        "score.yml",
        "cancel-in-progress: false",
        "cancel-in-progress: true",
    ),
    (
        rules.only_superseded_pull_requests_are_cancelled,
        "revoke.yml",
        "cancel-in-progress: false",
        "cancel-in-progress: true",
    ),
    (rules.trusted_jobs_have_no_cache, "revoke.yml", "cache: false", "cache: true"),
)


@pytest.fixture(scope="module")
def texts(rendered: Path) -> dict[str, str]:
    """The generated repository's workflow files."""
    return read_texts(rendered)


@pytest.fixture(scope="module")
def workflows(texts: dict[str, str]) -> Workflows:
    """The generated repository's workflows."""
    return parse(texts)


def commands(root: Path) -> list[str]:
    """Every `run` of a repository's workflows."""
    return [
        step["run"]
        for workflow in parse(read_texts(root)).values()
        for _, step in workflow.steps
        if "run" in step
    ]


@pytest.mark.parametrize("rule", [*rules.EVERYWHERE, *rules.GENERATED], ids=lambda r: r.__name__)
def test_generated_workflows_keep_each_rule(rule: Rule, workflows: Workflows):
    """No rule finds anything in the rendered workflows."""
    assert rule(workflows) == []


@pytest.mark.parametrize("rule", rules.EVERYWHERE, ids=lambda rule: rule.__name__)
def test_own_workflows_keep_each_rule(rule: Rule):
    """The template's own workflows keep every rule that is not about the model's gate."""
    assert rule(parse(read_texts(ROOT))) == []


@pytest.mark.parametrize(
    ("rule", "name", "old", "new"),
    PLANTED,
    ids=[f"{p[0].__name__}-{i}" for i, p in enumerate(PLANTED)],
)
def test_planted_violation_is_found(rule, name, old, new, texts: dict[str, str]):
    """The rule bites: one line changed by a careless or hostile author is a finding."""
    assert old in texts[name]
    assert rule(parse({**texts, name: texts[name].replace(old, new, 1)}))


def test_every_rule_has_a_planted_violation():
    """No rule is believed that has not been seen to bite."""
    assert {plant[0] for plant in PLANTED} == {*rules.EVERYWHERE, *rules.GENERATED}


def test_all_eight_workflows_are_rendered_as_they_are_written(texts: dict[str, str]):
    """Rendering changes no byte of a workflow, so what is read in the template is what runs."""
    assert texts == read_texts(TEMPLATE)
    callees = {f"reusable-{noun}.yml" for noun in ("schema", "candidate", "sanity", "predict")}
    assert set(texts) == {"gate.yml", "score.yml", "predict.yml", "revoke.yml"} | callees


def template_tags(text: str) -> list[str]:
    """Openers of the template language that are not plain substitutions of an answer."""
    plain = re.sub(r"<<[^<>\n]*cookiecutter\.\w+[^<>\n]*>>", "", text)
    return re.findall(r"^#%.*|<<.*", plain, flags=re.MULTILINE)


def test_template_sources_hold_no_stray_delimiter():
    """Only answers are substituted: no heredoc, merge key, shift or block in a template file."""
    files = [path for path in TEMPLATE.rglob("*") if path.suffix in {".py", ".yml", ".toml", ".md"}]
    found = {
        path.name: template_tags(path.read_text()) for path in files if "<<" in path.read_text()
    }
    assert not {name: tags for name, tags in found.items() if tags}
    assert template_tags("run: cat <<EOF") == ["<<EOF"]
    assert template_tags("  <<: *base") == ["<<: *base"]


def zizmor(folder: Path) -> tuple[int, set[str]]:
    """Exit code and findings of the strictest persona, without network."""
    config = folder / ".github" / "zizmor.yml"
    options = ("--offline", "--persona=auditor", "--strict-collection", "--format=json-v1")
    done = run(program("zizmor"), *options, "--config", config, folder / ".github")
    return done.returncode, {finding["ident"] for finding in json.loads(done.stdout or "[]")}


@pytest.mark.parametrize("which", ["generated", "own"])
def test_zizmor_finds_nothing(which: str, rendered: Path):
    """The auditor persona has no finding beyond the reasoned exceptions."""
    assert zizmor(rendered if which == "generated" else ROOT) == (0, set())


def test_zizmor_finds_what_is_planted(rendered: Path, tmp_path: Path):
    """The exceptions hide neither an injection nor a second dangerous trigger."""
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (tmp_path / ".github" / "zizmor.yml").write_text((rendered / ".github/zizmor.yml").read_text())
    for name, text in read_texts(rendered).items():
        (folder / name).write_text(text.replace('"$CANDIDATES"', "${{ inputs.candidates }}"))
    (folder / "other.yml").write_text((folder / "score.yml").read_text())
    code, found = zizmor(tmp_path)
    assert code in range(11, 15)
    assert found == {"template-injection", "dangerous-triggers"}


@pytest.mark.parametrize("which", ["generated", "own"])
def test_each_exception_has_its_reason(which: str, rendered: Path):
    """An exception in zizmor.yml stands beside a comment, and none hides in a workflow."""
    folder = (rendered if which == "generated" else ROOT) / ".github"
    text = (folder / "zizmor.yml").read_text()
    excepted = yaml.safe_load(text)["rules"]
    assert all(re.search(rf"{name}:\n(.*:\n)?\s+# \S", text) for name in excepted)
    assert not any("zizmor:" in path.read_text() for path in (folder / "workflows").iterdir())


def schema_errors(kind: str, path: Path) -> str:
    """What check-jsonschema says of a file, by its vendored schema; empty when it is right."""
    done = run(program("check-jsonschema"), "--builtin-schema", f"vendor.{kind}", path)
    return done.stdout if done.returncode else ""


@pytest.mark.parametrize("which", ["generated", "own"])
def test_files_have_the_published_shape(which: str, rendered: Path, tmp_path: Path):
    """Workflows and dependabot.yml satisfy their JSON schemas; an unknown key does not."""
    folder = (rendered if which == "generated" else ROOT) / ".github"
    assert not schema_errors("dependabot", folder / "dependabot.yml")
    for path in sorted((folder / "workflows").iterdir()):
        assert not schema_errors("github-workflows", path)
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(path.read_text().replace("permissions: {}", "permission: {}", 1))
    assert "permission" in schema_errors("github-workflows", wrong)


def shell_faults(command: str) -> str:
    """What shellcheck says of a command."""
    return run(program("shellcheck"), "--shell=bash", "-", text=command).stdout


@pytest.mark.parametrize("which", ["generated", "own"])
def test_shellcheck_finds_nothing(which: str, rendered: Path):
    """Every `run` is sound shell; an unquoted variable would be found."""
    found = [
        shell_faults(command) for command in commands(rendered if which == "generated" else ROOT)
    ]
    assert found
    assert not any(found)
    assert "SC2086" in shell_faults("assay predict $CANDIDATES")


@pytest.mark.parametrize("root", [TEMPLATE, ROOT], ids=["generated", "own"])
def test_gate_is_green_only_when_every_job_succeeded(root: Path):
    """Of all results of three jobs the gate's own command accepts exactly one: success, thrice."""
    gates = [flow for flow in parse(read_texts(root)).values() if "gate" in flow.jobs]
    (step,) = gates[0].jobs["gate"]["steps"]
    accepted = [
        results
        for results in itertools.product(("success", "failure", "cancelled", "skipped"), repeat=3)
        if run("bash", "-e", "-c", step["run"], RESULTS=" ".join(results)).returncode == 0
    ]
    assert accepted == [("success",) * 3]


@pytest.mark.parametrize("which", ["generated", "own"])
def test_dependabot_waits_and_looks_where_something_is(which: str, rendered: Path):
    """Every entry has a cooldown of two weeks, and each folder it names holds what it updates."""
    root = rendered if which == "generated" else ROOT
    updates = yaml.safe_load((root / ".github" / "dependabot.yml").read_text())["updates"]
    holds = {
        "github-actions": (".github/workflows/*.yml", "*.yml"),
        "pip": ("pyproject.toml", "requirements*.in"),
        "npm": ("package.json",),
    }
    assert {"github-actions", "pip"} <= {update["package-ecosystem"] for update in updates}
    for update in updates:
        assert update["cooldown"]["default-days"] >= 14
        for folder in update.get("directories") or [update["directory"]]:
            place = root / folder.strip("/")
            assert any(list(place.glob(one)) for one in holds[update["package-ecosystem"]])


@pytest.mark.parametrize("which", ["generated", "own"])
def test_make_targets_exist(which: str, rendered: Path):
    """Each target that a workflow makes stands in the Makefile."""
    root = rendered if which == "generated" else ROOT
    wanted = {word for line in commands(root) for word in re.findall(r"^make (\w+)$", line)}
    targets = set(re.findall(r"^(\w+):", (root / "Makefile").read_text(), flags=re.MULTILINE))
    assert wanted
    assert wanted <= targets


def refused_arguments(command: str) -> str | None:
    """What the command line says against a command of a workflow, its variables taken as words."""
    words = shlex.split(command)
    if words[0] != ".venv/bin/assay":
        return None
    try:
        get_command(app).commands[words[1]].make_context(words[1], words[2:]).close()
    except (KeyError, TyperException) as error:
        return str(error) or type(error).__name__
    return None


def test_only_the_trusted_half_posts(rendered: Path):
    """A run with a token that may only read, as a fork's, never tries to post; each of main's does.

    Both jobs of score.yml post, and keep the page even where the gate was red.
    """
    posting = {
        (name, job)
        for name, workflow in parse(read_texts(rendered)).items()
        for job, step in workflow.steps
        if "--post" in step.get("run", "")
    }
    assert posting == {("score.yml", "score"), ("score.yml", "explain")}
    workflow = parse(read_texts(rendered))["score.yml"]
    for job in ("score", "explain"):
        permissions = workflow.jobs[job]["permissions"]
        assert (permissions["pull-requests"], permissions["statuses"]) == ("write", "write")
        kept = [step.get("with", {}).get("name") for step in workflow.jobs[job]["steps"]]
        assert kept[-1] == "report"


def test_verbs_and_options_exist(rendered: Path):
    """Every call of assay in a workflow is one that the command line takes."""
    calls = [command for command in commands(rendered) if "bin/assay" in command]
    assert len(calls) >= 7
    assert [refused_arguments(call) for call in calls] == [None] * len(calls)
    assert refused_arguments(".venv/bin/assay report --posted")
    assert refused_arguments(".venv/bin/assay scores")
