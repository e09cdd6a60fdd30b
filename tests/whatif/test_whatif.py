"""What-ifs: families of changes, answers from memory that equal cold ones, a store that survives, the page and the command."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import round_places
from disk import estate, write_tiny  # noqa: F401
from repository import ROOT

from estate.errors import BatchError, InputError, WriteError
from estate.pipeline.decide import decide
from estate.pipeline.job import run
from estate.problem import Goal
from estate.runs.files import read_run
from estate.runs.staging import locked
from estate.scenario import Adjust, digest, load_scenario, resolved
from estate.solve import solve
from estate.solve.columns.tied import multipliers, narrowed
from estate.standards.measured import Measured
from estate.whatif import batch as batches
from estate.whatif import job as jobs
from estate.whatif import locks_from, morning, workers
from estate.whatif import publish as nights
from estate.whatif.batch import plan_batch
from estate.whatif.figures import figures
from estate.whatif.interrupt import Interrupt
from estate.whatif.job import run_batch
from estate.whatif.patches import Facts, WhatIf, identity, items, read, scenario_of
from estate.whatif.programme import WholeModel, told
from estate.whatif.regions import proven
from estate.whatif.reuse import Evaluator
from estate.whatif.store import FAILED, Store

FILE = """
name = "night"
base = "estate.toml"
audit = 1

[[adjust]]
name = "offices"
table = "sites"
column = "running_cost_gbp_pa"
where = { kind = "office" }

[[adjust]]
name = "hosting"
table = "sites"
column = "hosting_cost_gbp_m2_pa"

[[adjust]]
name = "values"
table = "sites"
column = "market_value_gbp"

"""

SMALL = (
    FILE
    + """
[[family]]
name = "costs"
kind = "ranges"
regret = true
ranges = { "adjust.offices.factor" = [0.5, 1.5], "adjust.hosting.factor" = [0.2, 3.0] }

