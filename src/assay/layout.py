"""Where a model repository is, and where things lie in it and in its output folder."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Part = Literal["schema", "candidate", "sanity", "score"]

SETTINGS = "assay.toml"


def find_root(folder: Path) -> Path | None:
    """The nearest folder at or above `folder`, an absolute path, with an `assay.toml`, or None.

    As with git, nothing is looked for above a folder that holds `.git`, and further up nothing is
    taken that belongs to somebody else, be it the file or its folder: code beside it would be run.
    """
    for place in (folder, *folder.parents):
        settings = place / SETTINGS
        if settings.is_file():
            # of a link, the link itself: anybody can make one to a file of another's
            owners = {settings.lstat().st_uid, place.stat().st_uid}
            return place if place == folder or owners == {os.getuid()} else None
        if (place / ".git").exists():
            break
    return None


@dataclass(frozen=True)
class Layout:
    """The paths of the repository at `root`; nothing is created or read here."""

    root: Path

    @property
    def train(self) -> Path:
        """`row_id, formula, <target>`: the rows everybody may see."""
        return self.root / "data" / "train.csv"

    @property
    def corrections(self) -> Path:
        """Labels and formulas of main that were corrected, each with a reason; may be missing."""
        return self.root / "data" / "corrections.csv"

    @property
    def sealed_inputs(self) -> Path:
        """`row_id, formula` of the held-out rows."""
        return self.root / "data" / "sealed_inputs.csv"

    @property
    def open_labels(self) -> Path:
        """`row_id, <target>` of the held-out rows, before they are sealed."""
        return self.root / "data" / "sealed_labels.csv"

    @property
    def sealed_labels(self) -> Path:
        """The same labels, encrypted."""
        return self.root / "data" / "sealed_labels.bin"

    @property
    def retired(self) -> Path:
        """Labels and score histories of retired sets, in one folder a set; all public."""
        return self.root / "data" / "retired"

    @property
    def pool(self) -> Path:
        """`row_id, formula` of unlabelled compositions."""
        return self.root / "data" / "pool.csv"

    @property
    def candidates(self) -> Path:
        """The folder of lists to screen."""
        return self.root / "data" / "candidates"

    @property
    def public_key(self) -> Path:
        """The Ed25519 key that every certificate is verified against (PEM, committed)."""
        return self.root / "certificate.pub"

    @property
    def keys(self) -> Path:
        """Secret keys of this machine; git ignores the folder."""
        return self.root / ".assay" / "keys"

    @property
    def models(self) -> Path:
        """Certified bundles known to this machine: one folder a bundle digest."""
        return self.root / ".assay" / "models"

    @property
    def tracking(self) -> Path:
        """MLflow's SQLite database and artifacts when no server is configured."""
        return self.root / ".assay" / "mlflow"

    @property
    def out(self) -> Path:
        """Everything that a run writes."""
        return self.root / "out"

    @property
    def intake(self) -> Path:
        """What was found in a table of labels, and each of its faults."""
        return self.out / "intake"

    @property
    def rejected(self) -> Path:
        """One row a fault of a table of labels: file, line, column, value, code and advice."""
        return self.intake / "rejected.csv"


@dataclass(frozen=True)
class Handover:
    """The files that cross from untrusted to trusted ground; all are data, none is run.

    Each subfolder is one artifact of the workflow under the same name, so that downloading the
    artifacts side by side makes the handover.
    """

    folder: Path

    @property
    def schema(self) -> Path:
        """`CheckReport` of the data checks."""
        return self.folder / "schema" / "schema.json"

    @property
    def sanity(self) -> Path:
        """`CheckReport` of the property-based tests."""
        return self.folder / "sanity" / "sanity.json"

    @property
    def fast_sanity(self) -> Path:
        """`CheckReport` of the fast suite alone, which nobody scores."""
        return self.folder / "sanity" / "fast.json"

    @property
    def candidate(self) -> Path:
        """`CandidateCard` of the training."""
        return self.folder / "candidate" / "candidate.json"

    @property
    def predictions(self) -> Path:
        """`row_id, prediction` for train (out of fold), sealed inputs and pool."""
        return self.folder / "candidate" / "predictions.csv"

    @property
    def train(self) -> Path:
        """A copy of the train set that the candidate was fitted on."""
        return self.folder / "candidate" / "train.csv"

    @property
    def lock(self) -> Path:
        """A copy of the `requirements.lock` that the candidate was trained with."""
        return self.folder / "candidate" / "requirements.lock"

    @property
    def bundle(self) -> Path:
        """The model itself; only main's own run hands it over."""
        return self.folder / "bundle"

    def refusal(self, part: Part) -> Path:
        """`Refusal` of a part of the run that was not carried out, beside the record it lacks."""
        return self.folder / part / "refusal.json"

    @property
    def verdict(self) -> Path:
        """`VerdictRecord` that `score` wrote."""
        return self.folder / "verdict.json"

    @property
    def reference(self) -> Path:
        """The predictions of the model that `score` compared with, for the report."""
        return self.folder / "reference.csv"

    @property
    def certificate(self) -> Path:
        """The signed statement, if one was issued."""
        return self.folder / "certificate.json"

    @property
    def manifest(self) -> Path:
        """The bundle's files with their digests; its own SHA-256 is the bundle's digest."""
        return self.folder / "bundle.sha256"

    @property
    def predicate(self) -> Path:
        """What the certificate says of the bundle, for an attestation that says the same."""
        return self.folder / "predicate.json"
