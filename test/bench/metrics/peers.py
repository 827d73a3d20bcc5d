"""Runs the counterparts of the set in TorchMetrics and netcal, one thread, when main.ts asks.

Arguments: a folder with the arrays of main.ts as raw little-endian files, and their shapes as JSON. Each line of the input is
`<case> <what>`; the answer is the seconds that one run took.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from netcal.metrics import ECE
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassCalibrationError,
    MulticlassCohenKappa,
    MulticlassConfusionMatrix,
)
from torchmetrics.regression import JensenShannonDivergence, KLDivergence

torch.set_num_threads(1)


def whole_set(case):
    teacher, student, labels, classes = case["teacher"], case["student"], case["labels"], case["classes"]
    with torch.no_grad():
        log_teacher, log_student = torch.log_softmax(teacher, 1), torch.log_softmax(student, 1)
        prob_teacher, prob_student = log_teacher.exp(), log_student.exp()
        top_teacher = teacher.argmax(1)
        for k in (1, 5):
            MulticlassAccuracy(classes, top_k=k, average="micro", validate_args=False)(student, top_teacher)
        MulticlassCohenKappa(classes, validate_args=False)(student, top_teacher)
        MulticlassConfusionMatrix(classes, validate_args=False)(student, top_teacher)
        KLDivergence(log_prob=True)(log_teacher, log_student)
        KLDivergence(log_prob=True)(log_student, log_teacher)
        JensenShannonDivergence(log_prob=True)(log_teacher, log_student)
        (prob_teacher - prob_student).abs().sum(1).mean() / 2
        for log_prob, prob in ((log_teacher, prob_teacher), (log_student, prob_student)):
            for k in (1, 5):
                MulticlassAccuracy(classes, top_k=k, average="micro", validate_args=False)(prob, labels)
            torch.nn.functional.nll_loss(log_prob, labels)
            (prob - torch.nn.functional.one_hot(labels, classes)).square().sum(1).mean()
            for norm in ("l1", "l2", "max"):
                MulticlassCalibrationError(classes, n_bins=15, norm=norm, validate_args=False)(prob, labels)


def ece_of_probabilities(case):
    ECE(15).measure(case["probabilities"], case["numpy_labels"])


def ece_of_logits(case):
    """netcal takes probabilities alone: the softmax in front of it is PyTorch's."""
    ECE(15).measure(torch.softmax(case["student"], 1).numpy(), case["numpy_labels"])


RUNS = {"set": whole_set, "probs": ece_of_probabilities, "logits": ece_of_logits}

folder, cases = Path(sys.argv[1]), []
for index, shape in enumerate(json.loads(sys.argv[2])):
    size = (shape["rows"], shape["classes"])

    def array(name, dtype="<f4", size=size, index=index):
        return np.fromfile(folder / f"{index}.{name}", dtype).reshape(size)

    labels = array("labels", "<i4", size[0]).astype(np.int64)
    cases.append(
        {
            "classes": size[1],
            "teacher": torch.from_numpy(array("teacher")),
            "student": torch.from_numpy(array("student")),
            "probabilities": array("probabilities"),
            "labels": torch.from_numpy(labels),
            "numpy_labels": labels,
        }
    )
print("ready", flush=True)
for line in sys.stdin:
    index, what = line.split()
    start = time.perf_counter()
    RUNS[what](cases[int(index)])
    print(time.perf_counter() - start, flush=True)
