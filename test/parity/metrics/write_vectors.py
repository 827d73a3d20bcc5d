"""Writes golden/vectors.json: inputs and what the peers make of them. Run with the packages of requirements.txt; the suite beside it needs no
Python. Each expectation names its peer; "f64" peers compute in float64, "f32" ones hold confidences in float32."""

import base64
import json
import pathlib
import warnings

import numpy as np
import relplot
import torch
from netcal.metrics import ECE, MCE
from scipy import optimize, stats
from scipy.spatial.distance import jensenshannon
from scipy.special import log_softmax, softmax
from sklearn import metrics as sk
from torchmetrics.functional import classification as tm

warnings.filterwarnings("ignore")
random = np.random.default_rng(20)


def encode(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def pair(rows, classes, scale=3.0, dtype=np.float64):
    teacher = (scale * random.standard_normal((rows, classes))).astype(dtype)
    student = (teacher + scale / 3 * random.standard_normal((rows, classes))).astype(dtype)
    labels = np.where(random.random(rows) < 0.6, teacher.argmax(1), random.integers(0, classes, rows))
    return teacher, student, labels


def cases():
    yield "2 classes", "logits", *pair(150, 2)
    yield "10 classes", "logits", *pair(200, 10)
    yield "100 classes, float32", "logits", *pair(40, 100, dtype=np.float32)
    yield "1000 classes, float32", "logits", *pair(5, 1000, dtype=np.float32)
    teacher, student, labels = pair(60, 5)
    yield "ties", "logits", np.round(teacher / 3), np.round(student / 3), labels
    yield "an absent class", "logits", teacher, student, np.where(labels == 3, 0, labels)
    yield "one sample", "logits", *pair(1, 4)
    labels = random.integers(0, 3, 20)
    sure = 12.0 * np.eye(3)[labels] + random.random((20, 3))
    yield "all confident and right", "logits", sure, sure + random.random((20, 3)), labels
    yield "all wrong", "logits", sure, sure + random.random((20, 3)), (labels + 1) % 3
    exact = np.array([[1, 0, 0], [0, 1, 0], [0.25, 0.5, 0.25], [0, 0.5, 0.5], [0, 0, 1], [0.7, 0.2, 0.1]], np.float64)
    blurred = np.array([[1, 0, 0], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.125, 0.5, 0.375], [0.5, 0.25, 0.25], [0.6, 0.4, 0]], np.float64)
    yield "confidence exactly 0 and 1", "probs", blurred, exact, np.array([0, 2, 1, 1, 2, 0])
    yield "float16", "logits", *(a.astype(np.float32) if a.dtype == np.float16 else a for a in pair(80, 6, dtype=np.float16))
    yield "logits of 1e4", "logits", *pair(50, 4, scale=1e4)
    log_teacher, log_student = (log_softmax(z, 1) for z in pair(50, 4)[:2])
    log_teacher[:, 1] = -np.inf
    log_teacher = log_teacher - np.log(np.exp(log_teacher).sum(1, keepdims=True))
    yield "log-probabilities of minus infinity", "logprobs", log_teacher, log_student, np.where(np.arange(50) % 3 == 1, 2, np.arange(50) % 3)
    # Multiples of 1/15 and 1/20: confidences on the edges of 15 and of 10 bins.
    parts = np.concatenate([random.multinomial(15, [0.7, 0.2, 0.1], 40) / 15, random.multinomial(20, [0.7, 0.2, 0.1], 40) / 20])
    yield "probabilities on the edges", "probs", parts[random.permutation(80)], parts, random.choice(3, 80, p=[0.6, 0.2, 0.2])


def distribution(rows, kind):
    rows = rows.astype(np.float64)
    with np.errstate(divide="ignore"):
        log_prob = np.log(rows) if kind == "probs" else log_softmax(rows, 1)
    return (rows if kind == "probs" else softmax(rows, 1)), log_prob


def kl(p, log_p, log_q):
    with np.errstate(invalid="ignore"):
        return np.where(p > 0, p * (log_p - log_q), 0).sum(1).mean()


def equal_width(confidence, bins, right_closed):
    """An oracle of our own for what no peer has: the bin of each confidence, compared in float32 as the peers do."""
    edges = torch.linspace(0, 1, bins + 1).numpy()
    rounded = confidence.astype(np.float32)
    return np.searchsorted(edges, rounded, side="left" if right_closed else "right") - 1


