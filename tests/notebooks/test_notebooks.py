"""Every notebook runs from top to bottom on the synthetic market, and is kept without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
RICH = {  # what the last of their results is shown as, besides plain text
    "01_first_backtest": {"text/html", "image/png"},
    "02_sweep_and_overfitting": {"text/html", "image/png"},
    "03_walk_forward": {"text/html", "image/png"},
    "04_sectors_and_outliers": {"text/html", "image/png"},
    "05_from_backtest_to_live": {"text/html"},
}


def test_there_are_the_five_that_the_readme_promises():
    assert [path.stem for path in NOTEBOOKS] == list(RICH)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_tables_and_pictures(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert [it.text for it in outputs if it.get("name") == "stderr"] == []
    assert RICH[path.stem] <= {kind for it in outputs for kind in it.get("data", ())}
    assert all("exit code 0" in it.text for it in outputs if it.get("name") == "stdout")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
