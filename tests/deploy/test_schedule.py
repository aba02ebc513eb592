"""The timers, cron lines and Windows tasks that are shipped run commands the command line understands."""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from filelock import FileLock

from tests.conftest import PROJECT

SYSTEMD = PROJECT / "deploy" / "systemd"
TIMERS = sorted(SYSTEMD.glob("*.timer"))
CRONTAB = (PROJECT / "deploy" / "cron" / "crontab.example").read_text(encoding="utf-8")
SCHEDULING = (PROJECT / "docs" / "scheduling.md").read_text(encoding="utf-8")
CRON_LINE = re.compile(r"^(\S+ \S+ \S+ \S+ \S+) (.+)$")
WANTED = {
    ("refresh", "--source", "akshare", "--universe", "theme", "--datasets", "prices"): "16:50",
    ("refresh", "--source", "akshare", "--universe", "theme", "--datasets", "evening"): "20:30",
    ("status", "--check", "--max-stale", "2", "--max-failed", "3"): "08:30",
}
RECORDER = """#!{python}
import json, os, sys
with open(os.environ["RECORD"], "w") as handle:
    json.dump([sys.argv[1:], os.environ.get("AITHEME_DATA")], handle)
sys.exit(75)
"""


def unit(path):
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=False)
    parser.optionxform = str
    parser.read(path, encoding="utf-8")
    return parser


def aitheme(*arguments):
    line = [sys.executable, "-c", "from aitheme.cli import main; main()", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.fixture
def home(tmp_path):
    """A home directory whose ``aitheme`` writes down how it was called."""
    command = tmp_path / ".local" / "bin" / "aitheme"
    command.parent.mkdir(parents=True)
    command.write_text(RECORDER.format(python=sys.executable), encoding="utf-8")
    command.chmod(0o755)
    return tmp_path


def commands_of_timers():
    """Return (arguments, time of day) of every timer, instances and environment filled in."""
    found = {}
    for path in TIMERS:
        timer = unit(path)["Timer"]
        service, _, instance = timer.get("Unit", f"{path.stem}.service").removesuffix(".service").partition("@")
        body = unit(SYSTEMD / (f"{service}@.service" if instance else f"{service}.service"))["Service"]
        line = body["ExecStart"].replace("%i", instance).replace("${AITHEME_UNIVERSE}", "theme")
        days, _, clock, zone = timer["OnCalendar"].split()
        assert (days, zone, timer["Persistent"]) == ("Mon..Fri", "Asia/Shanghai", "true")
        found[tuple(shlex.split(line)[1:])] = clock[:5]
    return found


def test_the_timers_run_what_they_say_when_they_say():
    assert commands_of_timers() == WANTED


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_accepts_the_units(home):
    environment = os.environ | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    units = sorted(SYSTEMD.iterdir())
    assert len(units) == 5
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", *units], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
@pytest.mark.parametrize("path", TIMERS, ids=lambda path: path.stem)
def test_systemd_understands_the_calendar(path):
    wanted = unit(path)["Timer"]["OnCalendar"]
    done = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=10", wanted], capture_output=True, text=True, check=True,
        env=os.environ | {"TZ": "UTC", "LC_ALL": "C"},
    )  # fmt: skip
    stamps = re.findall(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) UTC", done.stdout)
    local = [
        datetime.fromisoformat(s).replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo("Asia/Shanghai")) for s in stamps
    ]
    assert len(local) == 10
    assert {f"{stamp:%H:%M}" for stamp in local} == {wanted.split()[2][:5]}
    assert {stamp.weekday() for stamp in local} == {0, 1, 2, 3, 4}


@pytest.mark.skipif(os.name == "nt", reason="cron")
def test_the_cron_lines_run_the_same_commands(home):
    found = {}
    for line in CRONTAB.splitlines():
        match = CRON_LINE.match(line)
        if line.startswith("#") or match is None:
            continue
        minute, hour, *rest = match[1].split()
        assert rest == ["*", "*", "1-5"]
        assert "%" not in match[2]  # cron would end the command there
        record = home / "record.json"
        done = subprocess.run(
            ["/bin/sh", "-c", match[2]], env={"HOME": str(home), "RECORD": str(record), "PATH": os.defpath}, check=False
        )
        assert done.returncode == 75  # what the command said reaches cron
        arguments, data = json.loads(record.read_text())
        assert data == str(home / "aitheme-data")
        found[tuple(arguments)] = f"{int(hour):02}:{int(minute):02}"
    assert found == WANTED
    assert "CRON_TZ=Asia/Shanghai" in CRONTAB


def test_the_windows_tasks_run_the_same_commands():
    found = {}
    for line in re.findall(r"^schtasks /Create (.+)$", SCHEDULING, re.MULTILINE):
        words = re.findall(r'"[^"]*"|\S+', line)
        options = dict(zip(words[::2], (word.strip('"') for word in words[1::2]), strict=True))
        assert (options["/SC"], options["/D"]) == ("WEEKLY", "MON,TUE,WED,THU,FRI")
        command = options["/TR"].split()
        assert command[0].endswith("aitheme.exe")
        found[tuple(command[1:])] = options["/ST"]
    assert found == WANTED


@pytest.mark.parametrize("arguments", [args for args in WANTED if args[0] == "refresh"], ids=lambda args: args[-1])
def test_the_command_line_understands_the_refreshes(arguments, tmp_path):
    done = aitheme(*arguments, "--dry-run", "--data", tmp_path, "--format", "json")
    assert done.returncode == 0, done.stderr
    datasets = {item["dataset"] for item in json.loads(done.stdout)}
    prices = {"bars", "index_bars", "securities", "suspensions"}
    assert (prices <= datasets) == (arguments[-1] == "prices")
    assert ({"consensus", "broker_forecasts", "dividends"} <= datasets) == (arguments[-1] == "evening")
    assert not (prices & datasets and "consensus" in datasets)


def test_the_command_line_understands_the_check(tmp_path):
    assert aitheme("refresh", "--source", "demo", "--data", tmp_path).returncode == 0
    (arguments,) = (args for args in WANTED if args[0] == "status")
    done = aitheme(*arguments, "--data", tmp_path)
    # The simulated market ends in 2024, so by now it is overdue.
    assert done.returncode == 2
    assert "problem: bars mainland: " in done.stderr


def test_an_overlapping_refresh_leaves_at_once(tmp_path):
    with FileLock(tmp_path / "refresh.lock"):
        done = aitheme("refresh", "--source", "demo", "--data", tmp_path)
    assert done.returncode == 75
    assert done.stderr == (
        f"aitheme: data: another refresh is writing {tmp_path}; wait for it to end, then try again\n"
    )


def test_an_unknown_dataset_and_a_source_that_gives_everything_are_refused(tmp_path):
    wrong = aitheme("refresh", "--datasets", "price", "--dry-run", "--data", tmp_path)
    assert wrong.returncode == 2
    assert "datasets: 'price' is not one of the" in wrong.stderr
    assert "did you mean prices" in wrong.stderr
    whole = aitheme("refresh", "--source", "demo", "--datasets", "bars", "--data", tmp_path)
    assert whole.returncode == 2
    assert "--datasets is for --source akshare" in whole.stderr
