"""Canonical bytes for a model folder that MLflow and skops wrote.

Both put the time, random identifiers and memory addresses into their files. They are replaced
here by numbers in order of appearance, so that equal models are equal files.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import yaml

from assay.errors import UsageError

EPOCH = "1970-01-01 00:00:00.000000"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def untrusted_types(model: Any) -> list[str]:
    """The types in a model that skops would not load without being told to.

    Raises:
        UsageError: the model holds what skops cannot save, a table for instance.
    """
    import skops.io

    try:
        content = skops.io.dumps(model)
    except Exception as error:
        raise UsageError(
            f"the model cannot be saved ({type(error).__name__}: {error}): keep numbers, numpy "
            "arrays and estimators in its attributes, no tables, files or functions."
        ) from error
    return sorted(skops.io.get_untrusted_types(data=content))


def canonicalise(folder: Path) -> None:
    """Rewrite an MLflow model folder in place so that its bytes depend on the model alone."""
    skops_file = folder / "model.skops"
    skops_file.write_bytes(canonical_skops(skops_file.read_bytes()))
    mlmodel = folder / "MLmodel"
    mlmodel.write_text(_canonical_mlmodel(mlmodel.read_text(encoding="utf-8")), encoding="utf-8")
    environment = folder / "python_env.yaml"
    environment.write_text(
        _canonical_environment(environment.read_text(encoding="utf-8")), encoding="utf-8"
    )
    for path in folder.rglob("__pycache__"):
        for compiled in path.iterdir():
            compiled.unlink()
        path.rmdir()


def canonical_skops(content: bytes) -> bytes:
    """The same skops archive with identifiers counted from 1, and without time or compression."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read("schema.json"))
        names: dict[str, str] = {}
        _renumber(schema, {}, names)
        files = {new: archive.read(old) for old, new in names.items()}
    files["schema.json"] = json.dumps(schema, indent=1, sort_keys=True).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), files[name])
    return target.getvalue()


def _renumber(node: Any, identifiers: dict[int, int], names: dict[str, str]) -> None:
    # A depth-first walk in the order of the file: equal models are walked alike.
    if isinstance(node, dict):
        if "__id__" in node:
            node["__id__"] = identifiers.setdefault(node["__id__"], len(identifiers) + 1)
        if isinstance(node.get("file"), str):
            suffix = Path(node["file"]).suffix
            node["file"] = names.setdefault(node["file"], f"{len(names) + 1}{suffix}")
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            _renumber(child, identifiers, names)


def _canonical_mlmodel(text: str) -> str:
    content = yaml.safe_load(text)
    content["utc_time_created"] = EPOCH
    content.pop("model_uuid", None)
    content.pop("model_size_bytes", None)
    return str(yaml.safe_dump(content, sort_keys=True))


def _canonical_environment(text: str) -> str:
    # Which pip happens to be installed beside a model does not change it.
    content = yaml.safe_load(text)
    built = content.get("build_dependencies", [])
    content["build_dependencies"] = sorted(name.split("==")[0] for name in built)
    return str(yaml.safe_dump(content, sort_keys=True))
