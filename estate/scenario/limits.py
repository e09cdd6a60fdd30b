"""Distances and times as settings, and the ranges that other settings use."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

METRES = {"m": 1.0, "metre": 1.0, "metres": 1.0, "km": 1000.0, "kilometre": 1000.0, "kilometres": 1000.0}


METRES |= {"mile": 1609.344, "miles": 1609.344, "mi": 1609.344}


SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "minute": 60.0, "minutes": 60.0}


_LIMIT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)\s*", re.IGNORECASE)


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Settings(BaseModel):
    """Frozen, and strict about names: a misspelt key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Metric(StrEnum):
    """What a limit measures."""

    DISTANCE = "distance_m"
    TIME = "time_s"


class Limit(Settings):
    """A distance or a time, as written (``3 miles``) and as used (``4828.032`` m).  A journey is within it when ``<= value``."""

    text: str
    value: Positive
    metric: Metric

    @model_validator(mode="before")
    @classmethod
    def parse(cls, given: Any) -> Any:
        """Read ``"3 miles"``, ``"1200 m"``, ``"4.8 km"`` or ``"20 minutes"``."""
        if not isinstance(given, str):
            return given
        match = _LIMIT.fullmatch(given)
        unit = match[2].lower() if match else ""
        if match and unit in METRES:
            return {"text": given.strip(), "value": float(match[1]) * METRES[unit], "metric": Metric.DISTANCE}
        if match and unit in SECONDS:
            return {"text": given.strip(), "value": float(match[1]) * SECONDS[unit], "metric": Metric.TIME}
        raise ValueError(f"'{given}' is not a limit: write a number and a unit, such as '3 miles', '1200 m', '20 min'")

    @model_serializer
    def as_written(self) -> str:
        """Stored and hashed as it was written."""
        return self.text
