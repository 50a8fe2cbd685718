"""The rules of `assay.toml`, of the files that git keeps, and of the wheel."""

from collections.abc import Iterator, Sequence

import great_expectations.expectations as gxe

from assay import wheels
from assay.errors import UsageError
from assay.machinery import WheelFault, pinned_wheels, wheel_faults
from assay.origins import RECORD
from assay.records import Severity
from assay.repository import BaseBranch, Repository
from assay.schema import differences as differ
from assay.schema.rules import WARNING, Rule, Table, literal
from assay.settings import Settings
from assay.tables import parse_table

# What a change of the machinery leaves alone: model, data and policy.
FILES, SECTIONS = ("src", "data"), ("model", "project", "gate", "split", "target")
LISTED = 3
MINE = f"{wheels.FOLDER} {wheels.LOCK} {wheels.PROJECT}"
# What the sealed labels are labels of: it changes with a fresh sealed set alone.
NAME = "target.column"
IDENTITY = (NAME, "target.kind", "target.unit")
CLASSES, UNNAMED = "target.classes", "None"
# What a verdict rests on; certificates name its digest.
POLICY = ("gate", "split")
# What a verdict is on: code, data and packages, and the keys that say which model they make.
JUDGED = ("data", "src", "requirements.lock", "pyproject.toml")
JUDGED_SECTIONS = ("model", "project")
# What may change with any pull request, but not unseen.
# Where `assay update` fetches the template from, whose code it runs.
ORIGIN = (RECORD,)
ATTRIBUTES, PACKAGES = (":(glob)**/.gitattributes",), ("requirements.lock", "pyproject.toml")


def machinery_suites(
    repository: Repository, main: Settings | None
) -> Iterator[tuple[Table, list[Rule]]]:
    """What is wrong with the wheel, and what changes together with it, each with its rule."""
    for number, fault in enumerate(wheel_faults(repository.root), start=1):
        yield differ.files_table(f"machinery-{number}", [fault.file]), [_fitting(fault)]
    if not _machinery_differs(repository.base):
        return
    others = repository.base.changed_files(*FILES) + _changed_keys(repository.settings, main)
    if others:
        yield differ.files_table("machinery-with", [_listed(others)]), [_alone(_listed(others))]


def _machinery_differs(base: BaseBranch) -> bool:
    """Whether wheel or hash are others than main's; not where main is not at hand or had none."""
    here = base.root / wheels.LOCK
    content = base.content(here)
    if content is None:
        return False
    text = here.read_bytes() if here.is_file() else b""
    on_main, now = (pinned_wheels(one.decode(errors="replace")) for one in (content, text))
    return bool(base.changed_files(wheels.FOLDER)) or on_main != now


def _changed_keys(settings: Settings, main: Settings | None) -> list[str]:
    if main is None:
        return []
    changed = differ.changed_settings(settings, main)
    return [
        f"{key} of assay.toml"
        for key in changed[differ.KEY][changed[differ.SECTION].isin(SECTIONS)]
    ]


def _listed(others: list[str]) -> str:
    more = len(others) - LISTED
    return ", ".join(others[:LISTED]) + (f" and {more} more" if more > 0 else "")


def _fitting(fault: WheelFault) -> Rule:
    return Rule(
        "machinery.pinned",
        gxe.ExpectColumnValuesToNotBeInSet(
            column=differ.FILE,
            value_set=[fault.file],
            description="There is one wheel of assay, and the lock has its hash.",
        ),
        f"{{file}}: {literal(fault.sentence)}.",
    )


def _alone(others: str) -> Rule:
    return Rule(
        "machinery.alone",
        gxe.ExpectColumnValuesToNotBeInSet(
            column=differ.FILE,
            value_set=[others],
            description="Model, data and policy are main's where the wheel of assay is another.",
        ),
        "the wheel of assay changes together with {file}, so nobody could see which of them "
        "changed a verdict; remove it from this pull request with "
        f"`git restore --source=origin/main --staged --worktree {MINE}` and `make setup`, "
        "and bring it in one of its own: `git switch -c update-assay origin/main` and then "
        "`assay update`.",
    )


