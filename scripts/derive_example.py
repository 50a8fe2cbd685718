"""Derives the example's tables from files that pymatgen and matminer ship.

`python scripts/derive_example.py` writes them into the template; `tests/test_example_data.py`
derives them again and compares byte for byte. The data card says where the sources come from.
"""

import gzip
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd

from assay.compositions import chemical_system, parse, problem
from assay.features import missing_properties
from assay.files import digest_bytes, write_text
from assay.splits import split_by_system

TEMPLATE = Path(__file__).parents[1] / "<<cookiecutter.project>>"

TARGET = "formation_enthalpy"
SEALED_FRACTION = 0.25
SPLIT_SEED = 0
ENTHALPIES_DIGEST = "1c77f299b6e50b23abeea421793da35acca9583f322e01a38224789e6e3f6aac"
TRANSPORT_DIGEST = "d6cecdd6dc68ab95bc4348026e3872e77a186b96189a4e34dd253f8bacf0b08d"


def read_enthalpies() -> pd.DataFrame:
    """Columns `formula` and the target: experimental formation enthalpy in eV/atom.

    The source gives eV per formula unit; six decimals are far below any uncertainty in it.
    """
    import pymatgen.analysis.compatibility as package

    path = Path(str(package.__file__)).with_name("exp_compounds.json.gz")
    rows = json.loads(gzip.decompress(read_checked(path, ENTHALPIES_DIGEST)))
    enthalpies = [row["exp energy"] / parse(row["formula"]).num_atoms for row in rows]
    return pd.DataFrame(
        {"formula": [row["formula"] for row in rows], TARGET: np.round(enthalpies, 6)}
    )


def read_transport() -> pd.DataFrame:
    """Columns `mp_id` and `formula`: the first row of every distinct formula."""
    import matminer

    folder = Path(str(matminer.__file__)).parent / "utils" / "data_files" / "mp_transport"
    content = read_checked(folder / "transport_database.tar.xz", TRANSPORT_DIGEST)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        member = archive.extractfile("transport_database.csv")
        columns = {"mp_id": str, "pretty_formula": str}
        # a formula spelt NaN or NA would otherwise be read as a missing value
        frame = pd.read_csv(member, usecols=list(columns), dtype=columns, keep_default_na=False)
    frame = frame.rename(columns={"pretty_formula": "formula"})
    return frame.drop_duplicates("formula", ignore_index=True)


def read_checked(path: Path, digest: str) -> bytes:
    """The file's content.

    Raises:
        SystemExit: its SHA-256 is not `digest`, so another version of the package is installed.
    """
    content = path.read_bytes()
    if digest_bytes(content) != digest:
        raise SystemExit(f"{path} is not the file this example was made from: look at what changed")
    return content


def featurizable(formula: str) -> bool:
    """Whether the shipped model can predict the formula."""
    return problem(formula) is None and not missing_properties(formula)


def numbered(frame: pd.DataFrame, letter: str) -> pd.DataFrame:
    """The frame with a first column `row_id`: t00001, t00002, ..."""
    identifiers = [f"{letter}{number:05d}" for number in range(1, len(frame) + 1)]
    numbered_frame = frame.reset_index(drop=True)
    numbered_frame.insert(0, "row_id", identifiers)
    return numbered_frame


def derive() -> dict[str, pd.DataFrame]:
    """The example's tables by file name."""
    labelled, transport = read_enthalpies(), read_transport()
    systems = [chemical_system(formula) for formula in labelled["formula"]]
    is_sealed = split_by_system(systems, SEALED_FRACTION, SPLIT_SEED)
    sealed = numbered(labelled[is_sealed], "s")
    pool = transport.loc[transport["formula"].map(featurizable), ["formula"]]
    return {
        "train.csv": numbered(labelled[~is_sealed], "t"),
        "sealed_inputs.csv": sealed[["row_id", "formula"]],
        "sealed_labels.csv": sealed[["row_id", TARGET]],
        "pool.csv": numbered(pool, "p"),
        "candidates/transport.csv": transport,
    }


def render(frame: pd.DataFrame) -> str:
    r"""The table as CSV with `\n` line ends; floats as the shortest text that reads back."""
    return frame.to_csv(index=False, lineterminator="\n")


def main() -> None:
    """Write the tables into the template's `data/`."""
    for name, frame in derive().items():
        write_text(TEMPLATE / "data" / name, render(frame))
        print(f"{name}: {len(frame)} rows")


if __name__ == "__main__":
    main()
