"""Faults that break one property: on every push that one is tried, and by night all of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from planted import falsified

from assay.sanity.assertions import FalsifiedError

WIDER = "tries every property on each fault, to see that no other is broken"

Caught = Callable[..., dict[str, FalsifiedError]]


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.nightly(WIDER))])
def caught(request: pytest.FixtureRequest, tmp_path: Path) -> Caught:
    """Try the properties that a fault must break, and then all: it breaks those and no other."""

    def run(*model: str, wanted: set[str], spawn: bool = False) -> dict[str, FalsifiedError]:
        only = () if request.param else sorted(wanted)
        found = falsified(tmp_path, *model, spawn=spawn, only=only)
        assert set(found) == wanted, {name: str(one) for name, one in found.items()}
        return found

    return run
