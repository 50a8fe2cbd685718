"""The four ways a verb can end other than well; each carries its exit code and a stable code."""


class AssayError(Exception):
    """An expected end: its text is one sentence that says what, where, and what to do.

    Attributes:
        exit_code: what the process ends with.
        code: a stable name of the reason, such as `ledger.stale`: an area and a problem.
    """

    exit_code = 3

    def __init__(self, sentence: str, *, code: str = "") -> None:
        """`code` names the reason; docs/reference/errors.md lists all of them."""
        super().__init__(sentence)
        self.code = code


class CheckFailedError(AssayError):
    """A check was carried out and did not hold."""

    exit_code = 1


class RefusedError(AssayError):
    """A request was understood and turned down, for instance for want of a certificate."""

    exit_code = 1


class UsageError(AssayError):
    """The command line, `assay.toml` or an input table is not as it must be."""

    exit_code = 2


class NotCarriedOutError(AssayError):
    """The verb could not do its work: nothing is said about the model."""

    exit_code = 3
