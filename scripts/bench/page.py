"""How big the planner's page is and how fast it shows, and how soon the command line answers.

    .venv/bin/python scripts/bench/page.py page       a county and a nation (10,000 sites): size, writing, paint
    .venv/bin/python scripts/bench/page.py start      `estate -h` against `python -c 'import click'`

Paint is Chromium's own first-contentful-paint, opened from disk with no network, median of five; the page's pictures of a nation
come from the same seeded run that the page's tests use.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The page and the start-up."""


@main.command()
@click.option("--json", "as_json", is_flag=True)
def page(*, as_json: bool) -> None:
    """Size, time to write and first contentful paint."""
    from playwright.sync_api import sync_playwright

    sys.path.insert(0, str(ROOT / "tests"))
    from page_fixture import county, nation

    from estate.page import render

    rows = []
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    flags = ["--disable-background-networking"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        for name, make in (("county", county), ("nation", nation)):
            run = make()
            begun = time.perf_counter()
            text = render(run)
            seconds = time.perf_counter() - begun
            file = Path(folder) / f"{name}.html"
            file.write_text(text, encoding="utf-8")
            paints = []
            for _ in range(RUNS):
                browser = p.chromium.launch(executable_path=browser_path, args=flags)
                tab = browser.new_page(viewport={"width": 1366, "height": 900})
                tab.goto(file.as_uri())
                paints.append(tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000)
                browser.close()
            rows.append(
                {
                    "page": name,
                    "sites": len(run.place.sites),
                    "zones": len(run.place.zones),
                    "megabytes": round(file.stat().st_size / 1e6, 2),
                    "write_s": round(seconds, 2),
                    "first_paint_s": round(statistics.median(paints), 2),
                }
            )
    show(rows, as_json=as_json)


@main.command()
@click.option("--json", "as_json", is_flag=True)
def start(*, as_json: bool) -> None:
    """How soon `estate -h` answers, in turn with the least that any click program needs; medians of five."""
    ways = {
        "estate -h": [sys.executable, "-m", "estate", "-h"],
        "import click": [sys.executable, "-c", "import click"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS + 1):
        for name, command in ways.items():
            begun = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
            seconds[name].append(time.perf_counter() - begun)
    rows = [{"command": name, "median_s": round(statistics.median(each[1:]), 3)} for name, each in seconds.items()]
    rows.append({"command": "ratio", "median_s": round(rows[0]["median_s"] / rows[1]["median_s"], 2)})
    show(rows, as_json=as_json)


def show(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"processors": os.cpu_count(), "rows": rows}))
        return
    for row in rows:
        click.echo("  ".join(f"{name} {value}" for name, value in row.items()))
    click.echo(f"processors {os.cpu_count()}, medians of {RUNS}")


if __name__ == "__main__":
    main()
