"""Repositories updated to a changed template, as far as files and branches go."""

import json
import shutil
import subprocess

import pytest

from assay import wheels
from assay.errors import CheckFailedError, NotCarriedOutError, RefusedError, UsageError
from assay.update import rendering
from assay.update.last_commit import read_last_commit
from assay.update.update import Order, begin, carry_out
from conftest import commit, git
from sentences import assert_sentence, told
from updating import (
    edit,
    generate,
    make_template,
    of_template,
    run_update,
    shown,
    state,
    update_within,
    wheel_of,
)

GATE = ".github/workflows/gate.yml"
PLANTED = "MIGRATIONS: tuple[Migration, ...] = ()"
RECORD = ".cookiecutter.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A template and a repository that it made, only to be read."""
    folder = tmp_path_factory.mktemp("made")
    template = make_template(folder / "template")
    return template, generate(template, folder, tmp_path_factory.mktemp("home"))


@pytest.fixture
def template(made, tmp_path):
    """A copy of the template."""
    return shutil.copytree(made[0], tmp_path / "template")


@pytest.fixture
def model(made, tmp_path):
    """A copy of the repository."""
    return shutil.copytree(made[1], tmp_path / "formation-enthalpy")


def newer(template):
    """Change a verb's text and a workflow of the template; gives its commit."""
    edit(template, "src/assay/verbs/start.py", "split its rows", "divide its rows")
    edit(template, of_template(GATE), "name:", "# as of late\nname:")
    return commit(template, "Go on")


def files_of(repository, revision):
    """The files of a commit."""
    return set(git(repository, "ls-tree", "-r", "--name-only", revision).splitlines())


def test_up_to_date(template, model):
    """The template that made a repository brings nothing new, whatever the author changed."""
    edit(model, "README.md", "## Your first day", "## Day one")
    edit(model, "assay.toml", "folds = 5", "folds = 4")
    commit(model, "My own")
    before = state(model)
    ended = run_update(model, "--template", str(template))
    assert (ended.code, ended.error) == (0, "")
    assert "up to date" in ended.printed
    assert state(model) == before


def test_update_as_a_person_runs_it(template, model):
    """One commit on a branch replaces what nobody touched; refs, index and files stay."""
    recorded = newer(template)
    edit(model, "src/formation_enthalpy/model.py", "", "# mine\n")
    head = commit(model, "My own")
    before = state(model)
    # a person's settings of cookiecutter answer nothing here
    (model.parent / ".cookiecutterrc").write_text("default_context: {author: Somebody}\n")
    ended = run_update(model, "--template", str(template), "--no-train")
    assert (ended.code, ended.error) == (0, "")
    assert not (model.parent / ".cookiecutter_replay").exists()
    (branch,) = git(
        model, "branch", "--list", "assay-update-*", "--format=%(refname:short)"
    ).split()
    assert f"git switch {branch}" in ended.printed
    assert "not checked" in ended.printed.lower()
    assert git(model, "rev-parse", f"{branch}^") == head
    git(model, "branch", "-m", branch, "elsewhere")
    refs, *others = state(model)
    assert others == list(before[1:])
    assert refs.replace("elsewhere", "") != before[0]

    assert "# as of late" in shown(model, "elsewhere", GATE)
    assert shown(model, "elsewhere", "src/formation_enthalpy/model.py").endswith("# mine")
    assert "Somebody" not in shown(model, "elsewhere", "LICENSE")
    old = wheel_of(model).name
    git(model, "switch", "--quiet", "elsewhere")
    assert wheel_of(model).name != old
    assert wheel_of(model).name in (model / wheels.PROJECT).read_text()
    read_last_commit(model)  # raises where the lock does not name the wheel
    record = json.loads((model / RECORD).read_text())
    assert record["template"]["commit"] == recorded
    assert update_within(model, template) is None, "twice is once"


