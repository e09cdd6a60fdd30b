"""The main job through the command line: what it prints, publishes and promises."""

import json
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from disk import estate, tree, write_tiny  # noqa: F401

from estate.pipeline import decide as deciding
from estate.pipeline import job
from estate.runs.files import read_run
from estate.runs.staging import staged

KEYS = {
    "status", "objective_gbp_pa", "bound_gbp_pa", "gap", "baseline_gbp_pa", "saving_gbp_pa", "receipts_gbp", "one_off_gbp",
    "sites_before", "sites_after", "hubs_before", "hubs_after", "moves", "verified", "repeatable", "out",
}  # fmt: skip


@pytest.fixture
def place(tmp_path):
    return write_tiny(tmp_path / "tiny")


def execution_apart(folder):
    found = tree(folder)
    manifest = json.loads(found.pop("run.json"))
    del manifest["execution"]
    return {**found, "run.json": json.dumps(manifest)}


def test_run_publishes_everything_and_json_is_one_object(estate, place, tmp_path):  # noqa: F811
    code, out, _ = estate("run", place, "--out", tmp_path / "maps", "--json")
    assert code == 0
    said = json.loads(out)
    assert set(said) >= KEYS
    assert said["status"] == "optimal"
    assert said["verified"] is True
    assert said["gap"] <= 1e-4
    assert said["certificate"]["share"] == 1.0
    assert said["saving_gbp_pa"] == pytest.approx(said["baseline_gbp_pa"] - said["objective_gbp_pa"])
    published = tmp_path / "maps" / "tiny"
    for name in ("index.html", "sites.csv", "moves.csv", "capital_receipts.csv", "access.csv", "zones.csv", "ledger.csv"):
        assert (published / name).stat().st_size
    for name in ("finance.xlsx", "plan.gpkg", "run.json"):
        assert (published / name).stat().st_size


def test_two_runs_give_the_same_bytes(estate, place, tmp_path):  # noqa: F811
    for name in ("a", "b"):
        assert estate("run", place, "--out", tmp_path / name, "-q")[0] == 0
    assert execution_apart(tmp_path / "a" / "tiny") == execution_apart(tmp_path / "b" / "tiny")


def test_row_order_never_matters(estate, place, tmp_path):  # noqa: F811
    assert estate("run", place, "--out", tmp_path / "a", "-q")[0] == 0
    for name in ("sites", "access_points", "zones", "agencies"):
        frame = pd.read_csv(place / f"{name}.csv", dtype=str, keep_default_na=False)
        frame.sample(frac=1, random_state=3).to_csv(place / f"{name}.csv", index=False)
    assert estate("run", place, "--out", tmp_path / "b", "-q")[0] == 0
    a, b = (execution_apart(tmp_path / name / "tiny") for name in ("a", "b"))
    for name in a:
        if name.endswith(".csv"):
            assert a[name] == b[name], name


def test_the_books_and_the_tables_add_up(estate, place, tmp_path):  # noqa: F811
    estate("run", place, "--out", tmp_path / "maps", "-q")
    run = read_run(tmp_path / "maps" / "tiny")
    sites, manifest = run.tables["sites"], run.manifest
    pence = np.rint(sites[["running_cost_before_gbp_pa", "running_cost_after_gbp_pa"]].to_numpy() * 100).sum(axis=0)
    assert pence.tolist() == [round(manifest["baseline_gbp_pa"] * 100), round(manifest["running_cost_gbp_pa"] * 100)]
    receipts = run.tables["capital_receipts"]
    assert set(receipts["site_id"]) == set(sites.loc[sites["after"] == "released", "site_id"])
    assert receipts["net_receipt_gbp"].sum() == pytest.approx(manifest["receipts_gbp"], abs=0.005)


def test_a_stored_run_verifies_after_it_is_moved(estate, place, tmp_path):  # noqa: F811
    estate("run", place, "--out", tmp_path / "maps", "-q")
    elsewhere = tmp_path / "usb stick" / "a run"
    shutil.copytree(tmp_path / "maps" / "tiny", elsewhere)
    shutil.rmtree(place)
    code, out, _ = estate("verify", elsewhere)
    assert code == 0
    assert "verified" in out


