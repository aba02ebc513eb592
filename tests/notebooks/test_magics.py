"""%screen and %%market in a real IPython shell."""

import pandas as pd
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import MagicsManager

import aitheme


@pytest.fixture
def shell(demo_store, monkeypatch):
    monkeypatch.setenv("AITHEME_DATA", str(demo_store))
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "aitheme")
    yield shell
    shell.run_line_magic("reset", "-f")
    shell.history_manager.end_session()


def said(shell, capsys, source):
    """Run a cell that fails and return what the analyst reads."""
    result = shell.run_cell(source)
    assert isinstance(result.error_in_exec, UsageError), result
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    return (captured.out + captured.err).strip()


def test_the_extension_adds_two_magics_and_nothing_more(monkeypatch):
    plain = InteractiveShell()
    before = {kind: set(magics) for kind, magics in plain.magics_manager.magics.items()}
    names = set(plain.user_ns)
    assert isinstance(plain.magics_manager, MagicsManager)
    plain.run_line_magic("load_ext", "aitheme")
    after = {kind: set(magics) for kind, magics in plain.magics_manager.magics.items()}
    assert after["line"] - before["line"] == {"screen"}
    assert after["cell"] - before["cell"] == {"market"}
    assert set(plain.user_ns) == names
    plain.history_manager.end_session()


def test_screen_gives_the_result_of_the_function(shell, demo_store):
    line = "ret_60 > 0.1 and in_basket('ai/all') and not st --as-of 2024-03-28 --order-by 'ret_60 asc' --limit 5"
    found = shell.run_cell(f"%screen {line}").result
    with aitheme.open_market(demo_store) as market:
        wanted = aitheme.screen(
            market,
            "ret_60 > 0.1 and in_basket('ai/all') and not st",
            as_of="2024-03-28",
            order_by="ret_60 asc",
            limit=5,
        )
    pd.testing.assert_frame_equal(found.frame, wanted.frame)
    assert found.expression == wanted.expression


def test_screen_takes_the_notebooks_variables(shell):
    shell.user_ns["day"] = "2023-06-30"
    found = shell.run_cell("%screen ret_20 > 0 --as-of {day} --show ret_5,ret_20 --universe ai/all").result
    assert str(found.as_of) == "2023-06-30"
    assert {"ret_5", "ret_20"} <= set(found.frame.columns)


def test_screen_prefers_the_notebooks_market(shell, monkeypatch, tmp_path, demo_store):
    monkeypatch.setenv("AITHEME_DATA", str(tmp_path / "nowhere"))
    shell.user_ns["market"] = aitheme.open_market(demo_store)
    assert shell.run_cell("%screen ret_20 > 0 --as-of 2024-03-28").result.matched > 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%screen ret_6O > 0.3", "ret_60"),
        ("%screen pe_fy1 < (select 1)", "subquer"),
        ("%screen", "the expression is missing"),
        ("%screen ret_60 > 0 --limit many", "invalid int value: 'many'"),
        ("%screen ret_60 > 0 --until 2024-03-28", "--until"),
        ("%screen ret_60 > 0 --as-of 28.3.2024", "28.3.2024"),
        ("%screen ret_60 > 0 --order-by 'ret_60", "close the quotes"),
        ("%screen ret_60 > 0 --data /nowhere/at-all", "/nowhere/at-all"),
    ],
)
def test_a_mistake_in_screen_is_one_clear_line(shell, capsys, line, words):
    text = said(shell, capsys, line)
    assert words in text
    assert len(text.splitlines()) == 1


def test_market_returns_rows_and_says_where_from(shell, capsys):
    found = shell.run_cell(
        "%%market\nSELECT symbol, close FROM bars WHERE session = '2024-03-28' ORDER BY symbol LIMIT 3"
    )
    assert list(found.result.columns) == ["symbol", "close"]
    assert len(found.result) == 3
    assert "SIMULATED 模拟数据 | demo market-" in capsys.readouterr().out


def test_market_keeps_rows_in_a_variable_and_takes_variables(shell, capsys):
    shell.user_ns["day"] = "2024-03-28"
    done = shell.run_cell("%%market rows\nSELECT count(*) AS n FROM bars WHERE session = $day::DATE")
    assert done.result is None
    assert shell.user_ns["rows"]["n"].item() > 300
    assert "rows: 1 rows, 1 columns" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%market\nDELETE FROM bars", "read-only"),
        ("%%market\nCOPY bars TO 'out.csv'", "read-only"),
        ("%%market\nATTACH 'other.duckdb'", "read-only"),
        ("%%market\nSELECT 1; SELECT 2", "one SELECT"),
        ("%%market\n-- nothing", "one SELECT"),
        ("%%market\nSELECT nothing FROM bars", "nothing"),
        ("%%market\nSELEC 1", "SELEC"),
        ("%%market\nSELECT $undefined_name", "$undefined_name is no variable"),
        ("%%market 1x\nSELECT 1", "'1x' is no variable name"),
        ("%%market rows more\nSELECT 1", "unrecognized arguments: more"),
    ],
)
def test_a_mistake_in_market_is_one_clear_line(shell, capsys, tmp_path, monkeypatch, cell, words):
    monkeypatch.chdir(tmp_path)
    text = said(shell, capsys, cell)
    assert words in text
    assert len(text.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_store_opened_by_a_magic_follows_a_new_snapshot(shell, tmp_path):
    from aitheme.notebook import fill_store
    from aitheme.sources import FetchRequest
    from aitheme.sources.demo import DemoSource
    from aitheme.store import StoreFiles, refresh

    fill_store("demo", tmp_path, universe="theme")
    query = f"%%market --data {tmp_path}\nSELECT count(*) AS runs FROM refresh_run"
    assert shell.run_cell(query).result["runs"].item() == 1
    refresh(StoreFiles(tmp_path), DemoSource(aitheme.load_theme("ai")), FetchRequest(), universe="all")
    assert shell.run_cell(query).result["runs"].item() == 2
