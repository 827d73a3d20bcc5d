"""Writes soft labels as a logit stream that `fidelis stream import` reads, with pyarrow and NumPy alone.

    python write_stream.py <exported stream> <logits.npy> <directory>

The logits, [rows, classes] or [rows, members, classes], belong to the samples of the exported stream, row by row: they are what your own
teacher says of the same inputs. Steps, sample ids and input digests are taken over, as they say what was scored.
"""

import hashlib
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa

from read_stream import open_shard, read_manifest

MAX_PART_BYTES = 512 * 1024


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def stream_key(teacher_digest, view, codec):
    identity = {"teacherDigest": teacher_digest, "view": view, "codec": codec, "schemaVersion": 1}
    return hashlib.sha256(canonical(identity).encode()).hexdigest()[:16]


def input_digest(batch):
    """Of the inputs of one whole step, [rows, height, width, channels] in −1…1, as the teacher saw them."""
    return hashlib.sha256(np.ascontiguousarray(batch, dtype="<f4").tobytes()).hexdigest()[:16]


def write_shard(path, columns, logits, rows_per_batch=8_192):
    """columns: step, row, sample_id (uint32) and input_digest (string), each of [rows]; logits [rows, members, classes]."""
    rows, width = len(logits), logits.shape[1] * logits.shape[2]
    columns = dict(columns, logits=pa.FixedSizeListArray.from_arrays(pa.array(logits.reshape(-1)), width))
    table = pa.table(columns)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows_per_batch)
    return {"file": path.name, "rows": rows, "bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def write_manifest(directory, template, teacher_id, teacher_digest, logits, shards):
    """template: a manifest over the same view. Of a stream of your own, write these fields as docs/schemas/stream-archive.schema.json says."""
    codec = {np.dtype("float16"): "f16", np.dtype("float32"): "f32"}[logits.dtype]
    _, members, classes = logits.shape
    largest = template["parts"] * template["partRows"]
    part_rows = min(largest, MAX_PART_BYTES // (members * classes * logits.itemsize))
    manifest = {
        **template,
        "teacherId": teacher_id,
        "teacherDigest": teacher_digest,
        "streamKey": stream_key(teacher_digest, template["view"], codec),
        "codec": codec,
        "members": members,
        "classes": classes,
        "partRows": part_rows,
        "parts": -(-largest // part_rows),
        "producer": None,
        "shards": shards,
        "createdAt": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    (Path(directory) / "manifest.json").write_text(json.dumps(manifest, indent=2))


def write_stream(source, logits, directory, teacher_id):
    template = read_manifest(source)
    logits = logits if logits.ndim == 3 else logits[:, None, :]
    if len(logits) != template["rows"]:
        raise ValueError(f"{len(logits)} rows of logits, and {source} has {template['rows']}")
    if np.isnan(logits).any():
        raise ValueError("a logit is not a number")
    directory = Path(directory)
    directory.mkdir(parents=True)
    shards, start = [], 0
    for shard in template["shards"]:
        table = open_shard(source, shard).drop_columns(["logits"])
        columns = {name: table.column(name) for name in table.column_names}
        written = write_shard(directory / shard["file"], columns, logits[start : start + len(table)])
        shards.append({**written, "firstStep": shard["firstStep"], "steps": shard["steps"]})
        start += len(table)
    digest = hashlib.sha256(np.ascontiguousarray(logits).tobytes()).hexdigest()
    write_manifest(directory, template, teacher_id, digest, logits, shards)


if __name__ == "__main__":
    source, logits, directory = sys.argv[1:]
    write_stream(source, np.load(logits), directory, Path(logits).stem)
    print(f"wrote {directory}")
