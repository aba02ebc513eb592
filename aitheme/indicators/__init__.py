"""App metrics by stage: read an analyst's CSV, compute ratios and growth, decide which indicators matter now."""

from __future__ import annotations

from aitheme.indicators.metrics import METRICS, Metric
from aitheme.indicators.reading import IndicatorFileError, read_indicators, template_csv
from aitheme.indicators.stages import AppIndicators, StageRule, Verdict, app_indicators

__all__ = [
    "METRICS",
    "AppIndicators",
    "IndicatorFileError",
    "Metric",
    "StageRule",
    "Verdict",
    "app_indicators",
    "read_indicators",
    "template_csv",
]
