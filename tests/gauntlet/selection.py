"""The planted pull requests that go through the real workflows, a few of every family."""

from dataclasses import dataclass

from gauntlet.cases import Case
from gauntlet.families import all_cases


@dataclass(frozen=True)
class Chosen:
    """A case by its name, and why it is among the few.

    `words` stand in what the comment says of a case that is refused. `job` is the one of
    `candidate` and `sanity` whose workflow the pull request changes, where its own code alters
    what the run hands over.
    """

    name: str
    why: str
    words: str = ""
    job: str = ""

    @property
    def case(self) -> Case:
        """The case itself.

        Raises:
            KeyError: there is none of this name.
        """
        return {case.name: case for case in all_cases()}[self.name]


CHOSEN = (
    Chosen("some-millielectronvolts", "Several rules catch it: the first must not hide the other."),
    Chosen("unit-renamed", "The tables are as on main; assay.toml alone is wrong."),
    Chosen("sentinel", "The plainest of all mistakes: one row, one rule."),
    Chosen("rows-dropped", "What is missing has no line that a comment could point to."),
    Chosen("sealed-composition", "The comment must name the row, and no sealed label."),
    Chosen("target-per-formula", "A whole column is at fault."),
    Chosen(
        "sealed-row-moved",
        "A row that is gone has no line; the seal itself says that it is missing.",
    ),
    Chosen("spreadsheet", "The comment must show the cell that is at fault, and disarm it."),
    Chosen(
        "semicolons", "The table cannot be read at all, so no check is made.", words="train.csv"
    ),
    Chosen("first-element", "Hypothesis finds the formula, and the comment shows it."),
    Chosen("features-mostly-lost", "Sound, reproducible and bad: the gate's own business."),
    Chosen("unseeded", "Found by training twice."),
    Chosen("shallow-tree", "An honest attempt at another model, and a worse one."),
    Chosen(
        "builder-renamed",
        "Training ends at once; its job has no model to hand over.",
        words="build_model",
    ),
    Chosen("global-noise", "Too small for any error to show."),
    Chosen("biased", "Wrong by less than the bounds, for every row alike."),
    Chosen("oxygen-unbinds", "A relation that the repository itself declares."),
    Chosen("twins-apart", "Two elements are told apart that the repository declares alike."),
    Chosen("severity-lowered", "The pull request's own assay.toml must not count."),
    Chosen(
        "forged-noise",
        "The workflow of training is changed and alters the predictions.",
        job="candidate",
    ),
    Chosen(
        "nothing-executed",
        "The workflow of the sanity checks is changed and alters their record.",
        words="no property was checked",
        job="sanity",
    ),
    Chosen("key-misspelt", "The first command of the first job ends.", words="exampels"),
    Chosen(
        "sanity-not-handed-over",
        "The workflow of the sanity checks is changed and keeps their record back.",
        words="the sanity checks could not be carried out",
        job="sanity",
    ),
    Chosen("own-property-fails", "A property that the author wrote is as good as any."),
    Chosen("regularization", "So small a change that no sealed label need be opened."),
    Chosen("more-data", "The train set is not main's."),
    Chosen("better-model", "The claim stands in the message of the commit."),
)
