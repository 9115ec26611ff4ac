"""Bundles as somebody makes them who wants to deceive: each whole in itself, as a bundle is."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reports.bundle import container, forms
from reports.statements import manifest


def with_table(bundle: Path, file: str, change: Callable[[pa.Table], pa.Table]) -> Path:
    """Another table in place of one of the bundle's."""
    files = contents(bundle)
    made = io.BytesIO()
    pq.write_table(change(pq.read_table(pa.BufferReader(files[file]))), made)
    return written(bundle, files | {file: made.getvalue()})


def with_told(bundle: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """Another manifest."""
    files = contents(bundle)
    told = json.loads(files[forms.MANIFEST])["bundle"]
    change(told)
    return written(bundle, files, told)


def contents(bundle: Path) -> dict[str, bytes]:
    return {name: raw.to_pybytes() for name, raw in container.read(bundle).items()}


def written(bundle: Path, files: dict[str, bytes], told: dict[str, Any] | None = None) -> Path:
    """A bundle of these files, with a manifest that says what they are."""
    if told is None:
        told = json.loads(files[forms.MANIFEST])["bundle"]
        for name, said in told["files"].items():
            if name in files:
                said["bytes"] = len(files[name])
                said["sha256"] = hashlib.sha256(files[name]).hexdigest()
                said["rows"] = pq.read_metadata(pa.BufferReader(files[name])).num_rows
    digest = manifest.digest(manifest.canonical(told))
    files = files | {forms.MANIFEST: manifest.canonical({"bundle": told, "sha256": digest})}
    folder = bundle.with_suffix(".parts")
    folder.mkdir(exist_ok=True)
    paths = {}
    for name, raw in files.items():
        paths[name] = folder / name.replace("/", "-")
        paths[name].write_bytes(raw)
    made = bundle.with_suffix(".forged")
    with made.open("wb") as out:
        container.write(out.write, paths)
    return made
