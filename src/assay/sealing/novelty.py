"""Whether rows may be sealed: nobody can have seen their labels, nor those of their systems."""

from pathlib import Path

import pandas as pd

from assay import provenance
from assay.compositions import chemical_system, identity
from assay.datasets import reduced_formulas
from assay.errors import RefusedError
from assay.layout import Layout
from assay.sealing.releases import LABELS
from assay.tables import read_table

SHOWN = 5


def require_uncommitted(root: Path, source: str) -> None:
    """Refuse a file that git holds, as it is or as it was, since its labels are public with it.

    Raises:
        RefusedError: git tracks the file, or knows its content.
    """
    path = str(Path(source).absolute())
    tracked = provenance.git(root, "ls-files", "--error-unmatch", "--", path)
    blob = provenance.git(root, "hash-object", "--", path)
    if tracked is not None or (blob and provenance.git(root, "cat-file", "-e", blob) is not None):
        raise RefusedError(
            f"{source} is in git, where everybody can read its labels: seal rows that were never "
            "committed."
        )


def sealed_before(layout: Layout) -> list[Path]:
    """The tables of the present sealed set and of all that were retired."""
    return [layout.sealed_inputs, *sorted(layout.retired.glob(f"*/{LABELS}"))]


def require_unseen(layout: Layout, rows: pd.DataFrame, source: str) -> None:
    """Refuse rows whose composition or chemical system is public or was sealed before.

    The pool may hold them: it has no labels.

    Args:
        layout: the repository.
        rows: `formula` in reduced spelling; the index holds the lines of `source`.
        source: only named in the error.

    Raises:
        RefusedError: there are such rows; some are named.
    """
    compositions, systems = _known(layout)
    told = []
    for line, formula in rows["formula"].items():
        found = compositions.get(identity(formula)) or systems.get(chemical_system(formula))
        if found:
            told.append(f"line {line} ({formula}: {found})")
    if told:
        more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
        raise RefusedError(
            f"{source}: {len(told)} of {len(rows)} rows cannot be sealed, since their chemical "
            f"systems are or will be public: {', '.join(told[:SHOWN])}{more}; take them out."
        )


def _known(layout: Layout) -> tuple[dict[str, str], dict[str, str]]:
    """Where each composition (by `identity`), and each chemical system, stands first."""
    compositions: dict[str, str] = {}
    systems: dict[str, str] = {}
    for path in (layout.train, *sealed_before(layout)):
        formulas = reduced_formulas(read_table(path, ["formula"])["formula"], path)
        for line, formula in enumerate(formulas, start=2):
            place = f"{path.relative_to(layout.root)}, line {line}"
            compositions.setdefault(identity(formula), place)
            systems.setdefault(chemical_system(formula), f"the same system in {place}")
    return compositions, systems
