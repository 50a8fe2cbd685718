"""The fixture of the data checks."""

from pathlib import Path

import pytest

from schema_samples import NUMBER, SEALED, SETTINGS, TRAIN, write


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A sound repository: 30 train rows, 30 sealed, 2 in the pool and 2 to screen."""
    data = tmp_path / "data"
    rows = [f"t{n:05d},{formula},{-n / 10:g}" for n, formula in enumerate(TRAIN, start=1)]
    write(data / "train.csv", "row_id,formula,y", rows)
    rows = [f"s{n:05d},{formula}" for n, formula in enumerate(SEALED, start=1)]
    write(data / "sealed_inputs.csv", "row_id,formula", rows)
    write(data / "pool.csv", "row_id,formula", ["p00001,LiCl", "p00002,TiO2"])
    write(data / "candidates" / "list.csv", "name,formula", ["a,NaF", "b,NaO"])
    (tmp_path / "assay.toml").write_text(SETTINGS.format(target=NUMBER))
    return tmp_path
