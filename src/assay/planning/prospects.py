"""`assay plan TABLE`: what a table could decide if it were divided and sealed."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from assay.files import write_text
from assay.intake.adoption import SetOptions, adopted, by_public_rows, configured, fitting_model
from assay.intake.division import write_public
from assay.intake.groupings import candidates, command, groupings_text, public_way
from assay.intake.intake import Intake
from assay.layout import Layout
from assay.planning.chances import Plan
from assay.planning.first_model import first_model
from assay.planning.plan import PlanOptions, make_plan
from assay.progress import stages
from assay.repository import Repository
from assay.settings import FILE_NAME, parse_settings

# of each chance; a first look takes a minute, and `--trials` a longer one
TRIALS = 100
# a chance that the first model is certified from which on nothing else is proposed
LIKELY = 0.5


def prospect(  # noqa: PLR0913 (what the verb was told)
    repository: Repository,
    found: Intake,
    chosen: SetOptions,
    options: PlanOptions,
    groupings: str,
    tick: Callable[[], object] = int,
) -> Plan:
    """Divide a table in a folder of its own, fit the model there, and plan for that.

    The repository stays as it is, and of the rows to seal the formulas alone are read. `groupings`
    are those of `groupings_of`, to be kept with the plan.

    Raises:
        UsageError: the table cannot be divided, or the model cannot be fitted on it.
        RefusedError: too many of its rows cannot be used.
    """
    root = repository.root
    text = (root / FILE_NAME).read_text(encoding="utf-8")
    text, parts, _ = adopted(repository, text, found, replace(chosen, anyway=True))
    with tempfile.TemporaryDirectory(prefix="assay-plan-") as folder:
        place = Path(folder)
        shutil.copytree(root / "src", place / "src", ignore=shutil.ignore_patterns("__pycache__"))
        with fitting_model(Repository(place, parse_settings(text))):
            model = first_model(place, parts, text)
        write_public(Layout(place), parts)
        write_text(place / FILE_NAME, model.text)
        plan = make_plan(Repository(place, parse_settings(model.text)), options, tick)
        few = plan.sealed.effective < plan.minimum_groups
        unlikely = model.chance is not None and model.chance < LIKELY
        public = _public(repository, place, found, chosen) if few or unlikely else {}
    told = {"first": model.chance, "groupings": groupings, **public}
    return plan.model_copy(update=told)


def groupings_of(repository: Repository, found: Intake, chosen: SetOptions) -> str:
    """The groupings of a table that are worth a look, and which one is recommended.

    Raises:
        UsageError: the table does not go with `assay.toml`.
    """
    text = (repository.root / FILE_NAME).read_text(encoding="utf-8")
    settings = parse_settings(configured(text, repository.settings, found, chosen))
    with stages("plan") as doing:
        doing("trying groupings")
        return groupings_text(candidates(settings, found))


def _public(
    repository: Repository, place: Path, found: Intake, chosen: SetOptions
) -> dict[str, object]:
    """Whether all rows, if they were public, certified the first model, and by which options."""
    text = (repository.root / FILE_NAME).read_text(encoding="utf-8")
    way = public_way(parse_settings(configured(text, repository.settings, found, chosen)), found)
    if way is None:
        return {}
    found, options = by_public_rows(found, replace(chosen, anyway=True), way)
    text, parts, _ = adopted(repository, text, found, options)
    with fitting_model(Repository(place, parse_settings(text))):
        chance = first_model(place, parts, text).chance
    return {"public": chance, "public_options": command(way)}
