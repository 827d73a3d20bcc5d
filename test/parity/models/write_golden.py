"""Writes golden/<model>.safetensors: what PyTorch makes of weights and inputs that a formula gives (formula.py). Run with the packages of
requirements.txt; the suite beside it needs no Python.

A gradient is kept whole where it is small, else as its norm, some of its values, and its products with vectors of signs: the products of a
difference with random signs have its norm as their standard deviation, so that no place of a tensor can be wrong unseen."""

import json
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

from formula import signs, uniform, weight, words
from reference_models import FROZEN, SMOOTH, cases

WHOLE = 256
SAMPLES = 64
PRODUCTS = 8
GOLDEN = pathlib.Path(__file__).parent / "golden"

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def inputs_of(name, shape, rows):
    if "vocabulary" in shape:
        tokens = words(f"{name}:tokens", rows * shape["length"]).astype(np.int64).reshape(rows, -1) % (shape["vocabulary"] - 1) + 1
        lengths = words(f"{name}:lengths", rows) % shape["length"] + 1
        return np.where(np.arange(shape["length"]) < lengths[:, None].astype(np.int64), tokens, 0).astype(np.float32)
    # [N, H, W, C] for both; PyTorch sees it turned.
    return uniform(f"{name}:images", (rows, shape["height"], shape["width"], shape["channels"]))


def digest(golden, key, array):
    flat = array.astype(np.float32).reshape(-1)
    if flat.size <= WHOLE:
        golden[f"{key}/whole"] = flat
        return
    golden[f"{key}/norm"] = np.array([np.linalg.norm(flat.astype(np.float64))], np.float32)
    golden[f"{key}/samples"] = flat[np.arange(SAMPLES) * (flat.size // SAMPLES)]
    exact = flat.astype(np.float64)
    golden[f"{key}/products"] = np.array([exact @ signs(f"{key}:{i}", flat.size) for i in range(PRODUCTS)], np.float32)


def main():
    GOLDEN.mkdir(exist_ok=True)
    for name, architecture, shape, classes, rows, build in cases():
        model = build()
        state = {k: torch.from_numpy(weight(k, tuple(v.shape), SMOOTH.get(name, 0))) for k, v in model.state_dict().items() if not k.endswith("tracked")}
        model.load_state_dict(state)
        given = inputs_of(name, shape, rows)
        x = torch.from_numpy(given if given.ndim == 2 else np.ascontiguousarray(given.transpose(0, 3, 1, 2)))
        targets = torch.from_numpy(uniform(f"{name}:targets", (rows, classes)))
        golden = {}
        model.eval()
        with torch.no_grad():
            golden["eval"] = model(x).numpy()
        model.train()
        golden["train"] = model(x).detach().numpy()
        buffers = {k: v.numpy().copy() for k, v in model.named_buffers() if not k.endswith("tracked")}
        model.load_state_dict(state)
        model.train(name not in FROZEN)
        # Cross-entropy with soft targets: the loss of a distillation at temperature 1.
        loss = -(torch.softmax(3 * targets, 1) * torch.log_softmax(model(x), 1)).sum(1).mean()
        loss.backward()
        golden["loss"] = np.array([loss.item()], np.float32)
        for key, parameter in model.named_parameters():
            digest(golden, f"gradient/{key}", parameter.grad.numpy())
        for key, buffer in buffers.items():
            digest(golden, f"buffer/{key}", buffer)
        described = {"architecture": architecture, "inputShape": shape, "classes": classes, "rows": rows, "smooth": SMOOTH.get(name, 0)}
        described["gradientMode"] = "eval" if name in FROZEN else "train"
        described["tensors"] = {k: list(v.shape) for k, v in state.items()}
        save_file(golden, GOLDEN / f"{name}.safetensors", metadata={"case": json.dumps(described)})
        print(name, f"loss {loss.item():.4f}", f"{sum(p.numel() for p in model.parameters()):,} parameters")


if __name__ == "__main__":
    main()