def settings_suites(
    repository: Repository, main: Settings | None
) -> Iterator[tuple[Table, list[Rule]]]:
    """The keys that differ from main's, each kind with its rule; and the files that git keeps."""
    base = repository.base
    if files := repository.tracked_files():
        yield differ.files_table("files", files), [_no_key(), _no_environment()]
    for name, paths, of in (
        ("attributes", ATTRIBUTES, _attributes),
        ("packages", PACKAGES, _packages),
        ("origin", ORIGIN, _origin),
    ):
        if told := base.changed_files(*paths):
            yield differ.files_table(f"changed-{name}", told), [of(told)]
    yield from machinery_suites(repository, main)
    if main is None:
        return
    changed = differ.changed_settings(repository.settings, main)
    target = changed[differ.KEY].isin(IDENTITY)
    # exchanged names would turn every label round; names where main has none turn nothing
    target |= (changed[differ.KEY] == CLASSES) & (changed[differ.ON_MAIN] != UNNAMED)
    renamed = target & (
        list(changed[differ.KEY][target]) == [NAME] and is_renamed(repository, main)
    )
    # a fresh sealed set brings its own margin, and so does the first one
    labels = repository.layout.sealed_labels
    first = labels.is_file() and base.content(labels) is None
    fresh = first or bool(base.changed_files("data/sealed_inputs.csv"))
    judged = changed[differ.SECTION].isin(JUDGED_SECTIONS).any()
    alone = fresh or not (judged or base.changed_files(*JUDGED))
    policy = changed[differ.SECTION].isin(POLICY) & (not alone)
    for name, rows, rule in (
        ("target", target & ~renamed, _target()),
        ("renamed", renamed, _renamed()),
        ("policy", policy, _policy()),
        ("settings", ~target & ~policy, _other()),
    ):
        if rows.any():
            cells = changed[rows].reset_index(drop=True)
            yield differ.settings_table(f"settings-{name}", cells), [rule]


def _equal(name: str, description: str, advice: str, severity: Severity) -> Rule:
    expectation = gxe.ExpectColumnPairValuesToBeEqual(
        column_A=differ.ON_MAIN, column_B=differ.HERE, description=description
    )
    sentence = f"{{key}} is {{here}}, on main {{on main}}; {advice}."
    return Rule(name, expectation, sentence, severity=severity)


def _target() -> Rule:
    return _equal(
        "history.target",
        "Name, kind, unit and classes of the target are main's.",
        "labels and certificates are of main's target: put it back, or start another repository "
        "for it",
        "failure",
    )


def _renamed() -> Rule:
    return _equal(
        "history.renamed",
        "The column of the target has its name on main.",
        "the column is renamed and every row is as on main, so labels are still its own",
        WARNING,
    )


def is_renamed(repository: Repository, main: Settings) -> bool:
    """Whether `train.csv` is main's, row by row and cell by cell, but for the target's name."""
    train, name = repository.layout.train, main.target.column
    own = repository.settings.target.column
    try:
        here = parse_table(train.read_bytes(), [own], train)
        there = parse_table(repository.base.content(train) or b"", [name], train)
    except UsageError:
        return False
    return here.equals(there.rename(columns={name: own}))


def _policy() -> Rule:
    return _equal(
        "history.policy",
        "The gate's policy does not change together with data, model or packages.",
        "change the gate's policy in a pull request of its own",
        "failure",
    )


def _other() -> Rule:
    return _equal(
        "history.settings",
        "Other settings are those of main.",
        "tolerances, severities and bounds count once they are on main",
        WARNING,
    )


def _attributes(changed: Sequence[str]) -> Rule:
    return Rule(
        "history.attributes",
        _none_of(changed, "Git's attributes are main's."),
        "{file} is not main's: git's attributes can keep a change out of what reviewers see; look "
        "at all of it with `git diff --text --no-textconv`.",
        severity=WARNING,
    )


def _packages(changed: Sequence[str]) -> Rule:
    return Rule(
        "history.packages",
        _none_of(changed, "The packages that are installed are main's."),
        "{file} is not main's; say in the pull request which packages came or went, and why.",
        severity=WARNING,
    )


def _origin(changed: Sequence[str]) -> Rule:
    return Rule(
        "history.origin",
        _none_of(changed, "The record of the template is main's."),
        "{file} is not main's: `assay update` runs the code of the template that it names; only an "
        "update changes it, so compare its address with main's.",
        severity=WARNING,
    )


def _none_of(files: Sequence[str], description: str) -> gxe.ExpectColumnValuesToNotBeInSet:
    return gxe.ExpectColumnValuesToNotBeInSet(
        column=differ.FILE, value_set=list(files), description=description
    )


def _no_environment() -> Rule:
    return _not_kept(
        "files.no_environment",
        r"^(?:\.venv(?:/|$)|GNUmakefile$|makefile$)",
        "git keeps no environment, and no file that `make` reads for the Makefile.",
        "git tracks {file}, which would run in the jobs that hold keys: run `git rm -r --cached` "
        "on it, and keep `.venv` in .gitignore.",
    )


def _no_key() -> Rule:
    return _not_kept(
        "files.no_key",
        r"(?:^|/)\.assay/|\.key$",
        "git keeps no secret key.",
        "git tracks {file}, which may be a secret key: remove it from the history and put "
        "`/.assay/` back into .gitignore; if it was pushed, run `assay seal retire --early`, since "
        "others may have read it.",
    )


def _not_kept(name: str, regex: str, description: str, advice: str) -> Rule:
    expectation = gxe.ExpectColumnValuesToNotMatchRegex(
        column=differ.FILE, regex=regex, description=description
    )
    return Rule(name, expectation, advice)
