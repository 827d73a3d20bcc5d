"""Writes golden/vectors.json: batches of logits and what the evaluation of the code published with the paper (samuelstanton/gnosis) makes
of them. Its arithmetic is written down here operation by operation in float32 with PyTorch; run with the packages of requirements.txt. The
suite beside it needs no Python."""

import base64
import json
import math
import pathlib

import torch
from torch.distributions import Categorical, kl_divergence

torch.manual_seed(21)
BINS = 10


def reduce_ensemble(members):
    """[batch][members][classes] to [batch][classes]. `len` is the batch here, not the members: a constant that no softmax sees."""
    return torch.logsumexp(members.log_softmax(-1), dim=1) - math.log(len(members))


def bin_statistics(logits, labels):
    confidence, predicted = logits.softmax(-1).max(-1)
    rows = []
    for upper in torch.linspace(1 / BINS, 1.0, BINS):
        inside = (confidence > upper - 1 / BINS) & (confidence <= upper)
        rows.append(torch.stack([inside.sum().float(), predicted[inside].eq(labels[inside]).sum().float(), confidence[inside].sum()]))
    return torch.stack(rows)


def published(batches):
    """One evaluation: the loop over the batches and what it reports. Rows beyond the labels are synthetic."""
    statistics, nll, kl, agree, correct, rows, scored = torch.zeros(BINS, 3), 0.0, 0.0, 0, 0, 0, 0
    for members, student, labels in batches:
        teacher, real = reduce_ensemble(members), len(labels)
        nll += -student[:real].log_softmax(-1)[..., labels].mean().item()
        kl += kl_divergence(Categorical(logits=teacher), Categorical(logits=student)).mean().item()
        statistics += bin_statistics(student[:real], labels)
        agree += student.argmax(-1).eq(teacher.argmax(-1)).sum().item()
        correct += student[:real].argmax(-1).eq(labels).sum().item()
        rows += len(student)
        scored += real
    ece = sum(count / rows * abs(right / count - mass / count) for count, right, mass in statistics if count >= 1).item()
    figures = {"nll": nll / len(batches), "predictiveKl": kl / len(batches), "ece": ece}
    return figures | {"top1Agreement": agree / rows, "accuracy": correct / scored}


def split(members, student, labels, size, synthetic=0):
    """Batches of `size` rows, the last one shorter, each followed by synthetic rows from the end of the arrays."""
    spare = len(labels)
    for start in range(0, len(labels), size):
        real = slice(start, min(start + size, len(labels)))
        extra = slice(spare, spare + synthetic)
        spare += synthetic
        yield torch.cat([members[real], members[extra]]), torch.cat([student[real], student[extra]]), labels[real]


def drawn(rows, classes, members=1, scale=3.0, synthetic=0):
    teacher = scale * torch.randn(rows + synthetic, members, classes)
    student = teacher.mean(1) + scale / 3 * torch.randn(rows + synthetic, classes)
    labels = torch.where(torch.rand(rows) < 0.6, student[:rows].argmax(-1), torch.randint(classes, (rows,)))
    return teacher, student, labels


def cases():
    yield "batches of one size", list(split(*drawn(96, 10), 32))
    yield "an uneven last batch", list(split(*drawn(70, 20), 32))
    yield "a last batch of one row", list(split(*drawn(33, 10), 8))
    yield "one row in all", list(split(*drawn(1, 10), 8))
    yield "2 classes", list(split(*drawn(65, 2), 32))
    yield "an ensemble of 3, uneven", list(split(*drawn(75, 10, members=3), 32))
    yield "an ensemble of 5, uneven", list(split(*drawn(37, 7, members=5), 16))
    yield "synthetic rows", list(split(*drawn(56, 10, synthetic=24), 24, synthetic=8))
    # Equal logits of 1, 2, 3, 4, 5 or 10 classes, the others impossible: confidences on the edges, as float32 has them.
    leading = torch.tensor([1, 2, 3, 4, 5, 10, 2, 10, 5, 1])
    on_edges = torch.where(torch.arange(10) < leading[:, None], 0.0, -200.0)
    yield "confidences on the edges", list(split(on_edges[:, None], on_edges, torch.tensor([0, 1, 0, 3, 0, 0, 0, 5, 1, 4]), 4))
    teacher, student, labels = drawn(40, 6, scale=12.0)
    yield "sure", list(split(teacher, student, labels, 16))
    # float32 has no exp(-120): the published divergence is infinite where the student is this sure and the teacher is not.
    student = torch.tensor([[120.0, 0, 0], [1, 2, 3]])
    yield "underflow", list(split(torch.tensor([[[2.0, 1, 0]], [[3, 2, 1]]]), student, torch.tensor([0, 2]), 2))


def encode(tensor):
    return base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()


def stored(name, batches):
    return {
        "name": name,
        "classes": batches[0][1].shape[1],
        "batches": [
            {
                "rows": len(student),
                # The ensemble by its definition, the logarithm of the mean probability, in float64 until here.
                "teacher": encode(members.double().softmax(-1).mean(1).log().float() if members.shape[1] > 1 else members[:, 0]),
                "student": encode(student),
                "labels": labels.tolist(),
            }
            for members, student, labels in batches
        ],
        "published": {key: "Infinity" if math.isinf(value) else value for key, value in published(batches).items()},
    }


target = pathlib.Path(__file__).parent / "golden" / "vectors.json"
target.write_text(json.dumps([stored(*case) for case in cases()], indent=1) + "\n")
