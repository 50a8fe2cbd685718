"""`assay seal rotate`: the same labels under a new key, and the way from key to key."""

import os
from pathlib import Path

from assay.errors import RefusedError
from assay.files import write_bytes
from assay.layout import Layout
from assay.sealing import encryption
from assay.sealing.encryption import SEALING, read_header, seal
from assay.sealing.labels import open_sealed


def rotate(layout: Layout) -> Path:
    """Encrypt the labels under a new key; set, salt and commitment stay, and so the budget.

    The new key is on the disk before the labels are encrypted under it, and takes the place of
    the old one afterwards, so that after a crash at any moment a known key opens the file.

    Returns:
        Where the old key is kept.

    Raises:
        RefusedError: the labels are not sealed.
        NotCarriedOutError: no key, a wrong key, or a damaged file.
    """
    require_sealed(layout)
    settle(layout)
    path = layout.sealed_labels
    opened, old = open_sealed(layout)
    inputs = read_header(path.read_bytes(), path.name)["inputs"]
    new = encryption.create_next(layout, SEALING)
    write_bytes(path, seal(opened.labels, inputs, new, opened.salt))
    return take_over(layout, old)


def require_sealed(layout: Layout) -> None:
    """Refuse where the labels lie open, since there is no seal to change."""
    if not any(path.is_file() for path in (layout.sealed_labels, layout.sealed_inputs)):
        raise RefusedError(
            "nothing is sealed here, since public rows decide: when there are enough rows that "
            "nobody has seen (`assay plan FILE`), `assay seal fresh FILE` seals them.",
            code="labels.none-sealed",
        )
    if not layout.sealed_labels.is_file():
        raise RefusedError(
            f"{layout.sealed_labels} does not exist: seal the labels first with `assay init`.",
            code="labels.not-sealed",
        )


def settle(layout: Layout) -> None:
    """Bring a change of keys that was interrupted to its end.

    The next key takes over if it is the one that opens the file; otherwise nothing was encrypted
    under it, and it is put aside.

    Raises:
        NotCarriedOutError: neither key opens the file.
    """
    pending = encryption.read_next(layout, SEALING)
    if pending is None:
        return
    _, key = open_sealed(layout)
    if key == pending:
        encryption.promote_next(layout, SEALING)
    else:
        encryption.withdraw_next(layout, SEALING)


def take_over(layout: Layout, old: bytes) -> Path:
    """Keep the old key, then put the next one in its place; gives where the old one is."""
    kept = encryption.keep(layout, SEALING, old)
    encryption.promote_next(layout, SEALING)
    return kept


def secret_step(layout: Layout) -> str:
    """How to bring the new key to GitHub, as one step of a list."""
    return f"""At the same time, replace the secret {SEALING.variable} of the environment 'heldout'
     by the content of {layout.keys / SEALING.file}. Until both are done,
     `assay score` ends with exit code 3 and opens nothing."""


def shell_step() -> str:
    """What to do about an old key in this shell's environment, if there is one."""
    if not os.environ.get(SEALING.variable):
        return ""
    return f"  0. Run `unset {SEALING.variable}` here: it holds the old key, which would be used.\n"


def next_steps(layout: Layout, kept: Path) -> str:
    """What to do with the two keys after `rotate`."""
    sealed = layout.sealed_labels.relative_to(layout.root)
    return f"""The labels are sealed under a new key; the set and its budget are the same as before.

  new key: {layout.keys / SEALING.file} (and nowhere else: back it up)
  old key: {kept}

{shell_step()}  1. Commit {sealed} and merge it into main.
  2. {secret_step(layout)}
  3. When `assay score` has run on main with the new secret, delete the old key. It still opens
     the old versions of the sealed file in git: if somebody else may have it, the labels are no
     longer secret, so retire the set (`assay seal retire --early`)."""
