"""Progress of a search on a terminal: best plan, bound and gap as they move; silent elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from estate.solve import Progress


@contextmanager
def shown(*, quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A progress callback that redraws one line; None when there is no terminal to draw on."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(Text(""), console=Console(stderr=True), refresh_per_second=8, transient=True) as live:

        def draw(now: Progress) -> None:
            best = "none yet" if now.best is None else f"{now.best / 100:,.0f}"
            bound = "none yet" if now.bound is None else f"{now.bound / 100:,.0f}"
            gap = "" if now.gap is None else f"  gap {now.gap:.2%}"
            live.update(Text(f"  {now.seconds:5.0f} s  best £{best}  bound £{bound}{gap}  (Ctrl-C: stop and keep the best)"))

        yield draw
