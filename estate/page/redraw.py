"""``estate map``: draw a stored run's page again, or its comparison, its public page, or one building's sheet."""

from __future__ import annotations

import re
from pathlib import Path

from estate.page.compare import render_comparison
from estate.page.evidence import beside, others
from estate.page.index import render
from estate.page.site import render_site
from estate.runs.files import read_run
from estate.runs.staging import writing


def redraw(
    run: str | Path,
    *,
    compare: str | Path | None = None,
    site: str | None = None,
    file: str | Path | None = None,
    public: bool = False,
) -> Path:
    """Draw a page of the run stored in a folder and write it; what was written is returned.

    A night of what-ifs that is published beside the run and speaks of it is brought onto its page (:mod:`estate.page.evidence`).
    Without ``file`` it goes beside the run's other files: ``index.html``, ``compare-<other>.html`` or ``site-<id>.html``, with
    ``public-`` before it for a page that may be published.

    Raises
    ------
    InputError
        When a folder holds no run, or the run has no such building.
    WriteError
        When the page cannot be written; one that was there before is unharmed.
    """
    folder = Path(run)
    stored = read_run(folder)
    if compare is not None:
        text, name = render_comparison(stored, read_run(compare), public=public), f"compare-{Path(compare).name}.html"
    elif site is not None:
        text, name = render_site(stored, site, public=public), f"site-{_safe(site)}.html"
    else:
        evidence, nights = (None, []) if public else (beside(folder, stored), others(folder, stored))
        text, name = render(stored, public=public, evidence=evidence, nights=nights), "index.html"
    target = Path(file) if file else folder / (f"public-{name}" if public else name)
    with writing(target.parent):
        new = target.with_name(f".{target.name}.new")
        new.write_text(text, encoding="utf-8", newline="\n")
        new.replace(target)
    return target


def _safe(text: str) -> str:
    """An id as part of a file name on any system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:80] or "building"