@pytest.mark.parametrize(
    ("table", "column", "change"),
    [("sites", "running_cost_after_gbp_pa", 0.01), ("sites", "area_used_after_m2", 0.1), ("ledger", "amount_gbp", 0.01)],
)
def test_a_changed_figure_is_caught(estate, place, tmp_path, table, column, change):  # noqa: F811
    estate("run", place, "--out", tmp_path / "maps", "-q")
    file = tmp_path / "maps" / "tiny" / f"{table}.csv"
    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    frame.loc[0, column] = f"{float(frame.loc[0, column] or 0) + change:.2f}"
    frame.to_csv(file, index=False)
    code, _, err = estate("verify", tmp_path / "maps" / "tiny")
    assert code == 7
    assert table in err


def test_changed_data_of_a_stored_run_is_refused(estate, place, tmp_path):  # noqa: F811
    estate("run", place, "--out", tmp_path / "maps", "-q")
    file = tmp_path / "maps" / "tiny" / "data" / "plan-sites.parquet"
    frame = pd.read_parquet(file)
    frame["open"] = ~frame["open"]
    frame.to_parquet(file)
    assert estate("verify", tmp_path / "maps" / "tiny")[0] == 3


def test_a_lying_solver_is_caught_and_nothing_is_published(estate, place, tmp_path, monkeypatch):  # noqa: F811
    from dataclasses import replace

    honest = deciding.solve

    def liar(problem, limits, **keywords):
        answer = honest(problem, limits, **keywords)
        return replace(answer, value=answer.value - 1, bound=answer.bound - 1)

    monkeypatch.setattr(deciding, "solve", liar)
    code, _, err = estate("run", place, "--out", tmp_path / "maps")
    assert code == 7
    assert "objective" in err
    assert not (tmp_path / "maps" / "tiny").exists()


def test_a_lost_access_point_is_caught(estate, place, tmp_path, monkeypatch):  # noqa: F811
    from dataclasses import replace

    honest = deciding.solve

    def loser(problem, limits, **keywords):
        answer = honest(problem, limits, **keywords)
        closed = answer.solution.open.copy()
        closed[answer.solution.host[0]] = False
        return replace(answer, solution=replace(answer.solution, open=closed))

    monkeypatch.setattr(deciding, "solve", loser)
    assert estate("run", place, "--out", tmp_path / "maps")[0] == 7


def test_inputs_that_change_during_the_run_stop_it(estate, place, tmp_path, monkeypatch):  # noqa: F811
    decide = job.decide

    def slow(*arguments, **keywords):
        outcome = decide(*arguments, **keywords)
        with (place / "sites.csv").open("a") as file:
            file.write("\n")
        return outcome

    monkeypatch.setattr(job, "decide", slow)
    code, _, err = estate("run", place, "--out", tmp_path / "maps")
    assert code == 3
    assert "sites.csv" in err
    assert "changed while the run was working" in err
    assert not (tmp_path / "maps" / "tiny").exists()


def test_a_failed_write_leaves_the_old_run(estate, place, tmp_path, monkeypatch):  # noqa: F811
    out = tmp_path / "maps"
    assert estate("run", place, "--out", out, "-q")[0] == 0
    before = tree(out / "tiny")

    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("estate.pipeline.publish.write_geopackage", full)
    code, _, err = estate("run", place, "--out", out, "--set", "travel.detour=1.2")
    assert code == 8
    assert "disk is full" in err
    assert tree(out / "tiny") == before
    assert not list((out / ".runs").glob(".*.writing"))


def test_a_second_run_at_once_is_refused(estate, place, tmp_path):  # noqa: F811
    out = tmp_path / "maps"
    with staged(out, "tiny", "tiny-held"):
        code, _, err = estate("run", place, "--out", out)
        assert code == 8
        assert "another run" in err


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ("travel.detuor=2", 2, "did you mean 'detour'"),
        ("solver.gap=95", 2, "less than or equal to 1"),
        ("standards.library-3-miles.limit=3 furlongs", 2, "is not a limit"),
        ("nonsense", 2, "key=value"),
    ],
)
def test_a_bad_set_says_what_would_be_right(estate, place, change, code, words):  # noqa: F811
    found, _, err = estate("run", place, "--set", change)
    assert found == code
    assert words in err