def test_own_changes_are_merged(template, model):
    """A file that both sides changed has both changes, and the next update still knows its base."""
    newer(template)
    edit(template, of_template("Makefile"), "## Show this list", "## List what there is")
    commit(template, "More")
    edit(model, "Makefile", "## Check style", "## Check my style")
    edit(model, wheels.PROJECT, '"scikit-learn>=1.9"', '"scikit-learn>=1.9", "extra"')
    (lock := model / wheels.LOCK).write_text(
        lock.read_text().replace("aiosignal==", "aiomine==1 \\\n    --hash=sha256:aa\naiosignal==")
    )
    commit(model, "My own")
    report = update_within(model, template)
    assert report.made.merged == ["Makefile", wheels.PROJECT, wheels.LOCK]
    git(model, "switch", "--quiet", report.branch)
    git(model, "branch", "-m", "earlier")
    text = (model / "Makefile").read_text()
    assert "## Check my style" in text
    assert "## List what there is" in text
    assert "aiomine==1" in lock.read_text()
    assert wheel_of(model).name in (model / wheels.PROJECT).read_text()

    # what was rendered then is nowhere in this history: the template's commit renders it again
    edit(template, of_template("Makefile"), "## List what there is", "## Say what there is")
    commit(template, "More again")
    second = update_within(model, template)
    assert "Makefile" in second.made.merged
    text = shown(model, second.branch, "Makefile")
    assert "## Check my style" in text
    assert "## Say what there is" in text


def test_conflict_leaves_nothing(template, model):
    """A line that both sides changed stops the update with the file's name, and leaves nothing."""
    edit(template, of_template("Makefile"), "## Check style", "## Check their style")
    commit(template, "Go on")
    edit(model, "Makefile", "## Check style", "## Check my style")
    commit(model, "My own")
    before = state(model)
    with told(CheckFailedError, 1, "Makefile", "--keep-conflicts"):
        update_within(model, template)
    assert state(model) == before


def test_conflict_is_kept_when_asked_for(template, model):
    """With --keep-conflicts the branch has both sides marked, and nothing is said to be checked."""
    edit(template, of_template("Makefile"), "## Check style", "## Check their style")
    commit(template, "Go on")
    edit(model, "Makefile", "## Check style", "## Check my style")
    commit(model, "My own")
    report = update_within(model, template, keep_conflicts=True, train=True)
    assert list(report.made.conflicts) == ["Makefile"]
    assert report.compared is None
    text = shown(model, report.branch, "Makefile")
    assert "<<<<<<<" in text
    assert "Check my style" in text
    assert "Check their style" in text
    edit(model, "Makefile", "my style", "our style")
    git(model, "stash", "--quiet")
    git(model, "switch", "--quiet", report.branch)
    (model / "Makefile").write_text(text.replace("<<<<<<< your file\n", ""))
    commit(model, "Decide")
    assert update_within(model, template) is None, "what was decided is no conflict again"


def test_files_that_come_and_go(template, model):
    """New files come, dropped ones go unless they were changed, removed ones do not come back."""
    place = template / rendering.FOLDER
    (place / "fresh.md").write_text("new\n")
    (place / "taken.md").write_text("new, too\n")
    for name in ("CONTRIBUTING.md", "slurm.yaml"):
        (place / name).unlink()
    edit(template, of_template(".github/zizmor.yml"), "", "# more\n")
    (place / "data" / "more.csv").write_text("formula\n")
    edit(template, of_template("tests/test_my_model.py"), "", "# more\n")
    commit(template, "Come and go")
    edit(model, "CONTRIBUTING.md", "", "my own\n")
    (model / ".github" / "zizmor.yml").unlink()
    commit(model, "My own")
    report = update_within(model, template)
    assert "fresh.md" in report.made.added
    assert {"CONTRIBUTING.md"} == set(report.made.kept)
    assert {".github/zizmor.yml"} == set(report.made.missing)
    after = files_of(model, report.branch)
    assert {"CONTRIBUTING.md", "fresh.md", "taken.md"} <= after
    assert not {"slurm.yaml", ".github/zizmor.yml", "data/more.csv"} & after
    assert "# more" not in shown(model, report.branch, "tests/test_my_model.py")

    (model / "taken.md").write_text("mine\n")
    commit(model, "The same name")
    git(model, "branch", "--quiet", "-D", report.branch)
    with told(CheckFailedError, 1, "taken.md"):
        update_within(model, template)


