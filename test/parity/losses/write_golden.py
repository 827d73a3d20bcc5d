"""Writes golden/losses.json: every loss with its gradient, and the combination of an ensemble, by PyTorch's autograd in float64 from the formulas
as they were published. Run with the packages of requirements.txt; the suite beside it needs no Python."""

import json
import pathlib

import torch
import torch.nn.functional as F

GOLDEN = pathlib.Path(__file__).parent / "golden"
ROWS, CLASSES = 6, 7

torch.set_num_threads(1)
torch.manual_seed(20)


def nll(z, labels):
    return F.cross_entropy(z, labels)


def kd(z, t, tau):
    return -(tau**2) * (F.softmax(t / tau, 1) * F.log_softmax(z / tau, 1)).sum(1).mean()


def kl(log_p, log_q):
    return (log_p.exp() * (log_p - log_q)).sum(1).mean()


def logs(z, t, tau):
    return F.log_softmax(z / tau, 1), F.log_softmax(t / tau, 1)


def scale(spec):
    return spec["temperature"] ** 2 if spec["tauSquared"] else 1


def reverse_kl(z, t, labels, s):
    q, p = logs(z, t, s["temperature"])
    return scale(s) * kl(q, p)


def symmetric_kl(z, t, labels, s):
    q, p = logs(z, t, s["temperature"])
    return scale(s) * (s["forwardWeight"] * kl(p, q) + s["reverseWeight"] * kl(q, p))


def js(z, t, labels, s):
    q, p = logs(z, t, s["temperature"])
    beta = torch.tensor(s["beta"], dtype=torch.float64)
    mixture = torch.logaddexp(p + beta.log(), q + (1 - beta).log())
    return scale(s) * (beta * kl(p, mixture) + (1 - beta) * kl(q, mixture))


def hard(z, t, labels, s):
    return F.cross_entropy(z, t.argmax(1))


def logit_mse(z, t, labels, s):
    return ((z - t) ** 2).sum(1).mean()


def brier(z, t, labels, s):
    tau = s["temperature"]
    return scale(s) * ((F.softmax(z / tau, 1) - F.softmax(t / tau, 1)) ** 2).sum(1).mean()


def dkd(z, t, labels, s):
    """With the published mask of 1000, but logarithms that stay finite where the published ones of probabilities do not."""
    tau = s["temperature"]
    mask = F.one_hot(labels, CLASSES).bool()

    def pair(x):
        log = F.log_softmax(x / tau, 1)
        rest = log.masked_fill(mask, -torch.inf).logsumexp(1, keepdim=True)
        return torch.cat([log[mask][:, None], rest], 1)

    target = tau**2 * kl(pair(t), pair(z))
    big = 1e9 * mask
    others = tau**2 * kl(F.log_softmax(t / tau - big, 1), F.log_softmax(z / tau - big, 1))
    return s["targetWeight"] * target + s["nonTargetWeight"] * others


def pearson(a, b):
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-8)


def dist(z, t, labels, s):
    tau = s["temperature"]
    q, p = F.softmax(z / tau, 1), F.softmax(t / tau, 1)
    inter, intra = 1 - pearson(q, p).mean(), 1 - pearson(q.T, p.T).mean()
    return tau**2 * (s["interWeight"] * inter + s["intraWeight"] * intra)


def logit_std(z, t, labels, s):
    tau = s["temperature"]
    normalise = lambda x: (x - x.mean(-1, keepdim=True)) / (1e-7 + x.std(-1, keepdim=True))
    return s["weight"] * tau**2 * kl(F.log_softmax(normalise(t) / tau, 1), F.log_softmax(normalise(z) / tau, 1))


def total(z, t, labels, s):
    if s["kind"] == "kd":
        return s["alpha"] * nll(z, labels) + (1 - s["alpha"]) * kd(z, t, s["temperature"])
    term = globals()[s["kind"].replace("-", "_")](z, t, labels, s)
    if s["kind"] in ("dkd", "dist", "logit-std"):
        return s["alpha"] * nll(z, labels) + term
    return s["alpha"] * nll(z, labels) + (1 - s["alpha"]) * term


