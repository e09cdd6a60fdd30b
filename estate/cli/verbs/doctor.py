"""``estate doctor``: whether this machine is ready."""

from __future__ import annotations

import platform
import shutil
from importlib import metadata

import click

from estate.cli.options import JSON
from estate.cli.outcome import emit_json, say


@click.command("doctor", short_help="Versions, self-test, what is missing.")
@JSON
def command(*, as_json: bool) -> int:
    """Print versions, solve a small problem with a known answer, and say what optional parts are missing."""
    from estate.errors import EstateError
    from estate.pipeline.manifest import PACKAGES

    versions = {name: metadata.version(name) for name in PACKAGES}
    try:
        solver = self_test()
    except EstateError as error:
        solver = str(error)
    browsers = ("chromium", "chromium-browser", "google-chrome")
    optional = {
        "a Chromium browser (only for the page tests)": any(shutil.which(name) for name in browsers),
        "LibreOffice (only for the workbook test)": shutil.which("soffice") is not None,
    }
    ok = solver == ""
    if as_json:
        python = platform.python_version()
        emit_json({"ok": ok, "python": python, "versions": versions, "solver": solver or "ok", "optional": optional})
        return 0 if ok else 3
    say(f"Python {platform.python_version()} on {platform.platform()}")
    for name, version in versions.items():
        say(f"  {name:10} {version}")
    say(f"Solver self-test: {'right' if ok else solver}")
    for name, there in optional.items():
        say(f"{'found' if there else 'missing'}: {name}")
    return 0 if ok else 3


def self_test() -> str:
    """Solve a two-site problem whose answer is known by hand; blank when it is right, else what is wrong."""
    import numpy as np

    from estate.problem import Problem
    from estate.solve import Status, solve

    # Two points of one service, own areas 6 and 5, at sites that cost 10 and 9 and hold 12: both fit in the cheaper site.
    problem = Problem(
        n_services=1,
        site_cost=np.array([10, 9]),
        site_capacity=np.array([12, 12]),
        point_service=np.zeros(2, dtype=np.int64),
        point_own=np.array([6, 5]),
        point_hall=np.zeros(2, dtype=np.int64),
        point_desk=np.zeros(2, dtype=np.int64),
        pair_point=np.array([0, 0, 1, 1]),
        pair_site=np.array([0, 1, 0, 1]),
        pair_cost=np.zeros(4, dtype=np.int64),
        point_home=np.array([0, 1]),
        site_slack=np.zeros(2, dtype=np.int64),
        must_open=np.zeros(2, dtype=bool),
        must_close=np.zeros(2, dtype=bool),
    )
    answer = solve(problem)
    right = answer.status is Status.OPTIMAL and answer.value == 9
    return "" if right else f"wrong: expected 9, proven; got {answer.value}, {answer.status}"
