"""The command as users run it: a subprocess, its exit code, its two streams."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aitheme.analysis import basket_returns
from aitheme.cli import main
from aitheme.store import open_market
from aitheme.themes import load_theme
from tests.conftest import write_archive


def aitheme(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from aitheme.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


def ok(*arguments):
    done = aitheme(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(*arguments):
    return list(csv.DictReader(io.StringIO(ok(*arguments, "--format", "csv"))))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    store = tmp_path_factory.mktemp("demo") / "store"
    report = json.loads(ok("refresh", "--source", "demo", "--data", store, "--format", "json"))
    assert report["status"] == "published"
    assert report["simulated"]
    return store


def test_refresh_again_changes_nothing(demo):
    again = json.loads(ok("refresh", "--source", "demo", "--data", demo, "--format", "json"))
    assert again["status"] == "unchanged"


def test_refresh_from_an_archive(tmp_path):
    root = write_archive(tmp_path / "archive")
    theme = Path(__file__).parents[1] / "toy_theme"
    text = ok(
        "refresh",
        "--source",
        "archive",
        "--archive",
        root,
        "--universe",
        "all",
        "--theme",
        theme,
        "--data",
        tmp_path / "s",
    )
    assert "published: market-" in text
    assert "volume was in lots of 100" in text
    (row,) = rows("returns", "acme-20230615/parts", "--from", "2023-02-01", "--to", "2023-06-30", "--theme", theme,
                  "--data", tmp_path / "s")  # fmt: skip
    assert (row["n_members"], row["n_used"], row["simulated"], row["source"]) == ("2", "2", "False", "archive")


def test_status_in_three_formats(demo):
    assert "sessions closed since the last bar" in ok("status", "--data", demo)
    state = json.loads(ok("status", "--data", demo, "--format", "json"))
    assert state["simulated"]
    assert {row["dataset"] for row in state["coverage"]} >= {"bars", "index_bars", "consensus"}
    assert [row["dataset"] for row in rows("status", "--data", demo)] == [row["dataset"] for row in state["coverage"]]


def test_pe_prints_the_reports_table_exactly(demo):
    """The simulated market is anchored at the printed closes, so every printed PE must come out."""
    table = rows("pe", "mszq-20240328", "--as-of", "2024-03-28", "--data", demo)
    printed = {
        row["symbol"]: [row["price"], row["pe_2022A"], row["pe_2023E"], row["pe_2024E"], row["rating"]] for row in table
    }
    assert printed == {
        "300133.SZ": ["9.44", "45", "38", "35", "推荐"],
        "300364.SZ": ["28.41", "/", "167", "118", "推荐"],
        "300182.SZ": ["5.75", "29", "23", "21", "推荐"],
        "603533.SH": ["29.42", "226", "245", "113", "/"],
        "300494.SZ": ["15.9", "19", "32", "24", "/"],
    }
    assert table[1]["eps_2022A"] == "-0.49"
    whole = json.loads(ok("pe", "mszq-20240328", "--as-of", "2024-03-28", "--data", demo, "--format", "json"))
    assert [year["n_loss"] for year in whole["basket_pe"]] == [1, 0, 0]
    assert whole["rows"][1]["pe_2022A"] is None
    before = json.loads(ok("pe", "mszq-20240328", "--as-of", "2024-03-27", "--data", demo, "--format", "json"))
    # The print was not public the day before: what counts is rebuilt from the brokers.
    assert before["rows"][1]["eps_2024E"] != whole["rows"][1]["eps_2024E"] == 0.24


def test_returns_json_is_the_librarys_answer(demo):
    (row,) = json.loads(
        ok("returns", "mszq-20240328/text-corpus", "--from", "2024-02-18", "--to", "2024-03-22", "--weight", "equal",
           "--rebalance", "none", "--data", demo, "--format", "json")
    )  # fmt: skip
    assert (row["start_session"], row["end_session"], row["n_members"], row["n_used"]) == (
        "2024-02-08",
        "2024-03-22",
        14,
        14,
    )
    with open_market(demo) as market:
        panel = market.panel(load_theme("ai").symbols("mszq-20240328/text-corpus"))
        level = panel.level.ffill()
        expected = (level.loc["2024-03-22"] / level.loc["2024-02-08"]).mean() - 1
        closes = market.index_closes(["000300.SH"])["000300.SH"]
        assert row["total_return"] == pytest.approx(expected, rel=1e-12)
        assert row["benchmark_return"] == pytest.approx(closes["2024-03-22"] / closes["2024-02-08"] - 1, rel=1e-12)
    assert row["excess_return"] == pytest.approx(row["total_return"] - row["benchmark_return"], rel=1e-12)
    assert row["simulated"] is True


def test_overseas_members_only_on_request(demo):
    options = ("--from", "2024-02-18", "--to", "2024-03-22", "--data", demo)
    (home,) = rows("returns", "mszq-20240328/text-corpus", *options)
    (both,) = rows("returns", "mszq-20240328/text-corpus", *options, "--include-overseas")
    assert (home["n_members"], both["n_members"]) == ("14", "15")
    assert home["total_return"] != both["total_return"]


def test_weights_rebalancing_and_benchmark_change_the_answer(demo):
    base = ("returns", "ai/media", "--from", "2023-06-30", "--to", "2024-03-22", "--data", demo)
    answers = {rows(*base, *extra)[0]["total_return"] for extra in ((), ("--weight", "cap"), ("--rebalance", "daily"))}
    assert len(answers) == 3
    (row,) = rows(*base, "--benchmark", "801760.SI")
    assert row["benchmark"] == "801760.SI"


def test_a_suspended_base_uses_the_last_close_before(demo):
    with open_market(demo) as market:
        symbols = load_theme("ai").symbols("ai/all")
        panel = market.panel(symbols)
        gone = panel.close.isna() & panel.close.ffill().notna()
        symbol = gone.columns[gone.any()][0]
        session = gone.index[gone[symbol]][0]
        result = basket_returns(market, load_theme("ai"), symbol, session.date(), panel.sessions[-1].date())
        known = panel.level[symbol].dropna()
        assert result.performance.n_used == 1
        expected = known.iloc[-1] / known[:session].iloc[-1] - 1
        assert result.performance.total_return == pytest.approx(expected)


def test_baskets_and_events_need_no_store():
    listed = rows("baskets")
    required = """mszq-20240328/text-corpus mszq-20240328/video-corpus mszq-20240328/applications mszq-20240328/coverage
    mszq-20240328/model-links glsc-20231229/compute glsc-20231229/models glsc-20231229/applications
    glsc-20231229/audio-video glsc-20231229/image glsc-20231229/office glsc-20231229/vertical hfzq-202402/multimodal
    hfzq-202402/office hfzq-202402/education-ecommerce-medical tfzq-20240309/office tfzq-20240309/multimodal
    tfzq-20240309/enterprise tfzq-20240309/finance-education-medical tfzq-20240309/infrastructure
    htsc-20230420/mentioned htsc-20230420/data-ip htsc-20230420/games ai/media ai/compute ai/applications ai/all"""
    assert set(required.split()) <= {row["basket"] for row in listed}
    members = rows("baskets", "mszq-20240328/video-corpus")
    assert {"symbol", "name", "exchange", "report", "section"} <= set(members[0])
    assert members[0]["symbol"] == "300133.SZ"
    early = {row["basket"] for row in rows("baskets", "--as-of", "2023-12-31")}
    assert "htsc-20230420/games" in early
    assert "mszq-20240328/text-corpus" not in early
    table = {row["event"]: row for row in rows("events")}
    assert len(table) >= 45
    assert table["sora-20240216"]["day0"] == "2024-02-19"
    assert table["kimi-20240318"]["day0"] == "2024-03-18"
    assert table["gemini-20231207"]["conflicts"]
    window = rows("events", "--since", "2024-03-01", "--until", "2024-03-31")
    assert all("2024-03" in row["day0"] for row in window)
    assert 0 < len(window) < len(table)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("baskets", "mszq-20240328/text"), "basket: 'mszq-20240328/text' is not one of the"),
        (("baskets", "mszq-20240328/text-corpus", "--as-of", "2024-01-01"), "lies before"),
        (("events", "--since", "2024-05-01", "--until", "2024-01-01"), "since: 2024-05-01 lies after until 2024-01-01"),
        (("events", "--since", "May"), "since: 'May' is not a date"),
        (("pe", "mszq", "--as-of", "2024-03-28", "--data", "{demo}"), "did you mean"),
        (("pe", "999999", "--as-of", "2024-03-28", "--data", "{demo}"), "999999"),
        (("pe", "百度", "--as-of", "2024-03-28", "--data", "{demo}"), "names 2 securities (09888.HK, BIDU.US)"),
        (("pe", "没有这家", "--as-of", "2024-03-28", "--data", "{demo}"), "symbol: '没有这家' is not a code"),
        (("pe", "300364", "--as-of", "2030-01-01", "--data", "{demo}"), "outside the store's data"),
        (("returns", "ai/all", "--from", "2024-03-22", "--to", "2024-02-18", "--data", "{demo}"), "lies after to"),
        (("returns", "ai/all", "--from", "1999-02-18", "--to", "2024-02-18", "--data", "{demo}"), "from: 1999-02-18 is outside"),
        (("returns", "ai/all", "--from", "2024-02-18", "--to", "2024-03-22", "--benchmark", "000905.SH", "--data", "{demo}"),
         "benchmark: '000905.SH'"),
        (("returns", "ai/all", "--from", "2024-02-18", "--data", "{demo}"), "Missing option '--to'"),
        (("returns", "ai/all", "--from", "2024-02-18", "--to", "2024-03-22", "--weight", "gdp"), "'gdp'"),
        (("status", "--data", "{tmp}/none"), "run `aitheme refresh"),
        (("refresh", "--source", "archive", "--data", "{tmp}/s"), "add --archive DIR"),
        (("refresh", "--source", "archive", "--archive", "{tmp}/none", "--data", "{tmp}/s"), "is not a folder"),
        (("refresh", "--source", "demo", "--archive", "{tmp}", "--data", "{tmp}/s"), "use --source archive"),
        (("refresh", "--source", "demo", "--universe", "world", "--data", "{tmp}/s"), "is not theme or all"),
        (("refresh", "--source", "demo", "--since", "2024-02-01", "--until", "2024-01-01", "--data", "{tmp}/s"), "swap them"),
        (("report", "nope", "--data", "{demo}", "--out", "{tmp}/b"), "report: 'nope'"),
        (("--theme",), "No such option"),
        (("baskets", "--theme", "robots"), "theme: 'robots'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_that_says_what_to_do(demo, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.setattr(sys, "argv", ["aitheme", *(str(a).format(demo=demo, tmp=tmp_path) for a in arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("SIMULATED")]
    assert stop.value.code == 2
    assert len(lines) == 1
    assert lines[0].startswith("aitheme: ")
    assert message in lines[0]


def test_bad_input_leaves_no_traceback_in_a_process_of_its_own(tmp_path):
    done = aitheme("refresh", "--source", "archive", "--archive", tmp_path / "none", "--data", tmp_path / "s")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("aitheme: archive: ")
    assert "Traceback" not in done.stderr


def test_data_directory_from_the_environment(demo):
    assert aitheme("status", AITHEME_DATA=str(demo)).returncode == 0


def test_starting_the_command_imports_nothing_heavy():
    heavy = ("pandas", "numpy", "duckdb", "altair", "akshare", "statsmodels", "pyarrow", "scipy")
    loaded = "import sys, aitheme, aitheme.cli.app, aitheme.cli.data, aitheme.cli.lists, aitheme.cli.analyse"
    code = f"{loaded}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def refused(*arguments):
    done = aitheme(*arguments)
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr


def test_screen_history_in_three_formats(demo):
    question = [
        "screen",
        "ret_60 > 0.1 and not st",
        "--history",
        "--since",
        "2023-10-01",
        "--until",
        "2024-03-31",
        "--data",
        demo,
    ]
    shown = ok(*question)
    assert "沪深300" in shown
    assert "limit-up and" in shown
    table = rows(*question)
    assert [row["month_end"] for row in table] == ["2023-10-31", "2023-11-30", "2023-12-29", "2024-01-31", "2024-02-29"]
    assert {"held", "return", "benchmark", "excess", "turnover", "limit_up", "suspended", "snapshot"} <= set(table[0])
    told = json.loads(ok(*question, "--format", "json"))
    assert len(told["rows"]) == 5
    assert told["statistics"]["periods"] == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--history", "--as-of", "2024-03-28"), "--as-of: '2024-03-28' has no meaning with --history"),
        (("--history", "--save", "x"), "--save: 'x' has no meaning with --history"),
        (("--since", "2024-01-01"), "--since: '2024-01-01' belongs to --history"),
        (("--history", "--since", "2024-05-10"), "holds no complete month"),
    ],
)
def test_screen_history_refuses_options_of_the_other_mode(demo, options, words):
    assert words in refused("screen", "ret_20 > 0", *options, "--data", demo)


def test_pe_then_and_now_and_in_another_currency(demo):
    told = json.loads(
        ok("pe", "mszq-20240328", "--as-of", "2024-05-20", "--since", "2023-12-29", "--data", demo, "--format", "json")
    )
    assert told["fiscal_year"] == 2024
    assert told["then"]["n_eps"] == 5
    assert told["rows"][0]["reason"] == ""
    assert "no rate CNYHKD was given" in ok("pe", "00772.HK", "--as-of", "2024-05-20", "--data", demo)
    assert "CNYHKD 1.08" in ok("pe", "00772.HK", "--as-of", "2024-05-20", "--rate", "CNYHKD=1.08", "--data", demo)
    assert "--rate: 'CNYHKD'" in refused("pe", "00772.HK", "--as-of", "2024-05-20", "--rate", "CNYHKD", "--data", demo)
