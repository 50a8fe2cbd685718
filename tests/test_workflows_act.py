"""The workflows as they are, run by act: from a pull request to a certified batch of predictions.

The scenarios share one stand-in of GitHub and follow each other: nothing is certified at first,
then main's first commit is, and every pull request is compared with it.
"""

import csv
import json
import re
import shutil
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from acting import MODEL, NAME, TREES, Forge, Pull, Run, edit, forge, make_small, sealed_forge
from assay.batch.authorization import unpack
from assay.files import digest_file
from assay.ledger.certificate import PREDICATE_TYPE
from assay.provenance import git_bytes
from assay.records import VerdictRecord
from assay.report.images import BRANCH
from conftest import git
from programs import run

pytestmark = pytest.mark.slow
# What `make test` leaves to the night: scenarios whose conditions the truth tables of
# test_workflows_parser.py cover, and whose verbs have tests of their own.
nightly = pytest.mark.nightly("a scenario more under act; its conditions are in the truth tables")
green = pytest.mark.nightly(
    "main's own run is green here on every push, and trusted_job.py scores pull requests"
)

LIST = "data/candidates/transport.csv"
PICTURES = ["parity.png", "residuals.png"]


@pytest.fixture(scope="module")
def world(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A small, sealed model repository on the stand-in of GitHub, with nothing certified."""
    with sealed_forge(rendered, tmp_path_factory.mktemp("forge")) as made:
        yield made


@pytest.fixture(scope="module")
def too_early(world: Forge) -> Run:
    """A dispatch of predict.yml before anything is certified."""
    return world.predict(candidates=LIST, model="champion")


@pytest.fixture(scope="module")
def first(world: Forge, too_early: Run) -> tuple[Run, Run]:
    """The gate and the scoring of main's first commit, which make the first champion."""
    assert too_early.conclusion == "failure"  # nothing was certified when it ran
    gate = world.gate()
    return gate, world.score(gate)


@pytest.fixture(scope="module")
def good(world: Forge, first: tuple[Run, Run]) -> tuple[Pull, Run, Run]:
    """A pull request that takes more trees, its gate and its scoring."""
    assert first[1].conclusion == "success", first[1].log
    pull = world.open_pull("more-trees", edit(MODEL, TREES, "n_estimators=24"))
    gate = world.gate(pull)
    return pull, gate, world.score(gate)


@pytest.fixture(scope="module")
def merged(world: Forge, good: tuple[Pull, Run, Run]) -> tuple[Run, Run]:
    """The gate and the scoring of main once the good pull request is merged."""
    world.merge(good[0])
    gate = world.gate()
    return gate, world.score(gate)


def propose(world: Forge, branch: str, change) -> tuple[Pull, Run, Run]:
    """Open a pull request, run its gate, and what follows from it."""
    pull = world.open_pull(branch, change)
    gate = world.gate(pull)
    return pull, gate, world.score(gate)


def status(world: Forge, sha: str) -> tuple[str, str]:
    """State and description of the last status on a commit."""
    last = world.statuses(sha)[-1]
    return last["state"], last["description"]


def champion(world: Forge, scored: Run) -> str:
    """The digest of the bundle that a scoring on main certified, from its own run's bundle."""
    card = world.artifacts / str(scored.number - 1) / "candidate" / "candidate.json"
    return json.loads(card.read_text())["bundle_digest"]


def test_first_commit_on_main_is_certified(world: Forge, first: tuple[Run, Run]):
    """A fresh repository's own model passes its gate and is published with a certificate."""
    gate, scored = first
    assert gate.conclusion == "success", gate.log
    assert gate.jobs["gate"] == "success"
    assert scored.jobs == {"score": "success"}, scored.log
    digest = champion(world, scored)
    published = world.releases()[f"model-{digest[:12]}"]
    assert set(published) == {"bundle.tar", "bundle.sha256", "certificate.json"}
    assert digest_file(published["bundle.sha256"]) == digest


def test_certified_bundle_is_attested(world: Forge, first: tuple[Run, Run]):
    """Main's own run attests the digest that it certified."""
    made = json.loads(attestation(world, first[1]).read_text())
    (subject,) = made["subject"]
    assert subject["digest"]["sha256"] == champion(world, first[1])
    assert made["predicateType"] == PREDICATE_TYPE
    assert made["predicate"]["commit"] == first[0].sha


def attestation(world: Forge, scored: Run) -> Path:
    """Where the stand-in leaves what a scoring attested."""
    return world.artifacts / str(scored.number) / "attestation.json"


@green
def test_no_pull_request_is_attested(world: Forge, good: tuple[Pull, Run, Run]):
    """A pull request's run attests nothing, whatever became of it."""
    assert good[2].jobs["score"] == "success", good[2].log
    assert not attestation(world, good[2]).exists()


@nightly
def test_first_push_needs_no_secret(rendered: Path, tmp_path: Path):
    """Just generated, with no secret and no setting, main is green; it is told how to seal."""
    work = make_small(rendered, tmp_path / "work")
    with forge(tmp_path, work, {}) as unsealed:
        gate = unsealed.gate()
        scored = unsealed.score(gate)
        assert (gate.conclusion, scored.conclusion) == ("success", "success"), scored.log
        assert unsealed.statuses(gate.sha)[-1]["state"] == "success"
        page = unsealed.artifacts / str(scored.number) / "report" / "index.html"
        assert "not sealed" in page.read_text().lower()
        assert unsealed.releases() == {}


@green
def test_good_pull_request_is_green(world: Forge, good: tuple[Pull, Run, Run]):
    """(1) Every job succeeds, the verdict is PASS, and the status and one comment are posted."""
    pull, gate, scored = good
    assert gate.conclusion == "success", gate.log
    assert gate.jobs["gate"] == "success"
    assert scored.jobs["score"] == "success", scored.log
    assert status(world, pull.sha)[0] == "success"
    (comment,) = world.comments(pull)
    assert "PASS" in comment["body"]
    assert "Earlier verdicts: the last 1" in comment["body"]
    page = (world.artifacts / str(scored.number) / "report" / "index.html").read_text()
    assert f'actions/runs/{gate.number}">Data Docs (artifact data-docs)</a>' in page
    assert [name for name, _ in pictures(world, comment["body"])] == PICTURES


def pictures(world: Forge, body: str) -> Iterator[tuple[str, Image.Image]]:
    """The pictures that a comment links to, each read from the bare repository and decoded."""
    link = rf'<img src="https://[\w.]+/{NAME}/blob/([0-9a-f]{{40}})/([\w.]+)\?raw=true"'
    for sha, name in re.findall(link, body):
        assert git(world.origin, "branch", "--contains", sha, "--format=%(refname:short)") == BRANCH
        content = git_bytes(world.origin, "cat-file", "blob", f"{sha}:{name}")
        with Image.open(BytesIO(content or b"")) as picture:
            picture.load()
            assert picture.format == "PNG"
            yield name, picture


@green
def test_pull_request_is_never_certified(world: Forge, good: tuple[Pull, Run, Run]):
    """Whatever pull requests passed, every published certificate names a commit of main."""
    assert good[2].conclusion == "success"
    main = git(world.origin, "rev-list", "main").splitlines()
    payloads = [
        json.loads(files["certificate.json"].read_text())["payload"]
        for files in world.releases().values()
    ]
    commits = [json.loads(b64decode(payload))["predicate"]["commit"] for payload in payloads]
    assert commits
    assert set(commits) <= set(main)


@nightly
def test_comment_is_kept_not_repeated(world: Forge, good: tuple[Pull, Run, Run]):
    """Scoring the same run again edits the one comment."""
    pull, gate, _ = good
    again = world.score(gate)
    assert again.jobs["score"] == "success", again.log
    assert len(world.comments(pull)) == 1


def test_failing_schema_is_red_for_that_reason(world: Forge, first: tuple[Run, Run]):
    """(2) A formula that is none stops the gate at the schema; status and comment say so."""
    assert first[1].conclusion == "success"
    train = Path("data", "train.csv")
    header, row = (world.clone() / train).read_text().splitlines()[:2]
    wrong = row.replace(row.split(",")[1], "Xx2O3", 1)
    pull, gate, told = propose(
        world, "bad-data", edit(train, f"{header}\n{row}", f"{header}\n{wrong}")
    )
    assert gate.jobs["schema"] == "failure"
    assert gate.conclusion == "failure"
    assert "Xx2O3" in gate.log
    assert told.jobs == {"explain": "success"}, told.log
    assert status(world, pull.sha)[0] != "success"
    (comment,) = world.comments(pull)
    assert "Xx2O3" in comment["body"]
    assert "**Next:** correct the first row" in comment["body"]
    page = world.artifacts / str(told.number) / "report" / "index.html"
    assert "Xx2O3" in page.read_text()


SPELLING = '''"""A model that reads how a formula is written, not what it means."""

from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline


def build_model(seed: int) -> Pipeline:
    """Count characters."""
    counts = CountVectorizer(analyzer="char", ngram_range=(1, 2), lowercase=False)
    return make_pipeline(make_column_transformer((counts, "formula")), Ridge(random_state=seed))
'''


def write_spelling(work: Path) -> None:
    """The change that puts that model in place."""
    (work / MODEL).write_text(SPELLING)


@nightly
def test_failing_sanity_is_red_for_that_reason(world: Forge, first: tuple[Run, Run]):
    """(3) A model that depends on how a formula is written fails that property, and is told so."""
    assert first[1].conclusion == "success"
    pull, gate, told = propose(world, "spelling", write_spelling)
    assert gate.jobs["schema"] == gate.jobs["candidate"] == "success", gate.log
    assert gate.jobs["sanity"] == "failure"
    assert told.jobs == {"explain": "success"}, told.log
    assert status(world, pull.sha)[0] != "success"
    (comment,) = world.comments(pull)
    assert "sanity" in comment["body"].lower()


@nightly
def test_worse_model_is_red_for_that_reason(world: Forge, first: tuple[Run, Run]):
    """(4) A model of one split is sound but worse: the gate is green, the verdict is not PASS."""
    assert first[1].conclusion == "success"
    stump = edit(MODEL, "min_samples_leaf=3", "max_depth=1")
    pull, gate, scored = propose(world, "stump", stump)
    assert gate.conclusion == "success", gate.log
    assert scored.jobs == {"score": "failure"}
    assert status(world, pull.sha)[0] == "failure"
    (comment,) = world.comments(pull)
    assert "FAIL" in comment["body"]


def test_certified_bundle_predicts(world: Forge, first: tuple[Run, Run]):
    """(6) A dispatch on main predicts every row of the list, or says in quarantine why not."""
    assert first[1].conclusion == "success", first[1].log
    note = 'for the meeting "$(touch owned)" `rows`'
    predicted = world.predict(candidates=LIST, model="champion", note=note)
    assert predicted.conclusion == "success", predicted.log
    assert predicted.jobs["begin"] == predicted.jobs["sign"] == "success"
    assert "part" not in predicted.jobs or predicted.jobs["part"] == "skipped"
    (batch,) = (world.artifacts / str(predicted.number) / "signed").iterdir()
    record = json.loads((batch / "batch.json").read_text())
    assert record["model_id"] == champion(world, first[1])
    assert record["recipe"]["certified"] is True
    assert record["note"] == note
    assert holds(world, batch)
    with (batch / "predictions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    asked = len((world.clone() / LIST).read_text().splitlines()) - 1
    assert record["predicted"] + record["quarantined"] == asked
    assert len(rows) == record["predicted"] > 0


@nightly
def test_merge_publishes_certificate_and_bundle(world: Forge, merged: tuple[Run, Run]):
    """(5) Main's own run certifies the merged model and releases it; the ledger names it."""
    gate, scored = merged
    assert gate.conclusion == "success", gate.log
    assert scored.jobs["score"] == "success", scored.log
    digest = champion(world, scored)
    files = world.releases()[f"model-{digest[:12]}"]
    assert files["bundle.tar"].stat().st_size > 0
    work = world.clone()
    shutil.copyfile(files["certificate.json"], work / "certificate.json")
    assay = world.environment / "bin" / "assay"
    verified = run(assay, "verify", "certificate.json", folder=work)
    assert verified.returncode == 0, verified.stderr
    assert digest[:12] in verified.stdout
    ledger = git(world.origin, "ls-tree", "-r", "--name-only", "assay-ledger")
    assert f"certificates/{digest}.json" in ledger.splitlines()


def holds(world: Forge, batch: Path) -> bool:
    """Whether a batch is verified, signature and all, in a fresh copy of main."""
    work = world.clone()
    place = work / "out" / "batches" / batch.name
    shutil.copytree(batch, place)
    digest = json.loads((batch / "batch.json").read_text())["model_id"]
    model = work / ".assay" / "models" / digest
    unpack(world.releases()[f"model-{digest[:12]}"]["bundle.tar"], model / "bundle")
    assay = world.environment / "bin" / "assay"
    done = run(assay, "verify", place, folder=work)
    assert done.returncode == 0, done.stderr
    return "; signed: " in done.stdout


def divided(work: Path) -> None:
    """Let no part take any time, and cut the list into shards of twenty rows."""
    flow = ".github/workflows/reusable-predict.yml"
    edit(flow, "batch begin ", "batch begin --minutes=0 --shard-rows=20 ")(work)
    edit(flow, "batch part ", "batch part --shard-rows=20 ")(work)


@nightly
def test_long_list_is_predicted_in_parts(world: Forge, merged: tuple[Run, Run]):
    """A list from an artifact, in three parts on runners of their own, is one signed batch."""
    rows = (world.clone() / LIST).read_bytes()
    keep_artifact(world, "far.csv", rows)
    world.merge(world.open_pull("divided", divided))
    predicted = world.predict(candidates="artifact:41/lists", model="champion")
    assert predicted.conclusion == "success", predicted.log
    wanted = dict.fromkeys(("begin", "part", "collect", "sign"), "success")
    assert {name: predicted.jobs.get(name) for name in wanted} == wanted
    kept = world.artifacts / str(predicted.number)
    names = {path.name for path in kept.iterdir()}
    assert names == {"batches", "candidates", "signed", "shards-1-1", "shards-1-2", "shards-1-3"}
    (batch,) = (kept / "signed").iterdir()
    record = json.loads((batch / "batch.json").read_text())
    assert record["candidates"] == "far.csv"
    assert record["model_id"] == champion(world, merged[1])
    assert record["predicted"] + record["quarantined"] == len(rows.splitlines()) - 1
    assert holds(world, batch)


def keep_artifact(world: Forge, name: str, content: bytes) -> None:
    """An artifact `lists` of run 41, as far as the API tells, with one file."""
    folder = world.state / "archives"
    folder.mkdir()
    with zipfile.ZipFile(folder / "5", "w") as archive:
        archive.writestr(name, content)
    one = {"id": 5, "run": 41, "name": "lists", "expired": False}
    (world.state / "artifacts.json").write_text(json.dumps([one]))


def test_no_prediction_without_certificate(world: Forge, too_early: Run):
    """(7) Before anything is certified a dispatch is refused, and says what is missing."""
    assert too_early.conclusion == "failure"
    assert "no model is certified yet" in too_early.log
    assert not (world.artifacts / str(too_early.number)).exists()


def test_no_prediction_from_a_branch(world: Forge, first: tuple[Run, Run]):
    """(7) On a branch the verb refuses, though the same dispatch on main would predict."""
    assert first[1].conclusion == "success"
    pull = world.open_pull("idea", edit("README.md", "#", "##"))
    refused = world.predict(branch=pull.branch, candidates=LIST, model="champion")
    assert refused.conclusion == "failure"
    assert "refs/heads/main only" in refused.log


@pytest.fixture
def tags(world: Forge, merged: tuple[Run, Run]) -> Iterator[tuple[str, str]]:
    """The releases of the former and of the present champion, put back when a test ends."""
    assert merged[1].conclusion == "success"
    present = f"model-{champion(world, merged[1])[:12]}"
    (former,) = set(world.releases()) - {present}
    kept = {name: path.read_bytes() for name, path in world.releases()[present].items()}
    yield former, present
    for name, content in kept.items():
        world.tamper(present, name, content)


def reason(world: Forge) -> str:
    """What a dispatch on main says when it is refused, and no table is left."""
    refused = world.predict(candidates=LIST, model="champion")
    assert refused.conclusion == "failure"
    assert not (world.artifacts / str(refused.number)).exists()
    said = re.findall(r"\] assay: (.*)", refused.log)
    (sentence,) = (line for line in said if not line.rstrip().endswith(" ..."))
    return sentence


@nightly
def test_no_prediction_with_another_bundles_certificate(world: Forge, tags: tuple[str, str]):
    """(7) A genuine certificate of the former champion does not unlock the present one."""
    former, present = tags
    certificate = world.releases()[former]["certificate.json"].read_bytes()
    world.tamper(present, "certificate.json", certificate)
    digest = former.removeprefix("model-")
    assert f"the certificate is for bundle {digest}" in reason(world)


@nightly
def test_no_prediction_with_an_altered_bundle(world: Forge, tags: tuple[str, str]):
    """(7) One byte changed in the published bundle is enough to be refused."""
    content = bytearray(world.releases()[tags[1]]["bundle.tar"].read_bytes())
    content[content.index(b"flavors")] ^= 1
    world.tamper(tags[1], "bundle.tar", bytes(content))
    assert re.search(r"bundle [0-9a-f]{12}", reason(world))


@pytest.mark.parametrize("conclusion", [pytest.param("failure", marks=nightly), "success"])
def test_forged_verdict_in_an_artifact_is_not_believed(
    world: Forge, first: tuple[Run, Run], conclusion: str
):
    """A run that hands over a genuine PASS of another commit as its own gets no green status."""
    gate, scored = first
    assert scored.conclusion == "success"
    world.runs += 1
    pull = world.open_pull(f"forged-{conclusion}", edit("README.md", "#", "##"))
    genuine = world.artifacts / str(gate.number)
    forged = world.artifacts / str(world.runs) / "schema"
    for name in ("schema", "candidate", "sanity"):  # a whole handover within one artifact
        shutil.copytree(genuine / name, forged / name)
    shutil.copyfile(genuine / "schema" / "schema.json", forged / "schema.json")
    verdict = forged_verdict(genuine / "candidate" / "candidate.json")
    (forged / "verdict.json").write_bytes(verdict)
    jobs = {"schema": "success", "gate": conclusion}
    told = world.score(Run(world.runs, "pull_request", pull.branch, pull.sha, jobs, ""))
    assert set(told.jobs) == {"score" if conclusion == "success" else "explain"}
    assert status(world, pull.sha)[0] in {"failure", "error"}


def forged_verdict(card: Path) -> bytes:
    """What `score` would write if this candidate had passed."""
    candidate = json.loads(card.read_text())
    copied = ("claim", "unit", "bundle_digest", "predictions_digest", "correlation_id")
    return (
        VerdictRecord(
            **{key: candidate[key] for key in copied},
            outcome="PASS",
            stage="sealed",
            margin=0.02,
            metric="mae",
            sealed=True,
            sealed_digest="0" * 64,
            sealed_rows=500,
            sealed_groups=300,
            use=1,
            uses=100,
            disagreements=0,
            maximum_disagreements=5,
            level=0.025,
            candidate_error=0.1,
            reference_error=0.2,
            figures=[],
            reference="0" * 64,
            change_on_pool=0.0,
            explanation="better beyond doubt",
            certified=False,
        )
        .model_dump_json()
        .encode()
    )


@nightly
def test_revoked_model_predicts_no_more(world: Forge, merged: tuple[Run, Run]):
    """(8) A dispatch on main ends a model, whatever its reason says; on a branch it is refused."""
    digest = champion(world, merged[1])
    words = {"digest": digest[:12], "reason": "leaked `rows` $(touch owned) ::error::forged"}
    refused = world.revoke(branch="more-trees", **words)
    assert refused.conclusion == "failure"
    assert "refs/heads/main only" in refused.log
    done = world.revoke(**words)
    assert done.jobs == {"revoke": "success"}, done.log
    last = json.loads(git(world.origin, "show", "assay-ledger:ledger.jsonl").splitlines()[-1])
    assert (last["kind"], last["bundle_digest"]) == ("revocation", digest)
    assert last["reason"] == words["reason"]
    asked = world.predict(candidates=LIST, model=digest)
    assert asked.conclusion == "failure"
    assert "was revoked at" in asked.log
    assert not (world.artifacts / str(asked.number)).exists()
