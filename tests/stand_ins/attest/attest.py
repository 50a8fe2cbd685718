"""Makes the statement that actions/attest would sign, of one subject and one predicate."""

import hashlib
import json
import os
import sys
from pathlib import Path


def main() -> int:
    """Write the statement; 1 unless exactly one subject, one predicate and a type are given."""
    subjects = [os.environ[f"SUBJECT_{kind}"] for kind in ("PATH", "DIGEST", "CHECKSUMS")]
    predicates = [os.environ[name] for name in ("PREDICATE", "PREDICATE_PATH")]
    path, predicate = Path(subjects[0]), Path(predicates[1])
    one_each = sum(map(bool, subjects)) == 1 and sum(map(bool, predicates)) == 1
    if not one_each or not os.environ["PREDICATE_TYPE"] or not path.is_file():
        sys.stdout.write("exactly one subject and one predicate must be given, with a type\n")
        return 1
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": path.name, "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}}
        ],
        "predicateType": os.environ["PREDICATE_TYPE"],
        "predicate": json.loads(predicate.read_text()),
    }
    store = Path(os.environ["STAND_IN_ARTIFACTS"]) / os.environ["GITHUB_RUN_ID"]
    store.mkdir(parents=True, exist_ok=True)
    (store / "attestation.json").write_text(json.dumps(statement))
    return 0


if __name__ == "__main__":
    sys.exit(main())
