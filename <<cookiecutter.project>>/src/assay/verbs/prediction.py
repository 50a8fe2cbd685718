"""What a certificate unlocks: `predict` and `verify`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from assay.layout import Handover, Layout
from assay.verbs.console import Machine, here, shown, tell


def predict(  # noqa: PLR0913 (one parameter an option)
    candidates: Annotated[Path, typer.Argument(help="CSV with a column formula.")],
    model: Annotated[str, typer.Option(help="Digest of a certified bundle.")] = "champion",
    bundle: Annotated[Path | None, typer.Option(help="A bundle folder, instead.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="Its certificate.")] = None,
    uncertified: Annotated[bool, typer.Option(help="Without one; rows are marked.")] = False,  # noqa: FBT002
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Predict a list of candidates with a certified model."""
    from assay.batch import authorization, models, prediction

    root, settings = here()
    authorization.require_main()
    if bundle is None and uncertified:
        bundle = Handover(Layout(root).out).bundle
    if bundle is None:
        found = models.find(root, model)
        bundle, certificate = found.bundle, found.certificate
    if uncertified:
        permission = authorization.without_certificate(bundle)
    else:
        permission = authorization.authorize(
            root, settings, bundle, certificate or bundle.parent / models.CERTIFICATE
        )
    record = prediction.predict_batch(root, settings, candidates, permission)
    tell(
        f"predict: {record.predicted} rows predicted, {record.quarantined} quarantined, by "
        f"{'certified' if record.certified else 'UNCERTIFIED'} model {record.model_id[:12]} -> "
        f"{shown(Layout(root).out / 'batches' / record.folder)}",
        record,
        machine=machine,
    )


def verify(
    path: Annotated[
        Path, typer.Argument(help="Certificate, or folder of a bundle, a batch or a retired set.")
    ],
    candidates: Annotated[
        Path | None, typer.Option(help="The list of a batch: no row of it may be missing.")
    ] = None,
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Verify a certificate, a bundle, a table of predictions or published labels, offline."""
    from assay.batch.verification import verify_path

    root, settings = here()
    sentence, details = verify_path(root, settings, path, candidates)
    typer.echo(json.dumps(details) if machine else sentence)