def test_require_optimal_publishes_and_says_5(estate, place, tmp_path, monkeypatch):  # noqa: F811
    from dataclasses import replace

    from estate.solve import Status

    honest = deciding.solve

    def stopped(problem, limits, **keywords):
        answer = honest(problem, limits, **keywords)
        bound = answer.bound * 0.9
        return replace(answer, status=Status.FEASIBLE, bound=bound, gap=0.1, stopped="time", repeatable=False)

    monkeypatch.setattr(deciding, "solve", stopped)
    code, _, err = estate("run", place, "--out", tmp_path / "maps", "--require-optimal")
    assert code == 5
    assert "gap" in err
    page = (tmp_path / "maps" / "tiny" / "index.html").read_text()
    assert "Proven best" not in page


def test_no_plan_found_is_6_and_writes_nothing(estate, place, tmp_path, monkeypatch):  # noqa: F811
    from dataclasses import replace

    from estate.solve import Status

    honest = deciding.solve

    def empty(problem, limits, **keywords):
        answer = honest(problem, limits, **keywords)
        return replace(answer, status=Status.UNKNOWN, solution=None, value=None, bound=None, gap=None, stopped="time")

    monkeypatch.setattr(deciding, "solve", empty)
    assert estate("run", place, "--out", tmp_path / "maps")[0] == 6
    assert not (tmp_path / "maps" / "tiny").exists()


def test_proven_infeasible_is_4_with_reasons(estate, tmp_path):  # noqa: F811
    standards = [{"name": "library", "service": "library", "limit": "10 m", "beyond": "strict"}]
    place = write_tiny(tmp_path / "tiny", standards=standards)
    code, _, err = estate("run", place, "--out", tmp_path / "maps")
    assert code == 4
    assert "library" in err
    assert not (tmp_path / "maps" / "tiny").exists()


def test_check_lists_and_exits_3_only_for_errors(estate, place):  # noqa: F811
    assert estate("check", place)[0] == 0
    frame = pd.read_csv(place / "access_points.csv", dtype=str, keep_default_na=False)
    frame.loc[0, "site_id"] = "nowhere"
    frame.loc[1, "area_m2"] = "-5"
    frame.to_csv(place / "access_points.csv", index=False)
    code, out, _ = estate("check", place, "--json")
    assert code == 3
    rows = {(each["file"], each["row"], each["column"]) for each in json.loads(out)["issues"] if each["severity"] == "error"}
    assert ("access_points.csv", 2, "site_id") in rows
    assert ("access_points.csv", 3, "area_m2") in rows


def test_doctor_and_standards(estate):  # noqa: F811
    code, out, _ = estate("doctor", "--json")
    assert code == 0
    assert json.loads(out)["solver"] == "ok"
    assert "post-office-2007" in estate("standards")[1]
    shown = estate("standards", "show", "post-office-2007")[1]
    assert "99% of people within 3 miles" in shown
    assert "Hansard" in shown
    assert estate("standards", "show", "nothing")[0] == 2


