"""Columns of a place's frames as arrays, for the formulas of this package."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]


def words(frame: pd.DataFrame, column: str) -> NDArray[np.object_]:
    """(n,) the column as text."""
    return frame[column].to_numpy(dtype=object)


def raw(frame: pd.DataFrame, column: str) -> Floats:
    """(n,) the column as floats, NaN where blank."""
    return frame[column].to_numpy(dtype=np.float64)


def numbers(frame: pd.DataFrame, column: str) -> Floats:
    """(n,) the column as floats, 0 where blank."""
    return np.nan_to_num(raw(frame, column))
