"""The package as it is shipped: complete, light to import, and the same from a wheel."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(folder), "."]
    source = folder / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    subprocess.run(command, cwd=source, check=True)
    return next(folder.glob("*.whl"))


def test_every_module_travels_in_the_wheel_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "crossfw").rglob("*.py")} <= names
    assert all(name.startswith("crossfw") and "__pycache__" not in name for name in names)


def test_tasks_texts_and_templates_travel_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for task in (ROOT / "tasks").glob("*.toml"):
        assert f"crossfw/tasks/{task.name}" in names
    for path in [
        *(ROOT / "crossfw" / "report" / "templates").iterdir(),
        *(ROOT / "crossfw" / "data" / "text").iterdir(),
    ]:
        assert path.relative_to(ROOT).as_posix() in names


def test_a_run_from_the_unpacked_wheel(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); from crossfw.cli import main; main()"
    arguments = ["run", "srn_worked_example", "--implementations", "torch-nn", "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "index.html").is_file()


def test_the_readme_has_both_commands():
    text = (ROOT / "README.md").read_text()
    assert "pip install -c constraints.txt -e '.[all]' && crossfw run" in text
    assert "pip install -c constraints.txt -e '.[all]' && python -m pytest" in text


def test_importing_crossfw_is_light():
    code = "import sys, crossfw; print(sorted(m for m in ('numpy', 'pandas', 'mxnet', 'torch') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_readme_s_port_agrees(tmp_path):
    text = (ROOT / "README.md").read_text()
    port = re.search(r"```python\n(def mxnet_model.*?)```", text, re.DOTALL).group(1)
    (tmp_path / "port.py").write_text(port)
    arguments = [sys.executable, "-m", "crossfw", "verify", "port.py"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