def test_compare_says_what_differs(estate, place, tmp_path):  # noqa: F811
    out = tmp_path / "maps"
    estate("run", place, "--out", out, "-q")
    estate("run", place, "--out", out, "-q", "--set", "name=other", "--set", 'rules.keep=["jobcentre", "station"]')
    code, said, err = estate("compare", out / "tiny", out / "other", "--json")
    assert code == 0, err
    found = json.loads(said)["differences"][0]
    assert {row["id"] for row in found["sites"]} >= {"jobcentre"}
    assert estate("compare", out / "tiny", out / "tiny")[1].count("the same buildings") == 1


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c(place, tmp_path, times):
    """Once: the best verified plan is published; twice: 130 and nothing."""
    script = (
        "import sys, threading, time\n"
        "from estate.pipeline import decide as deciding\n"
        "honest = deciding.solve\n"
        "def patient(problem, limits, **keywords):\n"
        "    print('searching', flush=True)\n"
        "    stop = keywords['stop']\n"
        "    while not stop.is_set(): time.sleep(0.05)\n"
        "    print('stopped', flush=True)\n"
        f"    time.sleep({0 if times == 1 else 30})\n"
        "    return honest(problem, limits)\n"
        "deciding.solve = patient\n"
        "from estate.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", script, "run", str(place), "--out", str(tmp_path / "maps")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for word in ("searching", "stopped")[:times]:
        assert process.stdout.readline().strip() == word
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == (0 if times == 1 else 130)
    assert (tmp_path / "maps" / "tiny" / "run.json").exists() == (times == 1)


@pytest.mark.parametrize("seconds", [1.0, 2.5, 4.0])
def test_a_killed_run_leaves_the_last_good_one(estate, place, tmp_path, seconds):  # noqa: F811
    out = tmp_path / "maps"
    assert estate("run", place, "--out", out, "-q")[0] == 0
    before = tree(out / "tiny")
    command = [sys.executable, "-m", "estate", "run", str(place), "--out", str(out), "--set", "travel.detour=1.25"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = tree(out / "tiny")
    assert found == before or json.loads(found["run.json"])["scenario"]["travel"]["detour"] == 1.25
    assert estate("run", place, "--out", out, "-q")[0] == 0
    assert not list((out / ".runs").glob(".*.writing"))
    assert (out / "tiny").readlink().parts[0] == ".runs"


def test_a_table_of_bus_minutes_stands_beside_the_straight_line(estate, tmp_path):  # noqa: F811
    """An r5py matrix as saved: the 20-minute limb of the Jobcentre rule is then tested, at the percentile that is asked for."""
    standards = [{"name": "dwp", "preset": "dwp-jobcentre-2017", "action": "forbid"}]
    tables = {"rates": "rates.csv", "travel": {"path": "bus.csv", "constants": {"mode": "transit"}}}
    place = write_tiny(tmp_path / "tiny", standards=standards, tables=tables)
    sites = pd.read_csv(place / "sites.csv")["site_id"]
    zones = pd.read_csv(place / "zones.csv")["zone_id"]
    rows = [(a, b, 15, 30) for a in [*sites, *zones] for b in sites if a != b]
    pd.DataFrame(rows, columns=["from_id", "to_id", "travel_time_p50", "travel_time_p75"]).to_csv(
        place / "bus.csv", index=False
    )
    moves = {}
    for percentile in (50, 75):
        out = tmp_path / f"p{percentile}"
        code, _, err = estate("run", place, "--out", out, "--set", f"travel.percentile={percentile}")
        assert code == 0, err
        assert "not tested" not in err
        moves[percentile] = "p4" in set(read_run(out / "tiny").tables["moves"]["access_point_id"])
    assert moves == {50: True, 75: False}
    code, _, err = estate("run", place, "--out", tmp_path / "p90", "--set", "travel.percentile=90")
    assert code == 3
    assert "travel_time_p90" in err


def test_a_certificate_is_published_checked_and_refused_when_it_claims_too_much(estate, place, tmp_path):  # noqa: F811
    code, out, _ = estate("run", place, "--out", tmp_path / "maps", "--public")
    published = tmp_path / "maps" / "tiny"
    file = published / "certificate.json"
    manifest = json.loads((published / "run.json").read_text())
    assert code == 0
    assert "follows from the tables (certificate.json)" in out
    assert "certificate.json" in manifest["files"]
    assert manifest["certificate"]["share"] == 1.0
    assert "follows from the tables" in (published / "index.html").read_text()
    assert not list(published.glob("public/**/certificate*"))
    assert "follows from the tables" not in (published / "public" / "index.html").read_text()
    code, out, _ = estate("verify", published, "--json")
    assert code == 0
    assert json.loads(out)["bound"] == manifest["certificate"]
    honest = file.read_text()
    for change in ('"bound_pence": 1', '"bound_pence": "', '"form": 9', '"cases": [], "x": ['):
        begin = change.split(": ")[0] + ": "
        assert begin in honest
        file.write_text(honest.replace(begin, change, 1))
        assert estate("verify", published)[0] in (3, 7), change
    file.unlink()
    assert estate("verify", published)[0] == 3