def specs():
    for tau in (1, 4, 16):
        for alpha in (0, 0.3):
            yield {"kind": "kd", "temperature": tau, "alpha": alpha}
    for tau, squared in ((1, True), (4, True), (4, False)):
        both = {"temperature": tau, "tauSquared": squared}
        yield {"kind": "reverse-kl", **both, "alpha": 0}
        yield {"kind": "symmetric-kl", **both, "forwardWeight": 1, "reverseWeight": 1, "alpha": 0.25}
        yield {"kind": "symmetric-kl", **both, "forwardWeight": 0.3, "reverseWeight": 2, "alpha": 0}
        yield {"kind": "js", **both, "beta": 0.5, "alpha": 0}
        yield {"kind": "js", **both, "beta": 0.2, "alpha": 0.5}
        yield {"kind": "brier", **both, "alpha": 0.5}
    yield {"kind": "hard", "alpha": 0.5}
    yield {"kind": "logit-mse", "alpha": 0.1}
    for tau in (1, 4):
        yield {"kind": "dkd", "temperature": tau, "targetWeight": 1, "nonTargetWeight": 8, "alpha": 1}
        yield {"kind": "dkd", "temperature": tau, "targetWeight": 0.5, "nonTargetWeight": 2, "alpha": 0}
        yield {"kind": "dist", "temperature": tau, "interWeight": 1, "intraWeight": 2, "alpha": 1}
        yield {"kind": "logit-std", "temperature": tau, "weight": 9, "alpha": 0.1}


def inputs():
    yield "ordinary", 3 * torch.randn(ROWS, CLASSES), 3 * torch.randn(ROWS, CLASSES)
    close = 5 * torch.randn(ROWS, CLASSES)
    # Not closer: in float32 the difference of two probabilities has their rounding, whoever computes it.
    yield "student near its teacher", close + 0.5 * torch.randn(ROWS, CLASSES), close
    one_hot = torch.full((ROWS, CLASSES), -1e4)
    one_hot[torch.arange(ROWS), torch.arange(ROWS) % CLASSES] = 1e4
    yield "one-hot teacher at 1e4", 3 * torch.randn(ROWS, CLASSES), one_hot
    extreme = torch.where(torch.rand(ROWS, CLASSES) > 0.5, 1e4, -1e4) + torch.randn(ROWS, CLASSES)
    yield "student at 1e4", extreme, 3 * torch.randn(ROWS, CLASSES)


def main():
    GOLDEN.mkdir(exist_ok=True)
    golden = {"inputs": {}, "losses": [], "ensembles": []}
    for name, z, t in inputs():
        labels = torch.randint(0, CLASSES, (ROWS,))
        golden["inputs"][name] = {"student": z.tolist(), "teacher": t.tolist(), "labels": labels.tolist()}
        for spec in specs():
            student = z.double().clone().requires_grad_()
            value = total(student, t.double(), labels, spec)
            value.backward()
            assert value.isfinite() and student.grad.isfinite().all(), (name, spec)
            golden["losses"].append({"input": name, "loss": spec, "value": value.item(), "gradient": student.grad.tolist()})
    for members, spread in ((1, 3), (3, 3), (5, 40), (12, 3)):
        z = spread * torch.randn(4, members, CLASSES)
        combined = z.double().log_softmax(-1).logsumexp(1) - torch.tensor(members, dtype=torch.float64).log()
        golden["ensembles"].append({"members": members, "logits": z.tolist(), "logProbabilities": combined.tolist()})
    (GOLDEN / "losses.json").write_text(json.dumps(golden) + "\n")
    print(len(golden["losses"]), "losses", len(golden["ensembles"]), "ensembles")


if __name__ == "__main__":
    main()