[[family]]
name = "more"
kind = "alternatives"
count = 2
differ_by = 1
"""
)


@pytest.fixture
def place(tmp_path):
    return write_tiny(tmp_path / "tiny")


@pytest.fixture
def small(place):
    (place / "night.toml").write_text(SMALL)
    return place / "night.toml"


@pytest.fixture
def batch(small, tmp_path):
    return plan_batch(small, tmp_path / "maps", lambda _: None)


# -------------------------------------------------------------------------------------------------- patches


def whatif(*families, **more):
    return WhatIf.model_validate({"name": "x", "family": families, **more})


FACTS = Facts((), (), (), ("a", "b", "c"), ("p", "q"), 900.0, 1000.0)


@pytest.mark.parametrize(
    ("family", "n"),
    [
        ({"kind": "grid", "axes": {"travel.detour": [1.1, 1.2], "solver.seed": [1, 2, 3]}}, 6),
        ({"kind": "list", "scenarios": [{"name": "one", "changes": {"travel.detour": 1.2}}]}, 1),
        (
            {
                "kind": "sample",
                "count": 7,
                "ranges": {"travel.detour": [1.0, 2.0]},
                "choices": {"rules.reach": ["1 km", "2 km"]},
            },
            7,
        ),
        ({"kind": "ranges", "ranges": {"travel.detour": [1.0, 2.0]}}, 2),
        ({"kind": "each-site"}, 6),
        ({"kind": "each-agency"}, 2),
        ({"kind": "frontier", "points": 5}, 5),
        ({"kind": "alternatives", "count": 3}, 3),
    ],
)
def test_families_come_to_what_they_say(family, n):
    found = items(whatif({"name": "f", **family}), FACTS)
    assert len(found) == n + 1
    assert len({(item.family, item.label) for item in found}) == n + 1
    assert [item.changes for item in found] == [item.changes for item in items(whatif({"name": "f", **family}), FACTS)]


def test_unrelated_patches_commute_and_the_same_settings_have_one_hash(place):
    base = load_scenario(place)
    settings = resolved(base)
    file = whatif({"name": "f", "kind": "each-site"}, adjust=[{"name": "x", "table": "sites", "column": "capacity_m2"}])
    changes = {"travel.detour": 1.7, "adjust.x.factor": 1.1, "rules.keep": ["hall", "clinic"]}
    there = scenario_of(file, base, settings, changes)
    back = scenario_of(file, base, settings, dict(reversed([*changes.items()])) | {"rules.keep": ["clinic", "hall"]})
    assert digest(there) == digest(back)
    assert identity(there, {}, "w") == identity(back, {}, "w")
    assert identity(there, {}, "w") != identity(there, {"rank": 1}, "w")
    assert digest(scenario_of(file, base, settings, {})) == digest(base)


@pytest.mark.parametrize("base", ["../estate.toml", "/etc/passwd", "a/../../estate.toml"])
def test_a_base_outside_the_folder_is_refused(place, base):
    (place / "night.toml").write_text(f'name = "x"\nbase = "{base}"\n[[family]]\nname = "s"\nkind = "each-site"\n')
    with pytest.raises(InputError, match="leaves the folder"):
        read(place / "night.toml")


def test_every_problem_of_a_file_is_told(place):
    (place / "night.toml").write_text('name = "X!"\nbsae = "e"\n[[family]]\nname = "s"\nkind = "gird"\n')
    with pytest.raises(InputError) as caught:
        read(place / "night.toml")
    assert len(caught.value.issues) >= 3


# -------------------------------------------------------------------------------------------------- answers

CHANGES = [
    {},
    {"rules.keep": ["station"]},
    {"rules.close": ["library"]},
    {"rules.close": ["village"]},
    {"rules.keep": ["jobcentre"], "rules.close": ["station"]},
    {"adjust.offices.factor": 0.3},
    {"adjust.offices.factor": 1.7, "adjust.hosting.factor": 2.5},
    {"adjust.hosting.factor": 0.1, "rules.keep": ["clinic"]},
    {"adjust.values.factor": 2.0},
    {"travel.detour": 1.9},
    {"rules.reach": "300 m"},
    {"services.library.reach": "300 m"},
    {"rules.out": ["dwp"]},
    {"money.objective": "annual-equivalent"},
    {"money.objective": "annual-equivalent", "rules.keep": ["station"]},
    {"money.objective": "least-farthest", "money.running_budget_gbp_pa": 400_000.0},
    {"rules.fixed": {}},
]


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: ", ".join(changes) or "base")
def test_an_answer_from_memory_is_the_cold_one_and_the_main_jobs(batch, changes):
    warm = batch.evaluator.answer(changes)
    cold = Evaluator(batch.shared, reuse=False).answer(changes)
    assert (warm.status, warm.value) == (cold.status, cold.value)
    assert figures(warm) == figures(cold)
    if warm.solution is None:
        assert cold.solution is None
        return
    np.testing.assert_array_equal(warm.solution.open, cold.solution.open)
    np.testing.assert_array_equal(warm.solution.host, cold.solution.host)
    scenario = batch.evaluator.scenario(changes)
    place = batch.evaluator.place(scenario)
    outcome = decide(replace(batch.prepared, measured=Measured.of(place, scenario, batch.evaluator.travel(scenario, place))))
    assert figures(warm)["objective"] == outcome.manifest["objective_value"]
    assert figures(warm)["baseline_gbp_pa"] == outcome.manifest["baseline_gbp_pa"]
    if warm.anchor.problem.goal is not Goal.COST:
        return  # told apart by cost, and no further
    assert warm.settled
    assert outcome.manifest["settled"]
    chosen = warm.anchor.formulation.plan(place, warm.solution)
    np.testing.assert_array_equal(chosen.host, outcome.plan.host)
    np.testing.assert_array_equal(chosen.open, outcome.plan.open)


@pytest.mark.parametrize("seed", range(24))
def test_of_equal_plans_a_batch_chooses_as_the_main_job_does(seed):
    """Places in round figures, full of ties; other costs and locks, and the multipliers of the first costs."""
    p = round_places.place(seed, sites=(5, 13))
    p = replace(p, shares=())
    rng = np.random.default_rng(seed)
    keep = (rng.random(p.n_sites) < 0.1) & ~p.must_close
    changed = replace(p, site_cost=p.site_cost * rng.choice([1, 1, 2], p.n_sites), pair_cost=p.pair_cost // 2)
    held = replace(changed, must_open=p.must_open | keep)
    theirs, first = solve(held), solve(p)
    found = WholeModel(p).solve(changed.site_cost, changed.pair_cost, keep=keep)
    dual = multipliers(p, first.value)
    ours = told(held, found, None, lambda less, value: narrowed(less, dual, value))
    assert theirs.settled
    assert ours.settled
    np.testing.assert_array_equal(ours.solution.host, theirs.solution.host)
    np.testing.assert_array_equal(ours.solution.open, theirs.solution.open)


def test_wrong_settings_are_said_to_be(batch):
    for changes in (
        {"rules.keep": ["nowhere"]},
        {"rules.keep": ["hall"], "rules.close": ["hall"]},
        {"adjust.offices.factor": -1.0},
    ):
        with pytest.raises(InputError):
            batch.evaluator.answer(changes)


def test_an_impossible_scenario_has_its_reason(batch):
    reply = batch.evaluator.answer({"rules.close": ["hall", "jobcentre", "library", "station", "village"]})
    row = workers.row_of(batch.evaluator, batches.Ask("h", {"rules.reach": "1 m", "rules.close": ["village"]}), 60)
    assert "optimal" not in (str(reply.status), row["status"])
    assert row["reason"]


def test_alternatives_differ_enough_and_come_in_order(batch):
    plans = [batch.base.solution]
    values = [batch.base.value]
    for rank in (1, 2):
        reply = batch.evaluator.answer({}, {"rank": rank, "differ_by": 1})
        assert all((reply.solution.open != plan.open).sum() >= 1 for plan in plans)
        plans.append(reply.solution)
        values.append(reply.value)
    assert values == sorted(values)


def test_the_price_of_a_site_is_two_re_solves(place, tmp_path):
    (place / "sites.toml").write_text(FILE + '[[family]]\nname = "sites"\nkind = "each-site"\n')
    night = plan_batch(place / "sites.toml", tmp_path / "maps", lambda _: None)
    rows = [workers.row_of(night.evaluator, batches.Ask("h", item.changes), 60) for item in night.items]
    frame = pd.DataFrame([{"kind": item.kind, "label": item.label, **row} for item, row in zip(night.items, rows, strict=True)])
    prices = morning.prices(frame, {}).set_index("site_id")
    base = run(place, out=tmp_path / "base").manifest["objective_gbp_pa"]
    site = prices.index[0]
    for column, setting in (("price_of_keeping_gbp_pa", "keep"), ("price_of_losing_gbp_pa", "close")):
        value = run(place, changes=(f'rules.{setting}=["{site}"]',), out=tmp_path / setting).manifest["objective_gbp_pa"]
        assert prices.loc[site, column] == pytest.approx(value - base, abs=0.005)


def test_no_point_of_the_frontier_is_dominated(place, tmp_path):
    (place / "f.toml").write_text(FILE + '[[family]]\nname = "f"\nkind = "frontier"\npoints = 5\n')
    night = plan_batch(place / "f.toml", tmp_path / "maps", lambda _: None)
    rows = [workers.row_of(night.evaluator, batches.Ask("h", item.changes), 60) for item in night.items]
    frame = pd.DataFrame([{"kind": item.kind, "label": item.label, **row} for item, row in zip(night.items, rows, strict=True)])
    points = morning.frontier(frame)
    assert len(points) >= 2
    assert points["running_cost_gbp_pa"].is_monotonic_increasing
    assert (np.diff(points["mean_m"]) < 0).all()


def test_a_region_is_the_hull_of_the_points_where_the_plan_is_best():
    """Best where 2 a + b <= 350 (per cent): points inside are held, those beyond are not, and few questions are asked."""
    levers = {name: Adjust(name=name, table="sites", column="running_cost_gbp_pa", factor=1.0) for name in "ab"}
    asked = []

    def at(a, b):
        return [levers["a"].model_copy(update={"factor": a}), levers["b"].model_copy(update={"factor": b})]

    def best_at(adjust):
        a, b = (each.factor for each in adjust)
        asked.append((a, b))
        return 2 * a + b <= 3.5 + 1e-9

    ranges = {name: (lever, 0.5, 1.5) for name, lever in levers.items()}
    region = proven(ranges, best_at, most=40)
    assert len(asked) <= 40
    for a in np.arange(0.5, 1.51, 0.07).round(2):
        for b in np.arange(0.5, 1.51, 0.07).round(2):
            if region.holds(at(a, b)):
                assert 2 * a + b <= 3.5
    assert region.holds(at(0.9, 1.4))
    assert region.holds(at(1.4, 0.6))
    assert region.holds([])
    assert not region.holds(at(1.2, 1.2))
    assert not region.holds(at(0.905, 1.0)), "not a whole per cent"
    assert proven(ranges, lambda _: False, most=40) is None
    assert proven(ranges, best_at, most=3) is None


def test_locks_reproduce_a_plan_and_one_change_is_solved_around_it(place, tmp_path):
    first = run(place, out=tmp_path / "maps")
    locks = locks_from(first.out, place)
    again = run(place, changes=locks, out=tmp_path / "again")
    np.testing.assert_array_equal(again.plan.host, first.plan.host)
    assert again.manifest["objective_gbp_pa"] == first.manifest["objective_gbp_pa"]


def test_what_the_committee_sets_overrides_a_lock(estate, place, tmp_path):  # noqa: F811
    first = run(place, out=tmp_path / "maps")
    read_in = first.prepared.place
    moved = int(np.flatnonzero(first.plan.host != read_in.point_site)[0])
    point, to = read_in.access_points.index[moved], read_in.sites.index[read_in.point_site[moved]]
    home = f'rules.fixed.{point}="{to}"'
    code, _, err = estate("run", place, "--locks-from", first.out, "--set", home, "--out", tmp_path / "again", "-q")
    assert code == 0, err
    again = read_run(next((tmp_path / "again").glob("*/run.json")).parent)
    assert again.plan.host[moved] == read_in.point_site[moved]


# -------------------------------------------------------------------------------------------------- the store


def fake(n):
    return {
        "hash": f"{n:064x}",
        "status": "optimal",
        "objective": float(n),
        "sites": [{"id": "a", "value": "hub"}],
        "seconds": 0.1,
    }


def test_twenty_kills_lose_nothing_and_double_nothing(tmp_path):
    """Each child writes what is missing, slowly, and is killed at a random moment."""
    draw, wanted = random.Random(7), {f"{n:064x}" for n in range(60)}
    for _ in range(20):
        child = os.fork()
        if not child:
            store = Store(tmp_path / "s")
            store.prepare()
            for n in sorted(int(h, 16) for h in wanted - store.known()):
                store.write([fake(n)])
            store.forget(wanted)
            os._exit(0)
        time.sleep(draw.uniform(0.002, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = Store(tmp_path / "s").read()
        assert found.index.is_unique
        assert (found["objective"] == [int(h, 16) for h in found.index]).all()
    store = Store(tmp_path / "s")
    store.prepare()
    store.write([fake(int(h, 16)) for h in sorted(wanted - store.known())] or [fake(0)])
    assert set(store.read().index) == wanted
    assert not list((tmp_path / "s").glob(".*.new"))


def test_failures_are_tried_again_and_an_answer_wins(tmp_path):
    store = Store(tmp_path / "s")
    store.prepare()
    store.write([{"hash": "a", "status": FAILED, "reason": "died"}, {"hash": "b", "status": "infeasible"}])
    assert store.known() == {"b"}
    store.write([{"hash": "a", "status": "optimal", "objective": 1.0}])
    assert store.read().loc["a", "status"] == "optimal"
    assert store.forget(["a"]) == 1
    assert list(store.read().index) == ["a"]


# -------------------------------------------------------------------------------------------------- the command


def test_a_batch_publishes_its_page_and_a_rerun_does_nothing(estate, small, tmp_path):  # noqa: F811
    out = tmp_path / "maps"
    code, said, _ = estate("whatif", small, "--out", out, "--dry-run", "--json")
    assert code == 0
    assert json.loads(said)["to_answer"] == 7
    code, said, err = estate("whatif", small, "--out", out, "--json")
    assert code == 0
    assert json.loads(said)["answered"] == 7
    assert json.loads(err.splitlines()[-1]) == {"done": 7, "of": 7, "failed": 0}
    page = (out / "night" / "index.html").read_text()
    assert "first run of this batch" in page
    assert "https://" not in page
    long = pd.read_parquet(out / "night" / "plan_sites.parquet")
    assert set(long.columns) == {"hash", "what", "id", "value"}
    code, said, _ = estate("whatif", small, "--out", out, "--json")
    assert json.loads(said)["answered"] == 0
    assert "with the same answers" in (out / "night" / "index.html").read_text()


def test_changed_inputs_are_answered_afresh_and_told(estate, small, tmp_path):  # noqa: F811
    out = tmp_path / "maps"
    estate("whatif", small, "--out", out, "-q")
    file = small.parent / "sites.csv"
    file.write_text(file.read_text().replace("45000.0", "46000.0"))
    code, said, _ = estate("whatif", small, "--out", out, "--json", "-q")
    assert code == 0
    assert json.loads(said)["answered"] == 7
    changed = json.loads((out / "night" / "batch.json").read_text())["changed"]
    assert changed["inputs"] == ["sites.csv"]
    assert changed["answers"]


def test_failures_end_with_9_and_the_rest_is_published(place, tmp_path):
    more = '[[family]]\nname = "bad"\nkind = "list"\nscenarios = [{ name = "typo", changes = { "rules.kepe" = ["hall"] } },'
    more += ' { name = "ghost", changes = { "rules.keep" = ["nowhere"] } }]\n'
    (place / "night.toml").write_text(FILE + more)
    with pytest.raises(BatchError) as caught:
        run_batch(place / "night.toml", out=tmp_path / "maps")
    assert caught.value.exit_code == 9
    assert len(caught.value.issues) == 2
    troubles = pd.read_csv(tmp_path / "maps" / "night" / "troubles.csv")
    assert set(troubles["label"]) == {"typo", "ghost"}


def test_a_second_ctrl_c_is_not_raised_into_what_the_first_is_putting_away():
    interrupt = Interrupt()
    with pytest.raises(KeyboardInterrupt):
        interrupt.receive(signal.SIGINT, None)
    interrupt.receive(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        interrupt.check()


def _cut_short(monkeypatch, where):
    """A step that meets Ctrl-C the way its library does: swallows it and gives a lesser answer, or fails in its own words."""

    def swallowed():
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    if where == "checking":  # a solver gives its best plan so far, which is not the one that was proven
        honest = batches.decide

        def decide_less(prepared):
            swallowed()
            outcome = honest(prepared)
            return replace(outcome, manifest={**outcome.manifest, "objective_value": 1.0})

        monkeypatch.setattr(batches, "decide", decide_less)
    elif where == "base":
        answer = Evaluator.answer

        def answer_less(*arguments, **more):
            swallowed()
            return answer(*arguments, **more)

        monkeypatch.setattr(Evaluator, "answer", answer_less)
    elif where == "packing":

        def pack(*_, **__):
            swallowed()
            raise TypeError("Could not serialize object")

        monkeypatch.setattr(jobs, "_answer", pack)
    else:
        render = nights.render_batch

        def render_slowly(found):
            swallowed()
            return render(found)

        monkeypatch.setattr(nights, "render_batch", render_slowly)


@pytest.mark.parametrize("where", ["base", "packing", "checking", "writing"])
def test_ctrl_c_at_any_stage_is_130_and_nothing_is_published(estate, small, tmp_path, monkeypatch, where):  # noqa: F811
    out = tmp_path / "maps"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
    try:
        with monkeypatch.context() as patched:
            _cut_short(patched, where)
            code, said, err = estate("whatif", small, "--out", out)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert code == 130, err
    assert "scenarios (" not in said
    assert "bug" not in err
    assert not (out / "night").exists()
    assert not list((out / ".runs").glob("night-*"))
    code, said, _ = estate("whatif", small, "--out", out, "--json")
    assert code == 0
    assert json.loads(said)["answered"] == (0 if where in ("checking", "writing") else 7)


def test_a_second_batch_is_refused_while_one_runs(small, tmp_path):
    with locked(tmp_path / "maps", "whatif-night"), pytest.raises(WriteError):
        run_batch(small, out=tmp_path / "maps")


def test_a_batch_never_takes_the_place_of_a_run(small, tmp_path):
    run(small.parent, changes=('name="night"',), out=tmp_path / "maps")
    with pytest.raises(InputError, match="is a run"):
        run_batch(small, out=tmp_path / "maps")


@pytest.mark.slow
def test_nightly_refuses_while_the_last_night_runs(small, tmp_path):
    import fcntl

    if not (ROOT / ".venv" / "bin" / "estate").exists() or not shutil.which("flock"):
        pytest.skip("needs .venv and flock")
    out = tmp_path / "maps"
    out.mkdir()
    with (out / ".nightly.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run([ROOT / "scripts" / "nightly", small, out], capture_output=True, check=False)
    assert done.returncode == 8
    done = subprocess.run([ROOT / "scripts" / "nightly", small, out], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (out / "night" / "index.html").exists()


@pytest.mark.page
def test_the_morning_page_is_accessible_and_knows_its_age(small, tmp_path, open_page, accessibility):
    run_batch(small, out=tmp_path / "maps")
    file = tmp_path / "maps" / "night" / "index.html"
    page = open_page(file)
    assert accessibility(page) == []
    assert not page.locator("#stale").is_visible()
    text = file.read_text()
    finished = text.split('data-finished="')[1][:4]
    file.write_text(text.replace(f'data-finished="{finished}', 'data-finished="2019'))
    old = open_page(file)
    assert "look whether the last run failed" in old.locator("#stale").inner_text()


def test_python_minus_m_runs_it(small, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "estate", "whatif", str(small), "--dry-run", "--out", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert b"8 scenarios" in done.stdout or b"7 scenarios" in done.stdout
