"""A full or read-only disk at any step: one clear line, the last snapshot readable, and the next run succeeds."""

import hashlib
import os
import shutil
import subprocess
import sys

import pytest

from aitheme.store import StoreFiles, open_market
from tests.conftest import TOY_THEME
from tests.live import worker

DEMO = ("refresh", "--source", "demo", "--theme", TOY_THEME, "--universe", "theme", "--until")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and POSIX limits")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A store with one snapshot, from the simulated market up to February."""
    root = tmp_path_factory.mktemp("published")
    code, error = worker.command([*DEMO, "2024-02-29", "--data", root / "store"], root / "stderr")
    assert code == 0, error
    return root / "store"


@pytest.fixture
def store(published, tmp_path):
    return shutil.copytree(published, tmp_path / "store")


def refuses_and_recovers(store, tmp_path, until="2024-04-01", **trouble):
    """Refresh in trouble, look at the store, then refresh without; return the line the user saw."""
    before = StoreFiles(store).current()
    held = hashlib.sha256(before.read_bytes()).hexdigest()
    code, error = worker.command([*DEMO, until, "--data", store], tmp_path / "stderr", **trouble)
    lines = [line for line in error.strip().splitlines() if line.startswith("aitheme:")]
    assert code == 2, error
    assert "Traceback" not in error
    assert len(lines) == 1, error
    assert StoreFiles(store).current().name == before.name
    assert hashlib.sha256(before.read_bytes()).hexdigest() == held
    with open_market(store) as market:
        assert str(market.span[1]) == "2024-02-29"
    return lines[0]


def assert_recovers(store, tmp_path):
    code, error = worker.command([*DEMO, "2024-04-01", "--data", store], tmp_path / "stderr")
    assert code == 0, error
    with open_market(store) as market:
        assert str(market.span[1]) == "2024-04-01"


@pytest.mark.trial("disk full, by the size a file may have")
@pytest.mark.parametrize(
    "share", [0.3, 1.0, *(pytest.param(s, marks=pytest.mark.soak) for s in (0.01, 0.7, 1.01, 1.03))]
)
def test_disk_full_while_the_database_writes(store, tmp_path, share):
    """The limit is a share of the snapshot: it is met while copying, while writing, or at the checkpoint."""
    size = int(StoreFiles(store).current().stat().st_size * share)
    line = refuses_and_recovers(store, tmp_path, file_size=size)
    assert "could not be written" in line
    assert_recovers(store, tmp_path)


@pytest.mark.trial("disk full, at a step on a file")
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(("shutil.copyfile", "work.duckdb"), marks=pytest.mark.soak, id="copy of the snapshot"),
        pytest.param(("open", "CURRENT.tmp"), id="writing the pointer"),
        pytest.param(("os.rename", "snapshots"), marks=pytest.mark.soak, id="renaming the snapshot"),
        pytest.param(("os.rename", "CURRENT"), id="swapping the pointer"),
    ],
)
def test_disk_full_at_a_step(store, tmp_path, step):
    line = refuses_and_recovers(store, tmp_path, fail_at=step, root=store)
    assert "No space left on device" in line
    assert_recovers(store, tmp_path)


@pytest.fixture
def small_disk(published, tmp_path):
    """A file system with room for the store, and not much more."""
    place = tmp_path / "disk"
    place.mkdir()
    size = sum(path.stat().st_size for path in published.rglob("*") if path.is_file())
    mount = shutil.which("mount")
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or mount is None:
        pytest.skip("mounting a small disk needs root on Linux")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", f"size={int(size * 1.4)}", "tmpfs", place], check=False)
    if done.returncode:
        pytest.skip("this machine does not let us mount")
    yield shutil.copytree(published, place / "store")
    subprocess.run([shutil.which("umount"), place], check=True)


@pytest.mark.soak
@pytest.mark.trial("disk full, a real one")
def test_a_really_full_disk(small_disk, tmp_path):
    filler = small_disk.parent / "filler"
    with filler.open("wb") as handle:
        try:
            while True:
                handle.write(b"0" * 65536)
                handle.flush()
        except OSError:
            pass
    refuses_and_recovers(small_disk, tmp_path)
    filler.unlink()
    subprocess.run([shutil.which("mount"), "-o", "remount,size=64m", small_disk.parent], check=True)
    assert_recovers(small_disk, tmp_path)


@pytest.mark.soak
@pytest.mark.trial("read-only file system")
def test_a_read_only_file_system(small_disk, tmp_path):
    mount = shutil.which("mount")
    subprocess.run([mount, "-o", "remount,ro", small_disk.parent], check=True)
    line = refuses_and_recovers(small_disk, tmp_path)
    assert "cannot be written" in line
    subprocess.run([mount, "-o", "remount,rw,size=64m", small_disk.parent], check=True)
    assert_recovers(small_disk, tmp_path)


@pytest.mark.trial("read-only folder")
@pytest.mark.parametrize("part", ["", pytest.param("snapshots", marks=pytest.mark.soak)])
def test_read_only_folder(store, tmp_path, part):
    if os.geteuid() == 0 and not sys.platform.startswith("linux"):
        pytest.skip("file modes do not hold root up")
    folder = store / part
    folder.chmod(0o555)
    try:
        line = refuses_and_recovers(store, tmp_path, modes=True)
    finally:
        folder.chmod(0o755)
    assert "written" in line
    assert_recovers(store, tmp_path)
