"""The three ways to measure travel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd


@dataclass(frozen=True, slots=True)
class Straight:
    """Straight line x detour, at one average speed (km/h) a mode, and ``fixed_s`` seconds a mode that a journey takes besides."""

    detour: float
    speed_kmh: Mapping[str, float]
    fixed_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Streets:
    """Routes on a street network read from ``path``; points farther than ``warn_m`` metres from a street are reported."""

    path: Path
    warn_m: float = 500.0


@dataclass(frozen=True, slots=True, eq=False)
class OwnTable:
    """The user's own table; ``file`` is what to call it in messages."""

    frame: pd.DataFrame
    percentile: int = 50
    file: str = "travel"


type Way = Straight | Streets | OwnTable
