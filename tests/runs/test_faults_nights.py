"""Bad nights: disks that fill wherever it hurts, parts cut short, workers killed while they start, streams that are not there."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
import starter
from distributed import LocalCluster
from starter import snapshot

from estate.cli import group
from estate.cli.outcome import guarded
from estate.errors import BatchError
from estate.pipeline import publish
from estate.runs import staging
from estate.whatif import job as batch_job
from estate.whatif import workers
from estate.whatif.store import Store


@pytest.fixture
def run(published, capfd):
    """Drive ``estate run`` on the starter: exit code and what it said; what was published must be there as it was."""

    def drive(folder, *arguments):
        before = {k: v for k, v in snapshot(published).items() if not k.endswith(".lock")}
        code = guarded(group, ["run", str(folder), "--out", str(published), *arguments])
        assert {k: v for k, v in snapshot(published).items() if not k.endswith(".lock")} == before
        return code, " ".join("".join(capfd.readouterr()).split())

    return drive


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# -------------------------------------------------------------------------------------------------------------- disks


def test_a_disk_that_is_full_before_anything_is_written(tmp_path, run, monkeypatch):
    folder = starter.make(tmp_path)
    monkeypatch.setattr(staging.os, "write", full)
    code, said = run(folder)
    assert code == 8
    assert "the disk is full: free some space; what was published before is unharmed" in said


def test_a_disk_that_is_full_while_the_tables_are_read(tmp_path, run, monkeypatch):
    folder = starter.make(tmp_path)
    monkeypatch.setattr("estate.pipeline.prepare.load", full)
    code, said = run(folder)
    assert code == 8
    assert "cannot write: No space left on device" in said


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EDQUOT, "the quota is used up"), (errno.EFBIG, "ulimit -f"), (0, "a bug in")]
)
def test_a_database_that_cannot_grow_is_no_bug_where_the_disk_says_why(tmp_path, run, monkeypatch, number, words):
    def failed(*_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(publish, "write_geopackage", failed)
    monkeypatch.setattr(staging, "_refused", lambda _: number)
    code, said = run(starter.make(tmp_path))
    assert code == (8 if number else 1)
    assert words in said


def test_the_probe_tells_a_limit_of_size_from_room_enough(tmp_path):
    assert staging._refused(tmp_path) == 0
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, limits[1]))
    try:
        assert staging._refused(tmp_path / "not" / "there") == errno.EFBIG
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kb", [0, 64, 200])
def test_files_that_may_not_grow(tmp_path, kb):
    folder = starter.make(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "estate", "run", str(folder), "--out", str(tmp_path / "maps"), "-q"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kb * 1024, kb * 1024)),
    )
    assert done.returncode == 8, done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "maps" / "example").exists()


def test_a_folder_a_thousand_deep(tmp_path, capfd):
    folder = starter.make(tmp_path)
    assert guarded(group, ["run", str(folder), "--out", str(tmp_path / ("x/" * 1800)), "-q"]) == 8
    assert "the path is too long" in " ".join(capfd.readouterr().err.split())
    assert guarded(group, ["new", str(tmp_path / ("x/" * 1800))]) == 8


def test_a_folder_whose_name_is_too_long_for_a_database(tmp_path, capfd):
    folder, out = starter.make(tmp_path), tmp_path / "/".join(["x" * 200] * 4)
    assert guarded(group, ["run", str(folder), "--out", str(out), "-q"]) == 8
    assert "the path is too long" in " ".join(capfd.readouterr().err.split())


# -------------------------------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: data[:-40], lambda data: b""])
def test_a_part_cut_short_is_asked_again(tmp_path, spoil):
    store = Store(tmp_path / "store")
    store.prepare()
    rows = [{"hash": f"h{n}", "status": "optimal", "objective": float(n)} for n in range(9)]
    store.write(rows[:4])
    store.write(rows[4:])
    store.forget([each["hash"] for each in rows])
    (part,) = store.parts()
    assert part.name == "part-all.parquet"
    part.write_bytes(spoil(part.read_bytes()))
    store.write([{"hash": "later", "status": "optimal", "objective": 1.0}])
    assert store.damaged() == [part]
    assert store.known() == {"later"}
    store.prepare()
    assert not part.exists()
    assert list(store.read().index) == ["later"]


def test_a_page_of_a_part_that_changed_is_noticed(tmp_path):
    store = Store(tmp_path / "store")
    store.prepare()
    part = store.write([{"hash": f"{n:064}", "status": "optimal", "objective": n / 7} for n in range(500)])
    good = part.read_bytes()
    at = good.index(b"PAR1") + 200  # inside the first pages
    part.write_bytes(good[:at] + bytes([good[at] ^ 255]) + good[at + 1 :])
    assert store.damaged() == [part]


def starts(monkeypatch, failures):
    tried = []

    def start(**settings):
        tried.append(settings["n_workers"])
        if len(tried) <= failures:
            raise RuntimeError("Nanny failed to start.")
        return SimpleNamespace(spec=LocalCluster)

    monkeypatch.setattr(workers, "LocalCluster", start)
    return tried


@pytest.mark.parametrize(("failures", "tried"), [(0, [4]), (1, [4, 4]), (3, [4, 4, 2, 1])])
def test_a_worker_killed_while_it_starts_is_started_again(monkeypatch, failures, tried):
    found = starts(monkeypatch, failures)
    assert workers._started(4)
    assert found == tried


def test_workers_that_never_start_are_said(monkeypatch):
    starts(monkeypatch, 99)
    with pytest.raises(BatchError, match=r"no worker stays alive .*is memory short"):
        workers._started(2)


def test_a_batch_whose_base_failed_publishes_nothing():
    rows = pd.DataFrame([{"label": "base", "status": "failed", "reason": "its worker died"}])
    with pytest.raises(BatchError, match="no answer, so that nothing is published") as error:
        batch_job._base_is_there(rows)
    assert "its worker died" in str(error.value.issues[0])


# -------------------------------------------------------------------------------------------------------------- streams

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


def ended(*arguments, before=None, **environment):
    command = [sys.executable, "-m", "estate", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, preexec_fn=before, env={**os.environ, **environment}
    )
    assert "Traceback" not in done.stderr
    assert "a bug in" not in done.stderr
    return done.returncode


def test_streams_that_are_closed_or_without_letters(tmp_path):
    folder = starter.make(tmp_path)
    assert ended("standards", before=lambda: os.close(1)) == 0
    assert ended("check", str(folder), "--csv", before=lambda: os.close(1)) == 0
    assert ended("check", str(folder), "--csv", before=lambda: [os.close(n) for n in (0, 1, 2)]) == 0
    assert ended("standards", **ASCII) == 0


def test_a_pipe_that_closes_early():
    process = subprocess.Popen(
        [sys.executable, "-m", "estate", "schema", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.read(3)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert said == b""


# -------------------------------------------------------------------------------------------------------------- coordinates


@pytest.mark.parametrize(
    "cells",
    [
        {"lat": "1e308", "lon": "1e308"},
        {"lat": "52.1", "lon": "-1e308"},
        {"easting": "1e308", "northing": "-1e308"},
        {"wkt": "POINT (1e308 1e308)"},
    ],
)
def test_coordinates_beyond_all_measure(tmp_path, run, cells):
    folder = starter.make(tmp_path)
    records = [
        {**{k: v for k, v in each.items() if k not in ("easting", "northing")}, **cells}
        for each in starter.rows(folder, "sites")
    ]
    starter.write(folder, "sites", records)
    code, said = run(folder)
    assert code == 3
    assert "8 rows are nowhere in Great Britain: implausible coordinates" in said