def sums(bins, confidence, correct, total):
    return (np.bincount(bins, weights, total) for weights in (np.ones_like(confidence), correct, confidence))


def fit_temperature(log_prob, labels):
    logits = np.where(np.isfinite(log_prob), log_prob, -1e300)

    def nll(log_beta):
        return -log_softmax(np.exp(log_beta) * logits, 1)[np.arange(len(labels)), labels].mean()

    found = optimize.minimize_scalar(nll, bounds=(np.log(0.01), np.log(100)), method="bounded", options={"xatol": 1e-9})
    return float(np.exp(-found.x)), float(found.fun)


def of_model(rows, kind, labels, classes, name):
    prob, log_prob = distribution(rows, kind)
    top = rows.argmax(1)
    confidence = prob.max(1)
    correct = (top == labels).astype(np.float64)
    n = len(labels)
    yield "accuracy", "scikit-learn", "f64", sk.accuracy_score(labels, top)
    k = min(5, classes - 1)
    if name != "ties" and classes > 5:
        yield "top5Accuracy", "scikit-learn", "f64", sk.top_k_accuracy_score(labels, prob, k=5, labels=range(classes))
    nll = -log_prob[np.arange(n), labels]
    if np.isfinite(nll).all() and nll.max() < 30:
        yield "nll", "scikit-learn", "f64", sk.log_loss(labels, prob, labels=range(classes))
    yield "nll", "NumPy", "f64", nll.mean()
    yield "brier", "NumPy", "f64", np.square(prob - np.eye(classes)[labels]).sum(1).mean()
    tensors = torch.from_numpy(prob), torch.from_numpy(labels)
    if name != "ties":
        for path, norm in (("ece", "l1"), ("rmsce", "l2"), ("mce", "max")):
            yield path, "TorchMetrics", "f32", tm.multiclass_calibration_error(*tensors, classes, n_bins=15, norm=norm).item()
    count, right, total = sums(equal_width(confidence, 15, False), confidence, correct, 16)
    filled = count > 0
    count, right, total = count[filled], right[filled], total[filled]
    gap, accuracy = (right - total) / count, right / count
    deviation = np.sqrt(accuracy * (1 - accuracy) / count)
    mean_gap = [abs(g) if d == 0 else stats.foldnorm.mean(abs(g) / d, scale=d) for g, d in zip(gap, deviation)]
    yield "eceDebiased", "SciPy", "f64", (count / n * (2 * np.abs(gap) - mean_gap)).sum()
    chance = 0.0
    for rows_in_bin, sum_in_bin in zip(count.astype(int), total):
        p = min(1.0, sum_in_bin / rows_in_bin)
        hits = np.arange(rows_in_bin + 1)
        chance += (stats.binom.pmf(hits, rows_in_bin, p) * np.abs(hits - rows_in_bin * p)).sum()
    yield "nullEce", "SciPy", "f64", chance / n
    noise = np.where(count > 1, accuracy * (1 - accuracy) / np.maximum(1, count - 1), 0)
    yield "rmsceDebiased", "NumPy", "f64", np.sqrt(max(0, (count / n * (gap**2 - noise)).sum()))
    classwise = 0.0
    for column in range(classes):
        bins = np.maximum(0, equal_width(prob[:, column], 15, False))
        _, hits, mass = sums(bins, prob[:, column], (labels == column).astype(float), 16)
        classwise += np.abs(hits - mass).sum() / n / classes
    yield "classwiseEce", "NumPy", "f64", classwise
    for bins in (10, 15):
        _, hits, mass = sums(np.maximum(0, equal_width(confidence, bins, True)), confidence, correct, bins)
        yield f"eceVariants/gnosis/{bins}", "NumPy", "f64", np.abs(hits - mass).sum() / n
        # netcal closes its last bin, TorchMetrics has one more for exactly 1: they agree where no float32 confidence is on an edge.
        on_edge = np.isin(confidence.astype(np.float32), torch.linspace(0, 1, bins + 1).numpy()).any()
        if classes > 2 and n > 1 and not on_edge and name != "ties":
            yield f"eceVariants/torchmetrics/{bins}", "netcal", "f64", float(ECE(bins).measure(confidence, correct.astype(int)))
            if bins == 15:
                yield "mce", "netcal", "f64", float(MCE(bins).measure(confidence, correct.astype(int)))
    if classes > 2 and n > 1 and len(np.unique(confidence)) == n:
        yield "full/eceEqualMass", "netcal", "f64", float(ECE(15, equal_intervals=False).measure(confidence, correct.astype(int)))
    smooth, width = relplot.smECE(confidence, correct, return_width=True)
    yield "full/smoothEce", "relplot", "f64", float(smooth)
    yield "full/smoothEceBandwidth", "relplot", "f64", float(width)
    if np.isfinite(nll).all() and 0 < correct.sum() < n and nll.max() < 30:
        temperature, least = fit_temperature(log_prob, labels)
        if 0.02 < temperature < 50:
            yield "full/temperature", "SciPy", "f32", temperature
            yield "full/nllAfter", "SciPy", "f64", least


