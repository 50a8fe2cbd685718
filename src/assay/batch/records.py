"""The records of batches and of their shards, and the names of the files beside them."""

from typing import Annotated, Literal

from pydantic import Field

from assay.evidence import Evidence
from assay.provenance import correlation_id
from assay.records import Digest, Record, Text

TableName = Literal["predictions.csv", "predictions.parquet", "quarantine.csv"]
PREDICTIONS: TableName = "predictions.csv"
PARQUET: TableName = "predictions.parquet"
QUARANTINE: TableName = "quarantine.csv"
RECORD, SHARD = "batch.json", "shard.json"
UNCERTIFIED = "uncertified-"
# rows of a shard, unless said; here, since the command line reads it before anything heavy
SHARD_ROWS = 20_000

Rows = Annotated[int, Field(ge=0)]


class Recipe(Record):
    """All that decides what the rows of a batch are.

    Equal recipes give equal tables, to the byte. `machinery` is the digest of the code of `assay`,
    `column` the one with the formulas; `with_csv` says whether the table is a CSV, too. `evidence`
    is what the certificate rests on, `none` without one; in batches of before there was any but
    sealed evidence it is None, and their tables have no such column.
    """

    bundle_digest: Digest
    certified: bool
    candidates_digest: Digest
    column: str
    machinery: Digest
    with_csv: bool
    evidence: Evidence | Literal["none"] | None = None

    @property
    def model_id(self) -> str:
        """What every row is marked with: the bundle's digest, `uncertified-` before it if so."""
        return self.bundle_digest if self.certified else UNCERTIFIED + self.bundle_digest

    @property
    def batch_id(self) -> str:
        """The id that all batches of one list, by one of its columns and one model, share."""
        return correlation_id(self.model_id, self.candidates_digest, self.column)

    @property
    def accounts(self) -> dict[str, str]:
        """What stands on every row."""
        evidence = {} if self.evidence is None else {"evidence": self.evidence}
        return {**evidence, "model_id": self.model_id, "batch_id": self.batch_id}

    @property
    def folder(self) -> str:
        """The name of the batch's folder; an uncertified one cannot be mistaken."""
        return self.batch_id if self.certified else f"{self.batch_id}-uncertified"


def table_names(recipe: Recipe) -> tuple[TableName, ...]:
    """The files that a recipe makes, of a shard and of the whole."""
    return (PREDICTIONS, PARQUET, QUARANTINE) if recipe.with_csv else (PARQUET, QUARANTINE)


class ShardRecord(Record):
    """A finished shard: the rows from `start` up to `stop` of a list, and the digests of its files.

    Rows are counted from 0; `outside` of them lie outside the model's domain. `fallback` says why
    its trees, if any, could not be walked faster.
    """

    recipe: Recipe
    start: Rows
    stop: Rows
    predicted: Rows
    outside: Rows
    quarantined: Rows
    fallback: str | None
    files: dict[TableName, Digest]


class BatchRecord(Record):
    """What a table of predictions was made from; written beside it as `batch.json`.

    `fallback` is the sentence of `ShardRecord`, `note` what whoever asked for the batch says of it,
    `grouping` what its certificate says of the rows that the model was judged on.
    `classes` names the classes 0 and 1: the prediction is the probability of the latter.
    """

    batch_id: str
    model_id: str
    recipe: Recipe
    certificate_digest: str | None
    correlation_id: str | None
    candidates: str
    files: dict[TableName, Digest]
    rows: Rows
    predicted: Rows
    outside: Rows
    quarantined: Rows
    fallback: str | None
    target: str
    unit: str
    classes: tuple[str, str] | None = None
    commit: str
    lock_digest: str
    machinery_version: Text | None = None
    workflow_run: str | None
    note: Text | None = None
    time: str
    grouping: Text | None = None

    @property
    def certified(self) -> bool:
        """Whether a certificate let the bundle predict."""
        return self.recipe.certified

    @property
    def evidence(self) -> str:
        """What the certificate rests on; `none` without one."""
        return self.recipe.evidence or ("sealed" if self.certified else "none")

    @property
    def folder(self) -> str:
        """The name of the batch's folder."""
        return self.recipe.folder
