"""Exhibits of app metrics, and the command that writes them."""

import json
import os
import subprocess
import sys

import pytest

from aitheme.charts.panels import compact
from aitheme.errors import UnknownNameError
from aitheme.exhibits.indicators import indicator_exhibits, stage_reason
from aitheme.indicators import app_indicators, read_indicators, template_csv
from tests.conftest import PROJECT


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("indicators") / "sample.csv"
    path.write_text(template_csv(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def result(sample):
    return app_indicators(read_indicators(sample))


def test_stage_table_says_why(result):
    table = {one.id: one for one in indicator_exhibits(result, source="sample.csv")}["stages"]
    assert list(table.data["stage"]) == ["发展初期", "成熟期"]
    assert "MAU同比" in table.data["why"].iloc[0]
    assert "付费渗透率10.6%≥5%" in table.data["why"].iloc[1]
    assert "sample.csv" in table.source
    assert "截至2024-04-30" in table.source
    assert "界限为本工具所设" in table.note


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_panels_hold_every_metric_of_their_stage(result, lang):
    exhibits = {one.id: one for one in indicator_exhibits(result, source="x", lang=lang)}
    growth, maturity = exhibits["growth-panel"], exhibits["maturity-panel"]
    assert set(growth.content.columns) == {
        "date", "app", "mau", "mau_yoy", "dau", "dau_mau", "time_spent", "downloads", "update_frequency",
    }  # fmt: skip
    assert set(maturity.content.columns) == {
        "date", "app", "revenue", "revenue_growth", "market_share", "paying_users", "paying_ratio", "arpu", "costs", "cost_ratio",
    }  # fmt: skip
    spec = growth.figure()
    lines = [layer for layer in spec["layer"] if isinstance(layer["mark"], dict) and layer["mark"]["type"] == "line"]
    assert len(lines) == 7
    drawn = sum(len(spec["datasets"][layer["data"]["name"]]) if "name" in layer["data"] else len(layer["data"]["values"])
                for layer in lines)  # fmt: skip
    assert drawn == int(growth.data.drop(columns=["date", "app"]).notna().sum().sum())


def test_revenue_mix(result):
    data = {one.id: one for one in indicator_exhibits(result, source="x")}["revenue-mix"].data
    assert data.groupby("app")["last"].sum().to_numpy() == pytest.approx([1.0, 1.0])


def test_what_the_file_lacks_is_said(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("date,app,mau\n2024-03,甲,1\n", encoding="utf-8")
    alone = app_indicators(read_indicators(path))
    exhibits = {one.id: one for one in indicator_exhibits(alone, source="one.csv")}
    assert exhibits["maturity-panel"].status == "unavailable"
    assert "revenue" in exhibits["maturity-panel"].reason
    assert "revenue_from_*" in exhibits["revenue-mix"].reason
    assert exhibits["growth-panel"].status == "ok"
    exhibits["growth-panel"].figure()
    assert (
        stage_reason(alone.verdicts[0], alone.rule, "en") == "fewer than two months of MAU, no growth can be computed"
    )
    with pytest.raises(UnknownNameError, match="lang"):
        indicator_exhibits(alone, source="x", lang="fr")


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [(45_200_000, "4,520万", "45.2m"), (1.2e8, "1.2亿", "120m"), (9999.6, "1万", "10k"), (12.5, "12.5", "12.5"),
     (0.001, "0.001", "0.001"), (0, "0", "0"), (-35_000, "-3.5万", "-35k")],
)  # fmt: skip
def test_compact_numbers(value, zh, en):
    assert (compact(value, "zh"), compact(value, "en")) == (zh, en)


def run(*arguments):
    command = [sys.executable, "-c", "from aitheme.cli import main; main()", "indicators", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, encoding="utf-8")


def test_command_writes_a_sample_once_and_draws_it(tmp_path):
    sample = tmp_path / "sample.csv"
    assert run("--template", sample).returncode == 0
    again = run("--template", sample)
    assert again.returncode == 2
    assert "choose a new file name" in again.stderr
    done = run(sample, "--out", tmp_path / "out", "--formats", "html,xlsx", "--lang", "en")
    assert done.returncode == 0, done.stderr
    assert "Growth (MAU +" in done.stdout
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert [entry["id"] for entry in manifest["exhibits"]] == [
        "stages",
        "growth-panel",
        "maturity-panel",
        "revenue-mix",
    ]
    assert all(entry["status"] == "ok" for entry in manifest["exhibits"])
    assert manifest["files"] == {"html": "index.html", "xlsx": "indicators.xlsx"}


def test_command_refuses_in_one_line(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("date,app,mau\n2024-03,甲,x\n", encoding="utf-8")
    for arguments, message in (((), "no file given"), ((bad,), "line 2, column mau: 'x' must be a number"),
                               ((bad, "--growth", "20"), "line 2")):  # fmt: skip
        done = run(*arguments)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr
