"""Why a verb was not carried out, written down for the report beside the records of the others."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from assay.errors import AssayError, CheckFailedError, NotCarriedOutError
from assay.layout import SETTINGS, Handover, Part
from assay.texts import on_one_line
from assay.verbs.console import repository


@contextmanager
def recorded(handover: Handover, part: Part) -> Iterator[None]:
    """Leave a `Refusal` if what is done here ends by an error, and none of an earlier time.

    A failed check has its own record, so nothing is left of it. Errors go on as they came, where
    nothing can be written, too.
    """
    with suppress(OSError):
        handover.refusal(part).unlink(missing_ok=True)
    try:
        yield
    except CheckFailedError:
        raise
    except AssayError as error:
        _write(handover, part, str(error), error.exit_code)
        raise
    except Exception as error:
        # the kind alone: what a crash of `score` says could hold labels
        said = (
            f"{type(error).__name__}, which is an internal error in assay or in your src/ code: "
            "see the log."
        )
        _write(handover, part, said, NotCarriedOutError.exit_code)
        raise


def _write(handover: Handover, part: Part, said: str, exit_code: int) -> None:
    root = repository()
    if not (root / SETTINGS).is_file():
        return  # nowhere to write: this is no repository
    from assay.records import MAXIMUM_TEXT, Refusal

    # on one line also what no record can hold: a file's name that is not UTF-8
    text = on_one_line(said.replace(f"{root}/", ""))[:MAXIMUM_TEXT]
    with suppress(OSError):
        Refusal(said=text, exit_code=exit_code).write(handover.refusal(part))
