"""Settings that no parser likes are refused in words, and a reader that leaves or a full disk is borne."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import starter

from estate.errors import InputError, UsageError
from estate.load.sniff import ONLY_BELOW
from estate.report.tables import inert
from estate.scenario import load_scenario


@pytest.mark.parametrize("text", ["[" * 900 + "]" * 900, "9" * 10_000])
def test_settings_that_nest_or_count_without_end(tmp_path, text):
    folder = starter.make(tmp_path)
    with pytest.raises(UsageError, match=r"nested|digits"):
        load_scenario(folder, (f"page.tiles={text}",))
    (folder / "odd.toml").write_text(f'name = "odd"\nx = {text}\n')
    with pytest.raises(InputError, match=r"nested|digits"):
        load_scenario(folder / "odd.toml")


def test_a_chain_of_scenarios_ends(tmp_path):
    for n in range(1200):
        (tmp_path / f"s{n}.toml").write_text(f'name = "s"\nextends = "s{n + 1}.toml"\n')
    with pytest.raises(InputError, match="more than 20"):
        load_scenario(tmp_path / "s0.toml")


def test_paths_stay_below_the_folder_where_that_is_asked_for(tmp_path, monkeypatch):
    folder = starter.make(tmp_path)
    (folder / "sites.csv").rename(tmp_path / "sites.csv")
    (folder / "sites.csv").symlink_to(tmp_path / "sites.csv")
    assert len(starter.place_of(folder).sites)
    monkeypatch.setenv(ONLY_BELOW, "1")
    assert "not below the scenario's folder" in starter.refused(folder)


@pytest.mark.parametrize("cell", ["=1", "\uff1d1", "\u0085=1", " =1", "\uff0b44", "@x"])
def test_no_cell_is_a_formula(cell):
    assert inert(pd.DataFrame({"name": [cell]}))["name"][0].startswith("'")


def test_output_that_cannot_be_written_is_said():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "estate", "standards", "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 8
    assert "No space left" in done.stderr
