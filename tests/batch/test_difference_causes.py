"""Why two tables differ: what their models were made of, as far as certificates tell."""

from pathlib import Path

import pandas as pd
import pytest

from assay.batch.comparison import PredictionTable
from assay.batch.reconciliation import cause
from assay.layout import Layout
from assay.ledger.certificate import issue, new_signing_key, read_signer
from assay.sealing.encryption import SIGNING
from ledger_samples import CERTIFICATE

ONE, OTHER = "1" * 64, "2" * 64


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A repository with a signing key and no model."""
    monkeypatch.delenv(SIGNING.variable, raising=False)
    made = Layout(tmp_path)
    new_signing_key(made)
    return made


def certify(layout: Layout, model: str, **fields: str) -> Path:
    """Keep a certificate that says these things of a model."""
    predicate = CERTIFICATE.predicate.model_copy(update=fields)
    certificate = CERTIFICATE.model_copy(update={"bundle_digest": model, "predicate": predicate})
    path = layout.models / model / "certificate.json"
    path.parent.mkdir(parents=True)
    issue(certificate, read_signer(layout), path)
    return path


def table(*models: str, name: str = "a") -> PredictionTable:
    """A table with rows of these models."""
    return PredictionTable(name, pd.Series({"NaCl": 1.0}), frozenset(models))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "of the same data, environment and code"),
        ({"train_digest": "9" * 64}, "trained on other data (commits c and c)"),
        ({"lock_digest": "9" * 64}, "in another environment (commits"),
        ({"commit": "d"}, "from other code (commits c and d)"),
        ({"train_digest": "9" * 64, "commit": "d"}, "trained on other data, from other code"),
    ],
)
def test_certificates_tell_what_differs(layout: Layout, fields: dict[str, str], told: str) -> None:
    """Each of data, environment and code is named if it is another one, and only then."""
    certify(layout, ONE)
    certify(layout, OTHER, **fields)
    said = cause(layout, table(ONE), table(OTHER), changed=True)
    assert said.startswith(f"other models, {ONE[:12]} and {OTHER[:12]}: {told}")


def test_a_certificate_that_does_not_hold_tells_nothing(layout: Layout) -> None:
    """What is missing or altered is not believed."""
    certify(layout, ONE)
    wanting = f"there is no certificate of {OTHER[:12]} here"
    assert wanting in cause(layout, table(ONE), table(OTHER), changed=True)
    path = certify(layout, OTHER)
    path.write_text(path.read_text().replace("signatures", "signature"))
    assert wanting in cause(layout, table(ONE), table(OTHER), changed=True)


def test_one_model_gives_one_value(layout: Layout) -> None:
    """Rows that differ under one model are an alteration; without a difference all is well."""
    assert "was altered" in cause(layout, table(ONE), table(ONE), changed=True)
    assert cause(layout, table(ONE), table(ONE), changed=False) == f"the same model {ONE[:12]}"


def test_tables_that_do_not_say_are_named(layout: Layout) -> None:
    """No model, several models, and an uncertified one."""
    assert "b does not say which model" in cause(layout, table(ONE), table(name="b"), changed=True)
    assert "a holds rows of 2 models" in cause(layout, table(ONE, OTHER), table(ONE), changed=True)
    marked = f"uncertified-{OTHER}"
    assert f"uncertified-{OTHER[:12]}" in cause(layout, table(ONE), table(marked), changed=True)
