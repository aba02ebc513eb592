"""`aitheme lab`: JupyterLab with the notebooks, the analyst's own copies kept."""

import subprocess
import sys
import zipfile

import pytest

from aitheme.cli import lab
from aitheme.errors import AithemeError
from aitheme.notebook import copy_notebooks
from tests.conftest import PROJECT

NAMES = sorted(path.name for path in (PROJECT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def started(monkeypatch):
    """Calls of JupyterLab instead of JupyterLab."""
    calls = []

    def call(command):
        calls.append(command)
        return 0

    monkeypatch.setattr(lab.subprocess, "call", call)
    return calls


def command(*arguments):
    code = "import sys; from aitheme.cli import main; sys.argv[0] = 'aitheme'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "lab", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_it_copies_the_notebooks_and_starts_jupyterlab(tmp_path):
    done = command("--notebooks", str(tmp_path / "mine"), "--version")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"{len(NAMES)} notebooks copied to {tmp_path / 'mine'}"
    assert int(lines[1].split(".")[0]) >= 4  # JupyterLab's own answer to --version
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == NAMES


def test_an_edited_copy_is_kept_and_said(tmp_path):
    first = copy_notebooks(tmp_path)
    assert first.copied == tuple(NAMES)
    edited = tmp_path / NAMES[2]
    edited.write_text("mine", encoding="utf-8")
    (tmp_path / NAMES[3]).unlink()
    second = copy_notebooks(tmp_path)
    assert second.copied == (NAMES[3],)
    assert second.kept == (NAMES[2],)
    assert edited.read_text(encoding="utf-8") == "mine"
    assert f"kept: {edited} is yours" in second.lines()[1]
    edited.unlink()
    copy_notebooks(tmp_path)
    assert copy_notebooks(tmp_path).lines() == [f"notebooks in {tmp_path} are as packaged"]


def test_the_projects_own_folder_is_used_as_it_is():
    before = {name: (PROJECT / "notebooks" / name).stat().st_mtime_ns for name in NAMES}
    assert copy_notebooks(PROJECT / "notebooks").lines() == [f"notebooks in {PROJECT / 'notebooks'} are as packaged"]
    assert before == {name: (PROJECT / "notebooks" / name).stat().st_mtime_ns for name in NAMES}


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AithemeError, match="cannot be written"):
        copy_notebooks(tmp_path / "file")


def test_without_jupyterlab_it_says_what_to_install(monkeypatch, tmp_path, started):
    monkeypatch.setattr(lab, "find_spec", lambda _name: None)
    with pytest.raises(AithemeError, match=r"pip install 'aitheme\[notebook\]'"):
        lab.lab(None, tmp_path / "mine")
    assert not started
    assert not (tmp_path / "mine").exists()


def test_a_wheel_carries_the_notebooks_and_copies_them_out(tmp_path):
    """The installed package knows no checkout: its notebooks come from inside it."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--no-build-isolation", "--wheel-dir", str(tmp_path), str(PROJECT)],
        check=True, timeout=120,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
        inside = [name for name in packed.namelist() if name.endswith(".ipynb")]
    assert sorted(name.rsplit("/", 1)[1] for name in inside) == NAMES
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import aitheme.notebook as n\n"
        f"print(n.__file__); print(n.copy_notebooks({str(tmp_path / 'mine')!r}).lines()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path
    )
    origin, said = done.stdout.splitlines()
    assert origin.startswith(str(tmp_path / "site"))
    assert said == f"{len(NAMES)} notebooks copied to {tmp_path / 'mine'}"
    for name in NAMES:
        assert (tmp_path / "mine" / name).read_bytes() == (PROJECT / "notebooks" / name).read_bytes()