def test_settings_are_migrated(template, model):
    """A key that the new version renames keeps the author's own value and its comment."""
    own = "margin = 0.0123  # by init\n"
    text = (model / "assay.toml").read_text()
    line = next(line for line in text.splitlines() if line.startswith("margin"))
    edit(model, "assay.toml", f"{line}\n", own)
    commit(model, "My own")
    entry = 'MIGRATIONS = (Migration("0.3", "gate.margin", "gate.tolerance"),)'
    edit(template, "src/assay/update/migrations.py", PLANTED, entry)
    edit(template, "src/assay/gate/policy.py", "    margin: Margin\n", "    tolerance: Margin\n")
    for name in (of_template("assay.toml"),):
        source = template / name
        source.write_text(source.read_text().replace("\nmargin = ", "\ntolerance = "))
    commit(template, "Rename a key")
    ended = run_update(model, "--template", str(template), "--no-train")
    assert ended.code == 0, ended.error
    (branch,) = git(
        model, "branch", "--list", "assay-update-*", "--format=%(refname:short)"
    ).split()
    assert own.replace("margin", "tolerance") in shown(model, branch, "assay.toml")
    assert "\nmargin" not in shown(model, branch, "assay.toml")


def test_settings_that_no_version_reads_are_a_conflict(template, model):
    """A renamed key without a migration leaves settings that cannot be read: nothing is made."""
    edit(model, "assay.toml", "[gate]\n", "[gate]\nslack = 0.1\n")
    commit(model, "My own")
    edit(template, "src/assay/gate/policy.py", "    slack: Annotated", "    play: Annotated")
    commit(template, "Forget the migration")
    before = state(model)
    ended = run_update(model, "--template", str(template), "--no-train")
    assert ended.code == 1
    assert "assay.toml" in ended.error
    assert "slack" in ended.error
    assert state(model) == before


def spoilt(model, kind):
    """Make a repository one that cannot be updated."""
    wheel = wheel_of(model)
    if kind == "changes":
        edit(model, "README.md", "", "not committed\n")
        return
    if kind == "no git":
        shutil.rmtree(model / ".git")
        return
    if kind == "no record":
        (model / RECORD).unlink()
    elif kind == "no answers":
        (model / RECORD).write_text('{"template": "assay 0.1.0"}')
    elif kind == "no JSON":
        (model / RECORD).write_text("{")
    elif kind == "two wheels":
        shutil.copyfile(wheel, wheel.with_name(wheel.name.replace("+", "+a")))
    elif kind == "no wheel":
        wheel.unlink()
    elif kind == "a byte":
        content = bytearray(wheel.read_bytes())
        content[1000] ^= 1
        wheel.write_bytes(content)
    elif kind == "no line":
        lock = model / wheels.LOCK
        lock.write_text(wheels.without_entry(lock.read_text()))
    commit(model, "Spoil it")


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("changes", RefusedError, 1),
        ("no git", RefusedError, 1),
        ("no record", RefusedError, 1),
        ("no answers", UsageError, 2),
        ("no JSON", UsageError, 2),
        ("two wheels", UsageError, 2),
        ("no wheel", UsageError, 2),
        ("no line", UsageError, 2),
        ("a byte", CheckFailedError, 1),
    ],
)
def test_unfit_repository_is_refused(model, template, kind, error, code):
    """What is not as the template left it is named in a sentence, and nothing is written."""
    spoilt(model, kind)
    with told(error, code):
        begin(model, str(template), None, Order(str(model), "", ""))
    if kind != "no git":
        assert not git(model, "branch", "--list", "assay-update-*")


@pytest.mark.parametrize(
    "answers",
    [
        {"author": "A<< cycler.__init__.__globals__.os.getcwd() >>"},
        {"unit": "{% raw %}eV{% endraw %}"},
        {"project": "../outside"},
        {"project": "/outside"},
    ],
)
def test_record_that_would_run_code_is_refused(model, template, answers):
    """Answers are put into a template: code in one, or a name that leads elsewhere, is refused."""
    record = json.loads((model / RECORD).read_text())
    record["answers"] |= answers
    (model / RECORD).write_text(json.dumps(record))
    commit(model, "Answer otherwise")
    with told(UsageError, 2, "the answer" if "project" in answers else "delimiters"):
        begin(model, str(template), None, Order(str(model), "", ""))


def test_names_of_cookiecutters_own_are_not_answers(model, template):
    """What the template derives itself is not taken from the record."""
    record = json.loads((model / RECORD).read_text())
    record["answers"] |= {"__package": "../../elsewhere", "_jinja2_env_vars": "{}"}
    (model / RECORD).write_text(json.dumps(record))
    commit(model, "Answer more")
    newer(template)
    report = update_within(model, template)
    assert "__package" not in json.loads(shown(model, report.branch, RECORD))["answers"]
    assert "src/formation_enthalpy/model.py" in files_of(model, report.branch)


