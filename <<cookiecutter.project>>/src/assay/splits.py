"""Divides rows by chemical system, so that no system stands on both sides."""

from collections.abc import Sequence

import numpy as np


def split_by_system(systems: Sequence[str], fraction: float, seed: int) -> np.ndarray:
    """Choose about `fraction` of the systems to seal.

    Returns:
        bool (n,): True where the row belongs to the sealed set; rows of one system agree.

    Raises:
        ValueError: there are too few systems to have some on both sides.
    """
    from sklearn.model_selection import GroupShuffleSplit

    splitter = GroupShuffleSplit(n_splits=1, test_size=fraction, random_state=seed)
    _, held_out = next(splitter.split(np.zeros(len(systems)), groups=np.asarray(systems)))
    sealed = np.zeros(len(systems), dtype=bool)
    sealed[held_out] = True
    return sealed


def grouped_folds(systems: Sequence[str], folds: int, seed: int) -> np.ndarray:
    """Number the folds of a grouped cross-validation.

    Returns:
        int (n,) in 0..folds-1; rows of one system agree, folds are about equally large.

    Raises:
        ValueError: there are fewer systems than folds.
    """
    from sklearn.model_selection import GroupKFold

    numbers = np.empty(len(systems), dtype=int)
    splitter = GroupKFold(folds, shuffle=True, random_state=seed)
    parts = splitter.split(np.zeros(len(systems)), groups=np.asarray(systems))
    for number, (_, held_out) in enumerate(parts):
        numbers[held_out] = number
    return numbers
