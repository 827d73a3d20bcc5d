"""Reads a logit stream that `fidelis stream export` wrote, with pyarrow and NumPy alone.

    python read_stream.py <directory>
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa


def read_manifest(directory):
    manifest = json.loads((Path(directory) / "manifest.json").read_text())
    if manifest["format"] != "fidelis-logit-stream" or manifest["version"] != 1:
        raise ValueError(f"{directory} is no logit stream of format version 1")
    return manifest


def open_shard(directory, shard):
    """One shard, mapped: a table whose columns are views of the file. Its bytes are those that were exported."""
    path = Path(directory) / shard["file"]
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != shard["sha256"]:
        raise ValueError(f"{path} is damaged: its sha-256 is {digest}, not {shard['sha256']}")
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def logits_of(batch, members, classes):
    """[rows, members, classes] in the stream's own precision, without a copy."""
    column = batch.column("logits")
    return column.flatten().to_numpy(zero_copy_only=True).reshape(len(column), members, classes)


def read_stream(directory):
    """ids [rows], steps [rows], logits [rows, members, classes]: of all shards, in the order of steps and rows."""
    manifest = read_manifest(directory)
    members, classes = manifest["members"], manifest["classes"]
    ids, steps, logits = [], [], []
    for shard in manifest["shards"]:
        for batch in open_shard(directory, shard).to_batches():
            ids.append(batch.column("sample_id").to_numpy())
            steps.append(batch.column("step").to_numpy())
            logits.append(logits_of(batch, members, classes))
    return manifest, np.concatenate(ids), np.concatenate(steps), np.concatenate(logits)


def logsumexp(values, axis):
    top = values.max(axis=axis, keepdims=True)
    return np.log(np.exp(values - top).sum(axis=axis, keepdims=True)) + top


def combine_members(logits):
    """One teacher of an ensemble's members: z = logsumexp_m(log_softmax(z_m)) − log m. A temperature comes after this. [rows, classes]"""
    z = logits.astype(np.float64)
    members = z.shape[1]
    if members == 1:
        return z[:, 0]
    return logsumexp(z - logsumexp(z, axis=2), axis=1)[:, 0] - np.log(members)


if __name__ == "__main__":
    manifest, ids, steps, logits = read_stream(sys.argv[1])
    combined = combine_members(logits)
    probabilities = np.exp(combined - logsumexp(combined, axis=1))
    dataset, view = manifest["dataset"], manifest["view"]
    print(f"{manifest['teacherId']} on {dataset['name']}/{view['split']}, {view['kind']}, {manifest['codec']}")
    print(f"ids    {ids.dtype} {ids.shape}: {ids[:5]} …")
    print(f"steps  {steps.dtype} {steps.shape}: {steps[0]} to {steps[-1]}")
    print(f"logits {logits.dtype} {logits.shape}")
    print("first row, combined: " + " ".join(f"{value:.3f}" for value in combined[0]))
    print(f"mean confidence: {probabilities.max(axis=1).mean():.6f}")