def test_new_files_take_no_place_of_the_authors(model, template):
    """A new file where the author has a folder, or below a file of theirs, is a conflict."""
    for name in ("extra", "more/b.txt", "free/c.txt"):
        (template / of_template(name)).parent.mkdir(exist_ok=True)
        (template / of_template(name)).write_text("new\n")
    commit(template, "Go on")
    (model / "extra").mkdir()
    (model / "extra" / "mine.txt").write_text("mine\n")
    (model / "more").write_text("mine\n")
    commit(model, "My own")
    with told(CheckFailedError, 1, "extra", "more"):
        update_within(model, template)
    report = update_within(model, template, keep_conflicts=True)
    assert set(report.made.conflicts) == {"extra", "more/b.txt"}
    assert {"extra/mine.txt", "more", "free/c.txt"} <= files_of(model, report.branch)


def test_settings_of_git_do_not_matter(model, template):
    """A person's git that makes line ends of its own fetches the template as it was committed."""
    newer(template)
    settings = model.parent / "settings"
    settings.write_text("[core]\n\tautocrlf = true\n")
    ended = run_update(
        model,
        *("--template", f"file://{template}", "--no-train"),
        GIT_CONFIG_GLOBAL=str(settings),
    )
    assert (ended.code, ended.error) == (0, "")


def test_template_is_named_or_recorded(model, template, tmp_path):
    """A recorded address is used by itself; a folder has to be named."""
    order = Order(str(model), "", "", train=False)
    with told(UsageError, 2, "--template"):
        begin(model, None, None, order)
    with told(NotCarriedOutError, 3, "cannot be fetched"):
        begin(model, f"{tmp_path}/nowhere", None, order)
    with told(UsageError, 2, "no tag, branch or commit"):
        begin(model, str(template), "v99", order)
    (empty := tmp_path / "empty").mkdir()
    with told(UsageError, 2, "not the Assay template"):
        begin(model, str(empty), None, order)
    shutil.rmtree(template / "src" / "assay")
    with told(NotCarriedOutError, 3, "downloaded in part"):
        begin(model, str(template), None, order)


def test_older_template_is_refused(model, template):
    """No earlier version, no earlier commit and none beside it replaces a later one."""
    order = Order(str(model), "", "", train=False)
    first = git(template, "rev-parse", "HEAD")
    newer(template)
    git(template, "tag", "later")
    report = update_within(model, template)
    git(model, "merge", "--quiet", report.branch)
    git(model, "branch", "--quiet", "-d", report.branch)
    with told(RefusedError, 1, "does not follow"):
        begin(model, str(template), first, order)
    git(template, "switch", "--quiet", "-c", "beside", first)
    edit(template, of_template(GATE), "name:", "# beside\nname:")
    commit(template, "Beside")
    with told(RefusedError, 1, "does not follow"):
        begin(model, str(template), None, order)
    edit(template, "src/assay/__init__.py", '__version__ = "', '__version__ = "0.0.')
    commit(template, "Long ago")
    with told(RefusedError, 1, "0.0."):
        begin(model, str(template), None, order)
    assert run_update(model, "--template", str(template), "--to", "later").code == 0


def test_branch_that_exists_is_not_moved(model, template):
    """A second update beside one that waits is refused, with the commands for either way on."""
    newer(template)
    report = update_within(model, template)
    before = state(model)
    with told(RefusedError, 1, report.branch, "git switch", "git branch -D"):
        update_within(model, template)
    assert state(model) == before
    git(model, "branch", "-m", report.branch, f"{report.branch}/mine")
    with told(RefusedError, 1, report.branch, "git branch -m"):
        update_within(model, template)


def test_folder_that_cannot_be_written(model, template, monkeypatch):
    """Where git cannot write, the update ends with git's reason and nothing is made."""
    newer(template)
    wheel = rendering.build(template, model.parent / "built")
    # whoever is root may write everywhere but there; what there is, is read from where it is
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/proc/self")
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", str(model / ".git" / "objects"))
    with pytest.raises(NotCarriedOutError) as caught:
        carry_out(Order(str(model), str(template), str(wheel), train=False))
    assert_sentence(str(caught.value))
    monkeypatch.undo()
    assert not git(model, "branch", "--list", "assay-update-*")


