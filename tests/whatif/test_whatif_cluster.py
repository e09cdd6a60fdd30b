"""What-ifs on Dask: workers that crash, hang or run out of memory; a cluster of one's own, one worker of which is killed."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from disk import write_tiny

pytestmark = pytest.mark.slow

BASE = """
name = "night"
base = "estate.toml"
audit = 0
timeout_s = 60

[[adjust]]
name = "offices"
table = "sites"
column = "running_cost_gbp_pa"
where = { kind = "office" }

[[adjust]]
name = "hosting"
table = "sites"
column = "hosting_cost_gbp_m2_pa"

[[family]]
name = "costs"
kind = "sample"
count = COUNT
ranges = { "adjust.offices.factor" = [0.5, 1.5], "adjust.hosting.factor" = [0.1, 9.9] }
"""

# A program of its own, since workers are spawned: some scenarios of a hundred kill, hang or swell the worker that takes them.
BAD = """
import ctypes, sys, time
from pathlib import Path
from estate.whatif.batch import plan_batch
from estate.whatif.engine import Helper, answers, cluster
from estate.whatif.reuse import Evaluator


class Bad(Evaluator):
    marks = {}

    def answer(self, changes, special=None, *, time_s=None):
        match self.shared.marks.get(str(changes)):
            case "crash":
                ctypes.string_at(0)
            case "hang":
                time.sleep(3600)
            case "memory":
                raise MemoryError
        return super().answer(changes, special, time_s=time_s)


class BadHelper(Helper):
    def setup(self, worker):
        self.evaluator = Bad(self.shared)


def main():
    batch = plan_batch(Path(sys.argv[1]), Path(sys.argv[2]), lambda _: None)
    asks = list(batch.asks)
    marks = {str(asks[5].changes): "crash", str(asks[25].changes): "hang", str(asks[45].changes): "memory"}
    object.__setattr__(batch.shared, "marks", marks)
    with cluster("", 2) as client:
        rows = [row for some in answers(client, BadHelper("bad", batch.shared), asks, 8.0) for row in some]
    bad = {asks[i].hash: i for i in (5, 25, 45)}
    for row in rows:
        if row["status"] == "failed":
            print(bad.get(row["hash"]), row["reason"])
    print("rows", len(rows), "hashes", len({row["hash"] for row in rows}))


if __name__ == "__main__":
    main()
"""


def write(folder, count):
    place = write_tiny(folder)
    (place / "night.toml").write_text(BASE.replace("COUNT", str(count)))
    return place / "night.toml"


def estate(*arguments, **options):
    return [sys.executable, "-m", "estate", *map(str, arguments)], {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        **options,
    }


def test_a_crash_a_hang_and_a_full_memory_cost_one_scenario_each(tmp_path):
    file, program = write(tmp_path / "tiny", 100), tmp_path / "bad.py"
    program.write_text(BAD)
    folder = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, program, file, tmp_path / "maps"],
        capture_output=True, text=True, check=False, timeout=240, env={**os.environ, "PYTHONPATH": folder},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *failed, count = done.stdout.splitlines()
    assert count == "rows 101 hashes 101"
    reasons = dict(line.split(" ", 1) for line in failed)
    assert set(reasons) == {"5", "25", "45"}
    assert "died" in reasons["5"]
    assert "no answer within 8 seconds" in reasons["25"]
    assert reasons["45"] == "out of memory"


def test_twenty_kills_of_the_command_lose_nothing(tmp_path):
    file, draw = write(tmp_path / "tiny", 400), random.Random(3)
    command, options = estate("whatif", file, "--out", tmp_path / "maps", "--workers", 1, "-q")
    for _ in range(20):
        child = subprocess.Popen(command, **options, start_new_session=True)
        time.sleep(draw.uniform(1.0, 9.0))
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
    command, options = estate("whatif", file, "--out", tmp_path / "maps", "--workers", 1, "--json")
    done = subprocess.run(command, **options, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    rows = pd.read_parquet(tmp_path / "maps" / "night" / "scenarios.parquet")
    assert len(rows) == 401
    assert (rows["status"] == "optimal").all()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_a_scheduler_of_ones_own_and_a_worker_killed_half_way(tmp_path):
    file, address = write(tmp_path / "tiny", 600), f"tcp://127.0.0.1:{free_port()}"
    dask = Path(sys.executable).parent / "dask"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True, "cwd": tmp_path}
    started = [subprocess.Popen([dask, "scheduler", "--host", address, "--no-dashboard"], **quiet)]
    try:
        time.sleep(3)
        started += [
            subprocess.Popen([dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"], **quiet)
            for _ in range(2)
        ]
        command, options = estate("whatif", file, "--out", tmp_path / "maps", "--scheduler", address, "--json", text=True)
        child = subprocess.Popen(command, **options)
        for line in child.stderr:
            if line.startswith('{"done"') and json.loads(line)["done"] > 100:
                os.killpg(started[1].pid, signal.SIGKILL)
                break
        out, err = child.communicate(timeout=240)
        assert child.returncode == 0, err
        assert json.loads(out)["optimal"] == 601
    finally:
        for each in started:
            if each.poll() is None:
                os.killpg(each.pid, signal.SIGKILL)
            each.wait()
