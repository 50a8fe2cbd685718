"""What a pull request changes of assay.toml: main's limits are in force, and changes are told."""

from pathlib import Path

import pytest

from assay.errors import UsageError
from schema_samples import NUMBER, SETTINGS, check, commit, edit, found, only


def settings(sound: Path, more: str = "", target: str = NUMBER) -> None:
    """Write assay.toml."""
    (sound / "assay.toml").write_text(SETTINGS.format(target=target) + more)


@pytest.mark.parametrize(
    ("target", "more"),
    [
        (NUMBER.replace("upper = 5.0", "upper = 500.0"), ""),
        (NUMBER, '[severity]\n"target.bounds" = "warning"\n'),
    ],
)
def test_a_change_cannot_loosen_what_it_must_pass(sound: Path, target: str, more: str) -> None:
    """Wider bounds and lower severities that are not on main do not help a label outside."""
    commit(sound)
    settings(sound, more, target)
    edit(sound, "train.csv", lambda lines: lines.__setitem__(4, "t00004,NaF,99"))
    report = check(sound)
    assert only(report, "target.bounds").severity == "failure"
    assert found(report, "history.settings")


def test_severities_of_main_count(sound: Path) -> None:
    """What is a warning on main is told and does not fail; a warning can be made a failure."""
    settings(sound, '[severity]\n"target.bounds" = "warning"\n"formula.elements" = "failure"\n')
    edit(sound, "train.csv", lambda lines: lines.__setitem__(4, "t00004,NaF,99"))
    report = check(sound)
    assert only(report, "target.bounds").severity == "warning"
    assert only(report, "formula.elements").severity == "failure"


def test_an_unknown_rule_is_named_with_the_nearest(sound: Path) -> None:
    """A misspelt name in [severity] is wrong usage, not a rule that nobody has."""
    settings(sound, '[severity]\n"target.bound" = "warning"\n')
    with pytest.raises(
        UsageError, match=r"unknown rule .target\.bound.; did you mean .target\.bounds."
    ):
        check(sound)


def test_the_target_stays_that_of_the_sealed_labels(sound: Path) -> None:
    """Another unit in assay.toml fails, with both values."""
    commit(sound)
    settings(sound, target=NUMBER.replace("eV/atom", "kJ/mol"))
    finding = only(check(sound), "history.target")
    assert "target.unit is kJ/mol, on main eV/atom" in finding.message
    assert finding.value == "kJ/mol"


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ('classes = ["n", "y"]', 'classes = ["y", "n"]', "history.target"),
        ('classes = ["n", "y"]', "", "history.target"),
        ("", 'classes = ["n", "y"]', "history.settings"),
    ],
)
def test_exchanged_names_of_classes_are_another_target(
    sound: Path, before: str, after: str, rule: str
) -> None:
    """They turn the meaning of every sealed label; names where main has none are a warning."""
    kind = 'kind = "class"\n'
    edit(sound, "train.csv", lambda lines: lines.__setitem__(slice(1, None), yes_no(lines[1:])))
    settings(sound, target=kind + before)
    commit(sound)
    settings(sound, target=kind + after)
    assert "target.classes" in only(check(sound), rule).message


def yes_no(lines: list[str]) -> list[str]:
    """The rows with 0 and 1 for labels, in turn."""
    return [f"{line.rpartition(',')[0]},{number % 2}" for number, line in enumerate(lines)]


def test_a_column_may_be_renamed_with_its_key(sound: Path) -> None:
    """A renamed target is a warning if every row is as on main, else it is another target."""
    commit(sound)
    settings(sound, target=NUMBER.replace("upper = 5.0", "upper = 500.0"))
    path = sound / "assay.toml"
    path.write_text(path.read_text().replace('column = "y"', 'column = "enthalpy"'))
    edit(sound, "train.csv", lambda lines: lines.__setitem__(0, "row_id,formula,enthalpy"))
    report = check(sound)
    assert report.passed
    assert "enthalpy, on main y" in only(report, "history.renamed").message
    edit(sound, "train.csv", lambda lines: lines.__setitem__(30, "t00030,AlI,-3.1"))
    report = check(sound)
    assert report.failed == ["history.target"]
    # main's bounds are in force under either name
    edit(sound, "train.csv", lambda lines: lines.__setitem__(30, "t00030,AlI,99"))
    assert "target.bounds" in check(sound).failed


def test_a_policy_changes_alone(sound: Path) -> None:
    """Another margin is a warning by itself and a failure together with other data."""
    commit(sound)
    (sound / "assay.toml").write_text(
        SETTINGS.format(target=NUMBER).replace("margin = 0.1", "margin = 9.0")
    )
    report = check(sound)
    assert report.passed
    assert "gate.margin is 9.0, on main 0.1" in only(report, "history.settings").message
    edit(sound, "train.csv", lambda lines: lines.append("t00031,LiNa,-0.2"))
    assert only(check(sound), "history.policy").severity == "failure"


