"""Browser and office plumbing. The network is closed by pytest-socket (pyproject.toml); pages open offline."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Two cores shared with a solver make wall-clock deadlines a coin toss; pytest-timeout catches what hangs.
settings.register_profile("estate", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("estate")

# --no-sandbox only as root, which Chromium otherwise refuses. The rest keeps it from calling home.
CHROMIUM_ARGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]


def _program(names: list[str], what: str) -> str:
    """Return the first of `names` that is installed; without one skip, or fail where everything must run."""
    for name in names:
        if found := shutil.which(name):
            return found
    message = f"no {what} on this machine; scripts/test --install-system installs it"
    if os.environ.get("ESTATE_REQUIRE_BROWSER") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def soffice() -> str:
    """Path of LibreOffice, to open a workbook as a reader's spreadsheet would."""
    return _program(["soffice", "libreoffice"], "LibreOffice")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """An installed Chromium, as a Playwright Browser. Mark its tests `page`."""
    path = _program(["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"], "Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium) -> Iterator[Callable[..., Any]]:
    """Open a file in its own offline context and return the Playwright page: `open_page(path, viewport=...)`.

    The test fails at its end if the page asked for anything but files and data it already holds, logged an error, or
    threw one. `page.problems` lists them until then; a test that means to provoke some clears it.
    """
    opened = []

    def open_one(path: Path, **context_options: Any) -> Any:
        page = chromium.new_context(offline=True, **context_options).new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(f"error: {error}"))
        page.on("console", lambda m: page.problems.append(f"console: {m.text}") if m.type == "error" else None)
        page.on(
            "request",
            lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else page.problems.append(f"load: {r.url}"),
        )
        page.goto(Path(path).resolve().as_uri())
        opened.append(page)
        return page

    yield open_one
    problems = [problem for page in opened for problem in page.problems]
    for page in opened:
        page.context.close()
    assert problems == []


@pytest.fixture
def accessibility() -> Callable[[Any], list[str]]:
    """Run axe-core on an open page; what it finds, one line each: `assert accessibility(page) == []`."""
    from axe_playwright_python.sync_playwright import Axe

    def violations(page: Any) -> list[str]:
        found = Axe().run(page).response["violations"]
        return [f"{v['id']} ({v['impact']}): {v['help']}: {node['target']}" for v in found for node in v["nodes"]]

    return violations


@pytest.fixture
def published(tmp_path):
    """A folder of results with an earlier run in it."""
    maps = tmp_path / "maps"
    (maps / ".runs" / "key").mkdir(parents=True)
    (maps / ".runs" / "key" / "index.html").write_text("<p>yesterday")
    (maps / "example").symlink_to(Path(".runs") / "key")
    return maps