def test_partial_history_is_named(model, template):
    """A changed file whose first content is nowhere is a conflict that says how to get it."""
    newer(template)
    edit(template, of_template("Makefile"), "## Show this list", "## List what there is")
    commit(template, "More")
    edit(model, "Makefile", "## Check style", "## Check my style")
    commit(model, "My own")
    shallow = model.with_name("shallow")
    git(model, "clone", "--quiet", "--depth=1", f"file://{model}", str(shallow))
    with told(CheckFailedError, 1, "Makefile", "git fetch --unshallow"):
        update_within(shallow, template, history=None)
    assert update_within(shallow, template).made.merged, "the template's history has it, too"


def test_own_table(made, tmp_path, tmp_path_factory):
    """A repository on a table of the author's own stays without the example's files and answers."""
    (tmp_path / "own.csv").write_text("formula,gap\nNaCl,1\nMgO,2\n")
    answers = {"project": "gaps", "data": "own.csv", "target": "gap", "unit": "eV"}
    model = generate(made[0], tmp_path, tmp_path_factory.mktemp("home"), **answers)
    template = shutil.copytree(made[0], tmp_path / "template")
    newer(template)
    before = files_of(model, "HEAD")
    report = update_within(model, template)
    after = files_of(model, report.branch)
    assert {name for name in before ^ after if not name.startswith("wheels/")} == set()
    assert "margin = 1.0" in shown(model, report.branch, "assay.toml")


def make_old(model):
    """Turn a repository into one from before the package: a copy of assay, and no ids."""
    record = json.loads((model / RECORD).read_text())
    (model / RECORD).write_text(
        json.dumps({"template": "assay 0.1.0", "answers": record["answers"]})
    )
    shutil.rmtree(model / "wheels")
    lock = model / wheels.LOCK
    lock.write_text(wheels.without_entry(lock.read_text()))
    (model / "src" / "assay").mkdir()
    for name in ("__init__.py", "cli.py"):
        (model / "src" / "assay" / name).write_text(f"# {name}, of old\n")
    message = "Make the repository from the Assay template"
    git(model, "add", "--all")
    git(model, "commit", "--quiet", "--amend", "--message", message)


def test_copied_machinery_is_replaced_by_the_wheel(model, template):
    """A repository from before the package loses its copy and gets wheel, lock and record."""
    make_old(model)
    edit(model, "assay.toml", "folds = 5", "folds = 4")
    commit(model, "My own")
    newer(template)
    report = update_within(model, template)
    after = files_of(model, report.branch)
    assert not [name for name in after if name.startswith("src/assay/")]
    assert "folds = 4" in shown(model, report.branch, "assay.toml")
    git(model, "switch", "--quiet", report.branch)
    assert read_last_commit(model).wheel == f"wheels/{wheel_of(model).name}"
    assert update_within(model, template) is None


def test_changed_copy_of_the_machinery_is_named(model, template):
    """A copy that the author changed would hide the wheel: it is named, whatever is asked for."""
    make_old(model)
    edit(model, "src/assay/cli.py", "", "# mine\n")
    (model / "src" / "assay" / "own.py").write_text("")
    commit(model, "My own")
    newer(template)
    with told(CheckFailedError, 1, "src/assay/cli.py", "src/assay/own.py", "git rm"):
        update_within(model, template)
    with told(RefusedError, 1, "git rm"):
        update_within(model, template, keep_conflicts=True)
    git(model, "rm", "--quiet", "src/assay/cli.py", "src/assay/own.py")
    git(model, "commit", "--quiet", "--message", "As told")
    assert update_within(model, template).made.conflicts == {}


def test_old_history_must_be_whole(model, template):
    """Without the template's own commit nobody knows what the author changed: it is refused."""
    make_old(model)
    commit_id = git(model, "commit-tree", "HEAD^{tree}", "-m", "Everything at once")
    git(model, "reset", "--quiet", "--hard", commit_id)
    newer(template)
    with told(RefusedError, 1, "Make the repository"):
        update_within(model, template)


def test_downloaded_template_has_no_commits(model, template):
    """A template without git is taken by its version, and what was not compared is said."""
    newer(template)
    shutil.rmtree(template / ".git")
    ended = run_update(model, "--template", str(template), "--no-train")
    assert ended.code == 0, ended.error
    assert "Not checked: commits" in ended.printed
    assert subprocess.run(["git", "-C", str(template), "status"], check=False).returncode