def of_pair(teacher, student, kind, labels, classes, name):
    p, log_p = distribution(teacher, kind)
    q, log_q = distribution(student, kind)
    top_teacher, top_student = teacher.argmax(1), student.argmax(1)
    yield "top1Agreement", "scikit-learn", "f64", sk.accuracy_score(top_teacher, top_student)
    if classes > 5 and name != "ties":
        yield "top5Agreement", "scikit-learn", "f64", sk.top_k_accuracy_score(top_teacher, q, k=5, labels=range(classes))
    kappa = sk.cohen_kappa_score(top_teacher, top_student)
    yield "cohenKappa", "scikit-learn", "f64", None if np.isnan(kappa) else kappa
    # SciPy's own entropy takes logarithms of quotients of probabilities that may have underflowed: where none has.
    if min(p.min(), q.min()) > 1e-300:
        yield "predictiveKl", "SciPy", "f64", stats.entropy(p, q, axis=1).mean()
        yield "reverseKl", "SciPy", "f64", stats.entropy(q, p, axis=1).mean()
    yield "predictiveKl", "NumPy", "f64", kl(p, log_p, log_q)
    yield "reverseKl", "NumPy", "f64", kl(q, log_q, log_p)
    yield "jensenShannon", "SciPy", "f64", np.square(jensenshannon(p, q, axis=1)).mean()
    yield "totalVariation", "NumPy", "f64", np.abs(p - q).sum(1).mean() / 2
    right = top_teacher == labels
    agreed = top_teacher == top_student
    yield "agreementTeacherRight", "NumPy", "f64", agreed[right].mean() if right.any() else None
    yield "agreementTeacherWrong", "NumPy", "f64", agreed[~right].mean() if (~right).any() else None
    correlations = [stats.spearmanr(a, b).statistic for a, b in zip(log_p, log_q)]
    correlations = [c for c in correlations if not np.isnan(c)]
    yield "full/rankCorrelation", "SciPy", "f64", np.mean(correlations) if correlations else None
    if name != "ties":
        calibration = tm.multiclass_calibration_error(torch.from_numpy(q), torch.from_numpy(top_teacher), classes, n_bins=15)
        yield "calibration/ece", "TorchMetrics", "f32", calibration.item()


def number(value):
    """JSON has no infinity."""
    return None if value is None else "Infinity" if np.isinf(value) else float(value)


def expectations(name, kind, teacher, student, labels):
    classes = teacher.shape[1]
    for path, peer, precision, value in of_pair(teacher, student, kind, labels, classes, name):
        yield {"path": f"fidelity/{path}", "peer": peer, "precision": precision, "value": number(value)}
    for who, rows in (("teacher", teacher), ("student", student)):
        for path, peer, precision, value in of_model(rows, kind, labels, classes, name):
            yield {"path": f"{who}/{path}", "peer": peer, "precision": precision, "value": number(value)}


vectors = [
    {
        "name": name,
        "kind": kind,
        "rows": teacher.shape[0],
        "classes": teacher.shape[1],
        "dtype": teacher.dtype.name,
        "teacher": encode(teacher),
        "student": encode(student),
        "labels": [int(label) for label in labels],
        "expected": list(expectations(name, kind, teacher, student, labels)),
    }
    for name, kind, teacher, student, labels in cases()
]
golden = pathlib.Path(__file__).parent / "golden"
(golden / "vectors.json").write_text(json.dumps(vectors, indent=1) + "\n")
# The edges of TorchMetrics and of the published code: of PyTorch on a processor with AVX2 or later.
edges = {bins: encode(torch.linspace(0, 1, bins + 1).numpy()) for bins in [*range(1, 31), 50, 100]}
(golden / "edges.json").write_text(json.dumps(edges, indent=1) + "\n")
