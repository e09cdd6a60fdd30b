"""Runs on disk that another version of the program stored, and tables that nobody has told the reader about."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from page_fixture import town

from estate.errors import InputError
from estate.page import render
from estate.pipeline.judge import judge
from estate.report.tables import write_tables
from estate.runs.compare import differences
from estate.runs.files import read_run, write_data, write_manifest
from estate.runs.run import FORM, column_kinds, form_of


@pytest.fixture
def earlier(tmp_path) -> Path:
    """The tiny town as `estate run` stored it before runs had a form; its page, workbook and map layers are left empty."""
    folder = tmp_path / "tiny"
    with zipfile.ZipFile(Path(__file__).with_name("stored_run_form_1.zip")) as packed:
        packed.extractall(folder)
    return folder


def restated(folder: Path, **changes) -> None:
    manifest = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**manifest, **changes}))


def test_a_run_of_an_earlier_form_is_read_drawn_and_compared(earlier):
    run = read_run(earlier)
    assert form_of(run.manifest) == 1 < FORM
    assert set(run.tables) == {file.stem for file in earlier.glob("*.csv")}
    assert "released" in set(run.tables["sites"]["after"])
    assert "<html" in render(run)
    assert differences(run, run)["sites"] == []
    verdict = judge(run)
    assert verdict.cost_pence == round(run.manifest["running_cost_gbp_pa"] * 100)


def test_settings_that_are_no_longer_read_are_refused_by_name(earlier):
    scenario = json.loads((earlier / "run.json").read_text())["scenario"]
    restated(earlier, scenario={**scenario, "rules": {**scenario["rules"], "gone": True}})
    with pytest.raises(InputError) as caught:
        read_run(earlier)
    first, *rest = caught.value.issues
    assert first.code == "run.form"
    assert "stored by estate 0.1.0 in form 1" in first.message
    assert "run it again" in first.remedy
    assert any("gone" in each.message for each in rest)


def test_a_run_of_a_later_form_is_refused_by_name(earlier):
    restated(earlier, form=FORM + 1, versions={"estate": "9.9"})
    with pytest.raises(InputError) as caught:
        read_run(earlier)
    (issue,) = caught.value.issues
    assert f"stored by estate 9.9 in form {FORM + 1}" in issue.message


def test_a_new_table_comes_back_without_being_listed_anywhere(tmp_path):
    run = town()
    extra = pd.DataFrame({"id": ["007", "NA"], "amount_gbp": [1.5, 2.0]})
    tables = {**run.tables, "brand_new": extra, "nothing": pd.DataFrame()}
    run = replace(run, tables=tables, manifest={**run.manifest, "tables": column_kinds(tables)})
    write_data(tmp_path, run.place, run.travel, run.plan)
    write_tables(tmp_path, run.tables)
    write_manifest(tmp_path, run.manifest)
    back = read_run(tmp_path)
    assert list(back.tables) == list(run.tables)
    pd.testing.assert_frame_equal(back.tables["brand_new"], extra, check_dtype=False)
    assert back.tables["nothing"].empty
