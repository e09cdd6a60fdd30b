"""How a table of the run is shown on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spec:
    """A table of the run as the page shows it; without ``columns``, every column under a heading made of its name."""

    name: str
    title: str
    intro: str
    columns: Mapping[str, str]
    assumed: Mapping[str, str] = field(default_factory=dict)
    """Column = the input column whose being assumed makes it an assumed figure."""
