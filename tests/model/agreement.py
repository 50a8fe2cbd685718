"""Prints the version of scikit-learn, and of each kind of estimator how its trees are walked.

`python agreement.py` gives JSON: by kind whether all predictions are the same to the last bit, and
why scikit-learn itself predicts, or null where the trees are walked.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from assay.model.inference import Inference, predict
from forests import KINDS, fitted, samples

ROWS = 400


def agreement(kind: str) -> tuple[bool, str | None]:
    """Whether walked trees, few and many rows, give scikit-learn's numbers; and why they do not."""
    estimator = fitted(kind, 60, 10, 3)
    table = np.vstack([samples(60, 3)[0], samples(ROWS - 60, 4)[0]])
    model = make_pipeline(
        FunctionTransformer(lambda frame: table[frame["formula"].astype(int)]), estimator
    )
    numbers = [str(number) for number in range(ROWS)]
    same, reason = True, None
    for worth, rows in ((0, numbers), (sys.maxsize, numbers[:50])):
        found = Inference(model, worth=worth)
        same &= np.array_equal(found.predict(rows), predict(model, rows))
        reason = reason or found.fallback
    return same, reason


if __name__ == "__main__":
    told = {kind: agreement(kind) for kind in KINDS}
    sys.stdout.write(json.dumps({"version": sklearn.__version__, "kinds": told}))