def test_the_first_seal_brings_its_margin(sound: Path) -> None:
    """Labels that are sealed for the first time come with the margin that they allow, once."""
    commit(sound)
    (sound / "assay.toml").write_text(MARGIN)
    edit(sound, "train.csv", lambda lines: lines.append("t00031,LiNa,-0.2"))
    assert found(check(sound), "history.policy")
    (sound / "data" / "sealed_labels.bin").write_bytes(b"sealed")
    assert not found(check(sound), "history.policy")
    commit(sound)
    (sound / "assay.toml").write_text(MARGIN.replace("9.0", "99.0"))
    edit(sound, "train.csv", lambda lines: lines.append("t00032,NaK,-0.2"))
    assert found(check(sound), "history.policy")


MARGIN = SETTINGS.format(target=NUMBER).replace("margin = 0.1", "margin = 9.0")
JUDGED = ["src/toy/model.py", "src/helpers/fit.py", "requirements.lock", "pyproject.toml"]


def write_new(sound: Path, name: str, text: str) -> None:
    """A file of the repository that git knows."""
    (sound / name).parent.mkdir(parents=True, exist_ok=True)
    (sound / name).write_text(text)


@pytest.mark.parametrize("name", JUDGED)
def test_a_policy_changes_without_any_code_or_package(sound: Path, name: str) -> None:
    """Whatever makes the model is part of it: the author's package, another one, the lock."""
    write_new(sound, name, "one")
    commit(sound)
    write_new(sound, name, "two")
    assert check(sound).passed
    (sound / "assay.toml").write_text(MARGIN)
    assert only(check(sound), "history.policy").severity == "failure"


@pytest.mark.parametrize("change", ["[model]\nseed = 7\n", "package"])
def test_a_policy_changes_without_keys_that_make_the_model(sound: Path, change: str) -> None:
    """`[model]`, and which package is the model, may change freely, but not with the margin."""
    commit(sound)

    def changed(text: str) -> str:
        return (
            text.replace('"toy"\n[target]', '"b"\n[target]')
            if change == "package"
            else text + change
        )

    (sound / "assay.toml").write_text(changed(SETTINGS.format(target=NUMBER)))
    assert check(sound).passed
    (sound / "assay.toml").write_text(changed(MARGIN))
    report = check(sound)
    assert "gate.margin" in only(report, "history.policy").message
    assert found(report, "history.settings")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (".gitattributes", "attributes"),
        ("data/.gitattributes", "attributes"),
        ("requirements.lock", "packages"),
        ("pyproject.toml", "packages"),
        (".cookiecutter.json", "origin"),
    ],
)
def test_packages_and_hidden_changes_are_told(sound: Path, name: str, kind: str) -> None:
    """Another dependency is free, and so are attributes of git, but neither goes by unseen."""
    write_new(sound, name, "one")
    commit(sound)
    assert not found(check(sound), f"history.{kind}")
    write_new(sound, name, "two")
    report = check(sound)
    told = only(report, f"history.{kind}")
    assert (told.severity, report.passed) == ("warning", True)
    assert told.message.startswith(f"{name} is not main's")
    (sound / name).unlink()
    assert found(check(sound), f"history.{kind}")


def test_a_tracked_key_fails(sound: Path) -> None:
    """A key that git keeps is named; one that git ignores is not."""
    key = sound / ".assay" / "keys" / "sealing.key"
    key.parent.mkdir(parents=True)
    key.write_text("key")
    (sound / ".gitignore").write_text("/.assay/\n")
    commit(sound)
    assert not found(check(sound), "files.no_key")
    (sound / ".gitignore").write_text("")
    commit(sound)
    assert "git tracks .assay/keys/sealing.key" in only(check(sound), "files.no_key").message


@pytest.mark.parametrize("name", [".venv/locked", ".venv/bin/assay", "GNUmakefile", "makefile"])
def test_a_tracked_environment_fails(sound: Path, name: str) -> None:
    """What `make machinery` would take for its own work is named; the Makefile itself is not."""
    write_new(sound, name, "planted")
    commit(sound)
    finding = only(check(sound), "files.no_environment")
    assert finding.severity == "failure"
    assert f"git tracks {name}" in finding.message


def test_the_makefile_may_be_kept(sound: Path) -> None:
    """The template's own Makefile, and files called alike in folders, are no finding."""
    for name in ("Makefile", "docs/makefile", "src/.venv.md"):
        write_new(sound, name, "all:\n")
    commit(sound)
    assert not found(check(sound), "files.no_environment")
