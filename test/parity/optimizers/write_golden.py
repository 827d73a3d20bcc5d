"""Writes golden/steps.safetensors and golden/schedules.json: three networks after ten steps of each optimiser on the distillation loss in float64, and learning
rates of torch.optim.lr_scheduler. Weights and batches are those that a formula gives (../models/formula.py); so are the digests of large tensors.
Run with the packages of requirements.txt; the suite beside it needs no Python."""

import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.numpy import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "models"))
from formula import uniform, weight  # noqa: E402
from reference_models import cases  # noqa: E402
from write_golden import digest  # noqa: E402

GOLDEN = pathlib.Path(__file__).parent / "golden"
MODELS = ("lenet5", "mlp", "preresnet20")
STEPS = 10
TEMPERATURE, ALPHA = 4, 0.3

# Rates at which PyTorch's own float32 and float64 stay within 1e-5 of each other: at greater ones a rounding turns a ReLU over, and Adam makes a
# step of it. Weight decay is so large that leaving it out, or coupling it, would move the weights by far more than the tolerance.
adam = {"learningRate": 0.0001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
OPTIMIZERS = {
    "sgd": {"kind": "sgd", "learningRate": 0.005, "momentum": 0.9, "nesterov": True, "weightDecay": 0.1},
    "sgd-clipped": {"kind": "sgd", "learningRate": 0.005, "momentum": 0.9, "nesterov": False, "weightDecay": 0.1, "clipNorm": 0.5},
    "adam": {"kind": "adam", **adam, "weightDecay": 0.1},
    "adamw": {"kind": "adamw", **adam, "weightDecay": 5},
}


def build_optimizer(parameters, spec):
    rate, decay = spec["learningRate"], spec["weightDecay"]
    if spec["kind"] == "sgd":
        return torch.optim.SGD(parameters, rate, spec["momentum"], weight_decay=decay, nesterov=spec["nesterov"])
    build = torch.optim.Adam if spec["kind"] == "adam" else torch.optim.AdamW
    return build(parameters, rate, (spec["beta1"], spec["beta2"]), spec["epsilon"], weight_decay=decay)


def batch(name, shape, classes, rows, step):
    x = uniform(f"{name}:images:{step}", (rows, shape["height"], shape["width"], shape["channels"]))
    teacher = 3 * uniform(f"{name}:teacher:{step}", (rows, classes))
    labels = (np.arange(rows) + step) % classes
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))).double(), torch.from_numpy(teacher).double(), torch.from_numpy(labels)


def train(name, shape, classes, rows, model, spec, golden):
    model.load_state_dict({k: torch.from_numpy(weight(k, tuple(v.shape))) for k, v in model.state_dict().items() if not k.endswith("tracked")})
    model.double().train()
    optimizer = build_optimizer(model.parameters(), spec)
    losses, norms = [], []
    for step in range(STEPS):
        x, teacher, labels = batch(name, shape, classes, rows, step)
        z = model(x)
        soft = -(torch.softmax(teacher / TEMPERATURE, 1) * torch.log_softmax(z / TEMPERATURE, 1)).sum(1).mean()
        loss = ALPHA * torch.nn.functional.cross_entropy(z, labels) + (1 - ALPHA) * TEMPERATURE**2 * soft
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), spec.get("clipNorm", torch.inf)).item())
        optimizer.step()
        losses.append(loss.item())
    golden["losses"] = np.array(losses, np.float32)
    golden["norms"] = np.array(norms, np.float32)
    for key, parameter in model.named_parameters():
        digest(golden, f"parameter/{key}", parameter.detach().numpy())
    for key, buffer in model.named_buffers():
        if not key.endswith("tracked"):
            digest(golden, f"buffer/{key}", buffer.numpy())


def rates(build, steps, base):
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([parameter], base)
    scheduler = build(optimizer)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return values


def schedules():
    lr = torch.optim.lr_scheduler
    epochs, per_epoch, base = 12, 7, 0.05
    steps = epochs * per_epoch

    def entry(spec, build, every=1):
        values = rates(build, steps // every, base)
        return {"schedule": spec, "base": base, "steps": steps, "stepsPerEpoch": per_epoch, "rates": [values[i // every] for i in range(steps)]}

    warm = 3 * per_epoch
    rise = lambda o, length: lr.LinearLR(o, 1 / (length + 1), 1, length)
    yield entry({"kind": "cosine", "floor": 1e-6}, lambda o: lr.CosineAnnealingLR(o, steps, 1e-6))
    yield entry({"kind": "cosine", "floor": 1e-6, "every": "epoch"}, lambda o: lr.CosineAnnealingLR(o, epochs, 1e-6), per_epoch)
    yield entry(
        {"kind": "cosine", "floor": 1e-3, "warmUpEpochs": 3},
        lambda o: lr.SequentialLR(o, [rise(o, warm), lr.CosineAnnealingLR(o, steps - warm, 1e-3)], [warm]),
    )
    yield entry({"kind": "constant", "floor": 0}, lambda o: lr.ConstantLR(o, 1, 1))
    yield entry({"kind": "constant", "floor": 0, "warmUpEpochs": 2}, lambda o: rise(o, 2 * per_epoch))
    yield entry({"kind": "step", "milestones": [4, 9], "factor": 0.2}, lambda o: lr.MultiStepLR(o, [4 * per_epoch, 9 * per_epoch], 0.2))
    yield entry(
        {"kind": "step", "milestones": [2, 9], "factor": 0.1, "warmUpEpochs": 3},
        lambda o: lr.ChainedScheduler([rise(o, warm), lr.MultiStepLR(o, [2 * per_epoch, 9 * per_epoch], 0.1)]),
    )


def main():
    GOLDEN.mkdir(exist_ok=True)
    all_steps = {}
    described = []
    for name, architecture, shape, classes, rows, build in cases():
        if name not in MODELS:
            continue
        for key, spec in OPTIMIZERS.items():
            model, golden = build(), {}
            train(name, shape, classes, rows, model, spec, golden)
            tensors = {k: list(v.shape) for k, v in model.state_dict().items() if not k.endswith("tracked")}
            case = {"architecture": architecture, "inputShape": shape, "classes": classes, "rows": rows, "tensors": tensors}
            described.append({**case, "name": name, "optimizer": key, "spec": spec})
            all_steps.update({f"{name}/{key}/{k}": v for k, v in golden.items()})
            print(name, key, golden["losses"][[0, -1]], golden["norms"][[0, -1]])
    loss = {"kind": "kd", "temperature": TEMPERATURE, "alpha": ALPHA}
    save_file(all_steps, GOLDEN / "steps.safetensors", metadata={"cases": json.dumps(described), "loss": json.dumps(loss), "steps": str(STEPS)})
    (GOLDEN / "schedules.json").write_text(json.dumps(list(schedules())) + "\n")


if __name__ == "__main__":
    main()
