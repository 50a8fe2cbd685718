"""Takes a few planted pull requests through the real workflows, on a stand-in of GitHub.

`make gauntlet` runs this after the main table; what came out is in `benchmarks/gauntlet-acts.json`
and docs/appendix/gauntlet.md.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from acting import KEYS, Change, Forge, Pull, forge
from gauntlet.base import TEMPLATE, make_base
from gauntlet.cases import all_of, substituted
from gauntlet.review import Review, passage
from gauntlet.selection import CHOSEN, Chosen
from gauntlet.tables import write_acts
from programs import program

RECORD = TEMPLATE / "benchmarks" / "gauntlet-acts.json"
WORKERS = 2
HELD_BACK = "held_back.csv"
SCRIPT = "alter.py"
_TESTS = Path(__file__).parents[1]


def main() -> None:
    """Exit 1 if a reviewer was not told what was planted, or a good pull request is not green."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="take these cases alone, and write no record")
    parser.add_argument("--base", type=Path, help="a repository of make_base, to make none")
    parser.add_argument("--keep", type=Path, help="an empty folder, in which everything is left")
    asked = parser.parse_args()
    acts = [one for one in CHOSEN if not asked.names or one.name in asked.names]
    program("act")
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        base = asked.base or make_base(folder)
        with forge(folder, base, keys(base)) as world:
            reviews = review_all(acts, world)
    content = [entry(one, reviews[one.name]) for one in acts]
    wrong = [one["name"] for one in content if not one["as_planted"]]
    if asked.names:
        print(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        RECORD.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        write_acts(RECORD)
    print(
        f"{len(acts) - len(wrong)} of {len(acts)} told as planted; "
        f"otherwise: {', '.join(wrong) or 'none'}; {(time.monotonic() - start) / 60:.1f} minutes"
    )
    sys.exit(bool(wrong))


def keys(base: Path) -> dict[str, str]:
    """The keys of a sealed repository, as the secrets that its main has on GitHub."""
    folder = base / ".assay" / "keys"
    return {name: (folder / file).read_text(encoding="utf-8") for name, file in KEYS.items()}


def review_all(acts: list[Chosen], world: Forge) -> dict[str, Review]:
    """Open all pull requests, then run the workflows of each, some side by side."""
    pulls = [world.open_pull(one.name, change(one, world), one.case.message) for one in acts]
    assert world.environment.is_dir()  # made once, before two threads ask for it

    def one(chosen: Chosen, pull: Pull) -> tuple[str, Review]:
        return chosen.name, review(chosen, world, pull)

    with ThreadPoolExecutor(WORKERS) as workers:
        done = workers.map(one, acts, pulls)
        return dict(tqdm(done, total=len(acts), desc="workflows", unit="case", disable=None))


def review(chosen: Chosen, world: Forge, pull: Pull) -> Review:
    """Run the gate of a pull request and main's scoring of it, and read what they leave there."""
    gate = world.gate(pull, chosen.case.sentence)
    scored = world.score(gate)
    states = [one["state"] for one in world.statuses(pull.sha)]
    comment = "\n".join(one["body"] for one in world.comments(pull))
    (world.folder / f"{chosen.name}.log").write_text(f"{gate.log}\n{scored.log}", encoding="utf-8")
    named = passage(chosen.case.caught_by, comment, chosen.words)
    return Review(gate.jobs, scored.jobs, states[-1] if states else "", named)


def change(chosen: Chosen, world: Forge) -> Change:
    """What the pull request does to a clone of main, with the rows at hand that main held back."""

    def apply(work: Path) -> None:
        if (world.origin / HELD_BACK).is_file():
            shutil.copy(world.origin / HELD_BACK, work / ".git")
        all_of(chosen.case.change, altered_workflow(chosen))(work)

    return apply


def altered_workflow(chosen: Chosen) -> Change:
    """Let a job alter what it hands over, by a script and a step of the pull request's own."""
    if not chosen.job:
        return lambda work: None
    script = (
        f"import sys\nfrom pathlib import Path\n\nsys.path.insert(0, {str(_TESTS)!r})\n"
        "from gauntlet.selection import Chosen\n\n"
        f'Chosen({chosen.name!r}, "").case.forge(Path("out"))\n'
    )
    hand_over = {"candidate": "Hand over the card", "sanity": "Hand over the findings"}[chosen.job]
    step = f"      - name: {hand_over}"
    return all_of(
        lambda work: (work / SCRIPT).write_text(script) and None,
        substituted(
            f".github/workflows/reusable-{chosen.job}.yml",
            step,
            f"      - run: .venv/bin/python {SCRIPT}\n{step}",
        ),
    )


def entry(chosen: Chosen, told: Review) -> dict[str, object]:
    """One case of the record."""
    case = chosen.case
    return {
        "name": case.name,
        "family": case.family,
        "why": chosen.why,
        "planted": case.caught_by,
        "as_planted": told.suits(case.caught_by),
        **vars(told),
    }


if __name__ == "__main__":
    main()
