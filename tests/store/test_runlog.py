"""The logs of a store rotate by size, lose no line, and survive what kills leave behind."""

import json

import pytest

from aitheme.store import StoreFiles, runlog
from aitheme.store.runlog import RunLog, past_runs


@pytest.fixture
def files(tmp_path):
    return StoreFiles(tmp_path)


def test_logs_rotate_and_lose_nothing_inside_the_window(files, monkeypatch):
    monkeypatch.setattr(runlog, "_BYTES", 2_000)
    for number in range(120):
        log = RunLog(files, pytest.fail)
        log.record({"run": number, "padding": "x" * 100})
        log.say(f"line {number} " + "y" * 100)
        log.close()
    kept = [run["run"] for run in past_runs(files)]
    assert len(kept) > 60
    assert kept == list(range(119, 119 - len(kept), -1))
    assert {path.name for path in files.root.glob("refresh.jsonl*")} == {
        "refresh.jsonl", *(f"refresh.jsonl.{n}" for n in range(1, 6)),
    }  # fmt: skip
    assert all(path.stat().st_size <= 2_000 for path in files.root.iterdir())
    assert "line 119 " in files.text_log.read_text(encoding="utf-8")


def test_a_torn_line_costs_itself_only(files):
    files.run_log.write_text('{"run": 1}\n{"run": 2, "star', encoding="utf-8")
    log = RunLog(files, pytest.fail)
    log.record({"run": 3, "name": "中文"})
    log.close()
    assert [run["run"] for run in past_runs(files)] == [3, 1]
    assert json.loads(files.run_log.read_text(encoding="utf-8").splitlines()[-1]) == {"run": 3, "name": "中文"}


def test_a_log_that_cannot_be_written_is_said_and_fails_nothing(files):
    files.run_log.mkdir()
    said = []
    log = RunLog(files, said.append)
    log.record({"run": 1})
    log.close()
    assert said
    assert all("the run log cannot be written" in line for line in said)
