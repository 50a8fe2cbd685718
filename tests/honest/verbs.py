"""Carries out assay's verbs in forks of this process, which has imported everything once."""

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

# of the verb as it is named in a list of steps
ARGUMENTS = {"sanity": ["sanity", "--fast"]}
HEAVY = (
    *("assay.model.training", "assay.model.tracking", "assay.schema.check", "assay.sanity.check"),
    *("assay.scoring.score", "sklearn.ensemble", "sklearn.pipeline", "pytest", "hypothesis"),
)


def carry_out(root: Path, verb: str, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run a verb in a repository.

    What `sanity --fast` finds counts as if all properties had been executed, so that the model can
    be scored: the slow ones train it many times.

    Returns:
        its exit code, and all that it printed.
    """
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            _become(root, [*ARGUMENTS.get(verb, [verb]), *arguments], variables, output.fileno())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        said = output.read().decode(errors="replace")
    if verb == "sanity" and not code:
        _count_all(root)
    return code, said


def _count_all(root: Path) -> None:
    """Hand over the fast record with a count for each slow property."""
    from assay.layout import Handover
    from assay.records import CheckReport, Tally, read_record
    from assay.sanity.suites import KIT, drawn_names, wanted_names
    from assay.settings import read_settings

    handover, settings = Handover(root / "out"), read_settings(root)
    report = read_record(CheckReport, handover.fast_sanity)
    counted = {tally.name for tally in report.tallies}
    slow = [name for name in wanted_names(settings) if name not in counted]
    examples = dict.fromkeys(drawn_names(), settings.sanity.examples)
    tallies = [Tally(name=name, where=KIT, examples=examples.get(name)) for name in slow]
    report.model_copy(update={"tallies": [*report.tallies, *tallies]}).write(handover.sanity)


def import_all() -> None:
    """Import what the verbs need, once."""
    import importlib

    for name in HEAVY:
        importlib.import_module(name)


def _become(root: Path, arguments: list[str], variables: Mapping[str, str], output: int) -> None:
    """Be the command line, and never return."""
    code = 70
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(root)
        os.environ.update(variables)
        sys.argv = ["assay", *arguments]
        from assay.cli import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
