"""A second, naive implementation: one firm at a time, plain loops, straight from the formulas."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from scipy import stats


def estimate(y, x, event_y, event_x):
    """OLS of one firm over its valid days: residuals, abnormal returns, sigma, inverse Gram and design of the event."""
    ok = np.isfinite(y) & np.isfinite(x).all(axis=1)
    design = np.column_stack([np.ones(ok.sum()), x[ok]])
    coefficients, *_ = np.linalg.lstsq(design, y[ok], rcond=None)
    residual = np.full(y.size, np.nan)
    residual[ok] = y[ok] - design @ coefficients
    event_design = np.column_stack([np.ones(event_y.size), event_x])
    abnormal = event_y - event_design @ coefficients
    sigma = math.sqrt(np.nansum(residual**2) / (ok.sum() - design.shape[1]))
    return residual, abnormal, sigma, np.linalg.inv(design.T @ design), event_design, coefficients


def correction(abnormal, inverse, event_design, days):
    """C over the valid days among ``days``."""
    rows = [day for day in days if np.isfinite(abnormal[day])]
    if inverse is None:
        return float(len(rows))
    total = event_design[rows].sum(axis=0)
    return len(rows) + float(total @ inverse @ total)


class Firms:
    """What every test needs, firm by firm."""

    def __init__(self, residuals, abnormal, sigma, corrections, spans, parameters):
        self.residuals = residuals  # (L1, N), NaN
        self.abnormal = abnormal  # (L2, N), NaN
        self.sigma = sigma
        self.corrections = corrections  # {span: (N,)}
        self.spans = spans  # {span: list of event rows}
        self.parameters = parameters

    def car(self, span):
        part = self.abnormal[self.spans[span]]
        return np.where(np.isfinite(part).any(axis=0), np.nansum(part, axis=0), np.nan)

    def scar(self, span):
        return self.car(span) / (self.sigma * np.sqrt(self.corrections[span]))

    def days(self):
        return np.isfinite(self.residuals).sum(axis=0)

    def rbar(self):
        found = []
        n = self.residuals.shape[1]
        for i, j in combinations(range(n), 2):
            a, b = self.residuals[:, i], self.residuals[:, j]
            a, b = a - np.nanmean(a), b - np.nanmean(b)
            both = np.isfinite(a) & np.isfinite(b)
            found.append((a[both] @ b[both]) / math.sqrt((a[both] @ a[both]) * (b[both] @ b[both])))
        return float(np.mean(found))


def tests(firms, span):
    """Every statistic over one span."""
    car, scar = firms.car(span), firms.scar(span)
    car, scar = car[np.isfinite(car)], scar[np.isfinite(scar)]
    n, rbar = car.size, firms.rbar()
    keep = np.isfinite(firms.car(span))
    days, p = firms.days(), firms.parameters
    q = (days - p) / (days - p - 2)
    path = np.array([np.nanmean(row) for row in firms.residuals])
    s_a = math.sqrt(((path - path.mean()) ** 2).sum() / (path.size - p))
    skew = n / ((n - 1) * (n - 2)) * ((car - car.mean()) ** 3).sum() / car.std(ddof=1) ** 3
    ratio = car.mean() / car.std(ddof=1)
    patell = scar.sum() / math.sqrt(q[keep].sum())
    bmp = math.sqrt(n) * scar.mean() / scar.std(ddof=1)
    p_hat = np.mean([(firms.residuals[:, i] > 0).sum() / days[i] for i in np.flatnonzero(keep)])
    w = (car > 0).sum()
    ranks = stats.rankdata(np.abs(car))
    corrado = {"raw": firms.abnormal, "zivney": None}
    return {
        "cross_sectional_t": math.sqrt(n) * ratio,
        "crude_dependence_t": car.mean() / (s_a * math.sqrt(len(firms.spans[span]))),
        "patell": patell,
        "adj_patell": patell / math.sqrt(1 + (n - 1) * rbar),
        "bmp": bmp,
        "adj_bmp": bmp * math.sqrt((1 - rbar) / (1 + (n - 1) * rbar)),
        "skewness_johnson": math.sqrt(n) * (ratio + skew * ratio**2 / 3 + skew / (6 * n)),
        "skewness_hall": math.sqrt(n) * (ratio + skew * ratio**2 / 3 + skew**2 * ratio**3 / 27 + skew / (6 * n)),
        "sign": (w - n / 2) / (0.5 * math.sqrt(n)),
        "generalised_sign": (w - n * p_hat) / math.sqrt(n * p_hat * (1 - p_hat)),
        "wilcoxon": (ranks[car > 0].sum() - n * (n + 1) / 4) / math.sqrt(n * (n + 1) * (2 * n + 1) / 24),
        "corrado_rank": corrado_rank(firms, span, corrado["raw"], firms.residuals),
        "corrado_zivney_rank": corrado_zivney(firms, span, "rank"),
        "corrado_zivney_sign": corrado_zivney(firms, span, "sign"),
        "grank_t": grank(firms, span)[0],
        "grank_z": grank(firms, span)[1],
    }


def uniform_ranks(values):
    out = np.full(values.shape, np.nan)
    for i in range(values.shape[1]):
        ok = np.isfinite(values[:, i])
        out[ok, i] = stats.rankdata(values[ok, i]) / (ok.sum() + 1) - 0.5
    return out


def corrado_rank(firms, span, event, estimation):
    scores = uniform_ranks(np.vstack([estimation, event]))
    n = scores.shape[1]
    d = np.array([np.nanmean(row) for row in scores])
    count = np.isfinite(scores).sum(axis=1)
    s = math.sqrt(np.mean(count / n * d**2))
    rows = [estimation.shape[0] + day for day in firms.spans[span]]
    return math.sqrt(len(rows)) * d[rows].mean() / s


def corrado_zivney(firms, span, kind):
    first = firms.residuals.shape[0]
    if kind == "rank":
        day_spans = {rows[0]: name for name, rows in firms.spans.items() if len(rows) == 1}
        sar = np.vstack([firms.scar(day_spans[day]) for day in range(firms.abnormal.shape[0])])
        spread = np.array([np.nanstd(row, ddof=1) for row in sar])
        scores = uniform_ranks(np.vstack([firms.residuals / firms.sigma, sar / spread[:, None]]))
    else:
        everything = np.vstack([firms.residuals, firms.abnormal])
        scores = np.sign(everything - np.nanmedian(everything, axis=0))
    z = np.array([np.nansum(row) / math.sqrt(np.isfinite(row).sum()) for row in scores])
    s = math.sqrt(np.mean(z**2))
    rows = [first + day for day in firms.spans[span]]
    return z[rows].sum() / (math.sqrt(len(rows)) * s)


def grank(firms, span):
    scar = firms.scar(span)
    star = scar / np.nanstd(scar, ddof=1)
    stacked = np.vstack([firms.residuals / firms.sigma, star])
    u = uniform_ranks(stacked)
    n, t = u.shape[1], u.shape[0]
    mean = np.array([np.nanmean(row) for row in u])
    count = np.isfinite(u).sum(axis=1)
    z = mean[-1] / math.sqrt(np.mean(count / n * mean**2))
    sizes = firms.days()[np.isfinite(scar)] + 1
    variance = ((sizes - 1) / (sizes + 1)).sum() / (12 * np.isfinite(scar).sum() ** 2)
    return z * math.sqrt((t - 2) / (t - 1 - z**2)), mean[-1] / math.sqrt(variance)
