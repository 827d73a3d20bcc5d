"""Writes golden/statistics.json: what SciPy and statsmodels say. Versions in requirements.txt.

    python -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python golden.py
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats
from scipy.special import erfc
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20240517)


def floats(values):
    return [float(value) for value in values]


xs = [-37, -20, -9.3, -5, -4.0001, -3, -1.96, -0.7, -0.6, -0.3, -1e-9, 0, 1e-9, 0.46875, 0.66, 1, 2.5, 5.65, 8, 20]
ps = [1e-300, 1e-100, 1e-20, 1e-10, 1e-5, 0.001, 0.025, 0.0749, 0.075, 0.0751, 0.3, 0.5, 0.7, 0.925, 0.9251, 0.975, 0.999, 1 - 1e-10]
golden = {
    "erfc": [[x, float(erfc(x))] for x in xs],
    "normalCdf": [[x, float(stats.norm.cdf(x))] for x in xs],
    "normalQuantile": [[p, float(stats.norm.ppf(p))] for p in ps],
    "studentT": [
        [level, df, float(stats.t.ppf((1 + level) / 2, df))]
        for level in [0.5, 0.8, 0.9, 0.95, 0.99, 0.9999]
        for df in [1, 2, 3, 4, 5, 9, 30, 99, 1000, 10001]
    ],
}

golden["tIntervals"] = []
for count, scale in [(2, 1.0), (5, 0.01), (30, 100.0)]:
    values = rng.normal(0.9, scale, count)
    low, high = stats.t.interval(0.95, count - 1, loc=values.mean(), scale=stats.sem(values))
    golden["tIntervals"].append({"values": floats(values), "lo": float(low), "hi": float(high)})

golden["mcnemar"] = []
for b, c in [(0, 0), (0, 1), (1, 0), (3, 3), (5, 12), (0, 24), (12, 12), (10, 14), (12, 13), (0, 25), (20, 45), (100, 101), (300, 200), (2000, 1500), (499, 501)]:
    table = [[7, b], [c, 11]]
    entry = {"onlyFirst": b, "onlySecond": c, "exact": float(mcnemar(table, exact=True).pvalue)}
    if abs(b - c) >= 1:
        chi = mcnemar(table, exact=False, correction=True)
        entry["chiSquared"] = {"statistic": float(chi.statistic), "pValue": float(chi.pvalue)}
    golden["mcnemar"].append(entry)
# Where statsmodels lets the corrected difference of equal counts fall below zero.
tied = mcnemar([[7, 20], [20, 11]], exact=False, correction=True)
golden["mcnemarTied"] = {"count": 20, "statistic": float(tied.statistic), "pValue": float(tied.pvalue)}

golden["corrections"] = []
for pvalues in [[0.04], [0.01, 0.02, 0.03, 0.04, 0.05], [0.05, 0.001, 0.2, 0.001, 0.9, 1.0, 0.0], floats(rng.uniform(0, 0.2, 25))]:
    golden["corrections"].append({
        "pValues": pvalues,
        "holm": floats(multipletests(pvalues, method="holm")[1]),
        "benjaminiHochberg": floats(multipletests(pvalues, method="fdr_bh")[1]),
    })

golden["permutationExact"] = []
for differences in [
    rng.normal(0.3, 1, 8),
    rng.integers(-1, 2, 16).astype(float),
    np.array([1.0, 1.0, 1.0, -1.0]),
    rng.normal(0, 1, 12),
    np.array([0.1, 0.2, -0.3, 0.4, 0.0, 0.0]),
]:
    result = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    golden["permutationExact"].append({"differences": floats(differences), "pValue": float(result.pvalue)})

differences = rng.normal(0.12, 1, 300)
result = stats.permutation_test(
    (differences,), np.mean, permutation_type="samples", n_resamples=200_000, rng=rng, batch=10_000
)
golden["permutationMonteCarlo"] = {"differences": floats(differences), "pValue": float(result.pvalue)}

golden["bootstrap"] = []
for name, data, statistic in [
    ("mean of a skewed sample", (rng.exponential(1, 60),), lambda x, axis=-1: x.mean(axis=axis)),
    ("mean of zeros and ones", (rng.integers(0, 2, 40).astype(float),), lambda x, axis=-1: x.mean(axis=axis)),
    ("ratio of sums", (rng.exponential(1, 50), rng.exponential(2, 50)), lambda x, y, axis=-1: x.sum(axis=axis) / y.sum(axis=axis)),
]:
    first = stats.bootstrap(data, statistic, paired=True, n_resamples=400, method="BCa", confidence_level=0.9, rng=rng)
    percentile = stats.bootstrap(
        data, statistic, paired=True, n_resamples=0, method="percentile", confidence_level=0.9, bootstrap_result=first
    )
    # What many more resamples say, for a bootstrap with a generator of its own.
    many = stats.bootstrap(data, statistic, paired=True, n_resamples=100_000, batch=5_000, method="BCa", confidence_level=0.9, rng=rng)
    golden["bootstrap"].append({
        "name": name,
        "columns": [floats(column) for column in data],
        "level": 0.9,
        "distribution": floats(first.bootstrap_distribution),
        "bca": floats(first.confidence_interval),
        "percentile": floats(percentile.confidence_interval),
        "manyBca": floats(many.confidence_interval),
        "manyStandardError": float(many.standard_error),
    })

quantile_values = floats(rng.normal(0, 1, 13))
golden["quantiles"] = {
    "values": quantile_values,
    "quantiles": [[q, float(np.quantile(quantile_values, q))] for q in [0, 0.025, 0.31, 0.5, 0.97, 1]],
}

target = Path(__file__).parent / "golden" / "statistics.json"
target.parent.mkdir(exist_ok=True)
lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
target.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(target, target.stat().st_size, "bytes")
