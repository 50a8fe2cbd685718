"""`assay init --evidence public`: when it is proposed, what it makes, and the way to a seal."""

import pytest
import typer

from assay.errors import RefusedError, UsageError
from assay.initialization import initialize as bare
from assay.initialization import next_steps, read_source
from assay.intake.adoption import SetOptions
from assay.intake.choices import Choices
from assay.intake.groupings import CannotDecideError
from assay.layout import Layout
from assay.planning.plan import PlanOptions
from assay.planning.prospects import prospect
from assay.planning.text import sentences
from assay.repository import read_repository
from assay.sealing.retirement import retire
from assay.sealing.rotation import rotate
from assay.settings import read_settings
from assay.tables import read_table
from assay.verbs import start
from mini import ANIONS, VALUES, csv_of, initialize, kept, seal_fresh

OTHERS = ["Rb", "Cs", "Sr", "Ba", "Zn", "Cd", "Sc", "Y"]


def begin(root, **options):
    """Do what `assay init mine.csv` does, without --anyway."""
    return initialize(root, str(root / "mine.csv"), "gap [eV]", **({"anyway": False} | options))


SMALL = dict(list(VALUES.items())[::2])


@pytest.fixture
def small(mini):
    """A repository whose table is too small for any grouping of it to be sealed."""
    (mini / "mine.csv").write_text(csv_of(SMALL))
    return mini


@pytest.fixture
def public(mini, monkeypatch):
    """The repository, initialised with public evidence."""
    take_public(monkeypatch)
    begin(mini)
    return mini


def take_public(monkeypatch):
    """Let `initialize` of mini ask for public evidence."""

    def asked(**said):
        return SetOptions(**said, evidence="public")

    monkeypatch.setattr("mini.SetOptions", asked)


def test_what_cannot_decide_is_not_sealed(small):
    """Without a word about evidence a small table is refused, and nothing is written."""
    mini, before = small, kept(small)
    with pytest.raises(CannotDecideError) as refused:
        begin(mini)
    assert refused.value.code == "data.cannot-decide"
    assert "--evidence public" in str(refused.value)
    assert kept(mini) == before


def test_all_rows_are_public_and_nothing_is_sealed(public):
    """All rows are in the train set, there is a signing key alone, and assay.toml says it."""
    layout = Layout(public)
    assert read_settings(public).public
    assert len(read_table(layout.train, ["row_id"])) == len(VALUES)
    assert not layout.sealed_inputs.exists()
    assert not layout.sealed_labels.exists()
    assert [path.name for path in layout.keys.iterdir()] == ["signing.key"]
    assert layout.public_key.exists()
    assert "ASSAY_SEALING_KEY" not in next_steps(public)


def test_sealed_is_the_silent_default(mini):
    """Where a set is sealed, no key of assay.toml and no file speaks of public evidence."""
    begin(mini, anyway=True)
    assert "evidence" not in (mini / "assay.toml").read_text()
    assert Layout(mini).sealed_labels.exists()


def test_a_second_init_is_refused(public):
    """The rows that were taken in are not replaced by those of another table."""
    before = kept(public)
    with pytest.raises(RefusedError) as refused:
        begin(public)
    assert refused.value.code == "data.already-public"
    assert kept(public) == before


def test_too_few_groups_for_public_evidence(mini, monkeypatch):
    """A table on which not even cross-validation decides is refused, whatever is asked for."""
    few = dict(list(VALUES.items())[:5])
    (mini / "mine.csv").write_text(csv_of(few))
    take_public(monkeypatch)
    with pytest.raises(RefusedError) as refused:
        begin(mini)
    assert refused.value.code == "data.too-few-public"


@pytest.mark.parametrize("yes", [True, False])
def test_on_a_terminal_it_asks(small, monkeypatch, yes):
    """The person says whether public rows shall decide; a no leaves the refusal."""
    mini = small
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda _: yes)
    found = read_source(mini, str(mini / "mine.csv"), Choices(target="gap [eV]"))
    if yes:
        assert start._initialized(mini, found, SetOptions()).sealed_rows == 0
        assert read_settings(mini).public
        return
    with pytest.raises(CannotDecideError):
        start._initialized(mini, found, SetOptions())


def test_no_set_no_verbs_about_it(public):
    """Verbs about a sealed set, and a plan for one, are refused with the way to seal rows."""
    for verb in (
        lambda: rotate(Layout(public)),
        lambda: retire(read_repository(public), None, early=True),
    ):
        with pytest.raises(RefusedError) as refused:
            verb()
        assert refused.value.code == "labels.none-sealed"
        assert "`assay seal fresh FILE`" in str(refused.value)


def test_from_public_to_sealed(public):
    """Rows of other systems that nobody has seen are sealed whole; the public ones stay."""
    layout = Layout(public)
    train = layout.train.read_bytes()
    values = {f"{c}{n}{a}": 0.1 + i for i, c in enumerate(OTHERS) for a in ANIONS for n in ("", 2)}
    path = public.parent / "new.csv"
    path.write_text(csv_of(values))
    made = seal_fresh(public, str(path), unit="eV")
    assert (made.joined_rows, made.sealed_rows, made.kept) == (0, len(values), None)
    assert not read_settings(public).public
    assert layout.train.read_bytes() == train
    assert layout.sealed_labels.exists()


def test_public_rows_cannot_be_sealed(public):
    """What is public stays public: rows of known systems are refused."""
    path = public.parent / "known.csv"
    path.write_text(csv_of(VALUES))
    with pytest.raises(RefusedError) as refused:
        seal_fresh(public, str(path), unit="eV")
    assert refused.value.code == "data.public-system"


def test_plan_proposes_public_evidence_by_its_command(small):
    """Where no sealed set decides, the plan says whether public evidence certifies the model."""
    mini = small
    found = read_source(mini, str(mini / "mine.csv"), Choices(target="gap [eV]"))
    options = PlanOptions(trials=2)
    made = prospect(read_repository(mini), found, SetOptions(evidence="sealed"), options, "")
    assert made.public in {0.0, 1.0}
    told = "\n".join(sentences(made.model_copy(update={"source": "mine.csv"})))
    assert "`assay init mine.csv --evidence public --group system`" in told
    assert not read_settings(mini).public


def test_divided_rows_are_not_made_public(mini):
    """Rows that hold some out already keep them: public evidence takes a table."""
    with pytest.raises(UsageError) as refused:
        bare(mini, None, SetOptions(evidence="public"))
    assert refused.value.code == "data.divided"
