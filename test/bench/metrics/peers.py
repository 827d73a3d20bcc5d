"""Times the counterparts of the set in TorchMetrics and netcal, one thread; prints JSON. Called by main.ts."""

import json
import sys
import time

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
request = json.loads(sys.argv[1])


def best(run):
    least = float("inf")
    for _ in range(request["repeats"]):
        start = time.perf_counter()
        run()
        least = min(least, time.perf_counter() - start)
    return least


def whole_set(teacher, student, labels, classes):
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


timings = []
for case in request["cases"]:
    rows, classes = case["rows"], case["classes"]
    random = np.random.default_rng(1)
    teacher = (3 * random.standard_normal((rows, classes))).astype(np.float32)
    student = (teacher + random.standard_normal((rows, classes))).astype(np.float32)
    labels = np.where(random.random(rows) < 0.5, teacher.argmax(1), random.integers(0, classes, rows))
    tensors = torch.from_numpy(teacher), torch.from_numpy(student), torch.from_numpy(labels)
    probabilities = torch.softmax(tensors[1], 1).numpy()
    seconds = {
        "TorchMetrics: its part of the set": best(lambda: whole_set(*tensors, classes)),
        "netcal: ECE of probabilities": best(lambda: ECE(15).measure(probabilities, labels)),
    }
    timings += [{**case, "what": what, "seconds": value} for what, value in seconds.items()]
print(json.dumps(timings))
