"""Signs that stand in a cell instead of a figure or a word: a spreadsheet's errors, suppressed figures, lost digits."""

from __future__ import annotations

import re

import pandas as pd

UNCALCULATED = "#UNCALCULATED!"
"""What the reader of workbooks writes for a formula whose value was never stored."""
MERGED = "#MERGED!"
"""What it writes where one figure is merged down several rows: filled, it would be counted once for each of them."""

_ERROR = (
    r"#(?:REF|VALUE|DIV/0|NUM|NULL|SPILL|CALC|FIELD|BLOCKED|CONNECT|UNKNOWN|BUSY|EXTERNAL|UNCALCULATED|MERGED)!"
    r"|#N/A|#NAME\?|#GETTING_DATA|\bErr:5[0-9][0-9]\b"
)
# Government statistics' shorthand ([c] confidential, [x] not available, [low] ...), what stood there before it (* .. - : c),
# bands (<5, 1-4), and rates among counts (12%).
_BANDS = r"[<>≤≥~] ?=? ?[0-9][0-9,.]*|[0-9]{1,3} ?(?:-|–|to) ?[0-9]{1,3}|[0-9.]+ ?%"
_SIGNS = r"\*+|\[[A-Za-z/ ]{1,12}\]|\.{1,3}|…|:|[-–—−]+|~"
_WORDS = r"n/?[akd]\.?|n\.[akd]\.?|nil|null|none|not (?:known|available|applicable)|unknown|suppressed|tb[cd]"
_LETTERS = r"[cxzskwuCXZSKWU]"
_MARK = re.compile(rf"(?:{_BANDS}|{_SIGNS}|{_WORDS}|{_LETTERS})", re.IGNORECASE)
_LETTER = re.compile(_LETTERS)
_LOST = r"[+-]?[0-9](?:\.[0-9]+)?[eE]\+[0-9]{1,3}"


def spoilt(text: pd.Series) -> pd.Series:
    """(n,) bool: which cells hold a spreadsheet's error, a formula that was never calculated, or one figure for many rows."""
    return text.str.contains(_ERROR, regex=True).astype(bool)


def why_spoilt(cell: str) -> tuple[str, str]:
    """What such a cell is, and how to mend it."""
    if UNCALCULATED in cell:
        remedy = "open the workbook in Excel or LibreOffice, let it calculate, and save it"
        return "holds a formula whose value is not stored in the file", remedy
    if MERGED in cell:
        return "is one figure merged over several rows", "unmerge the cells, and give each row its own figure"
    return "'{value}' is a spreadsheet's error, not a value", "mend the formula there and save again, or leave the cell blank"


def suppressed(text: pd.Series, among: pd.Series) -> pd.Series:
    """(n,) bool: which of some cells stand for a figure that is withheld or unknown (``*``, ``<5``, ``c``, ``[x]``, ``n/a``)."""
    return _matching(_MARK, text, among)


def single_letters(text: pd.Series, among: pd.Series) -> pd.Series:
    """(n,) bool: which of those marks are one letter, and might as well be labels."""
    return _matching(_LETTER, text, among)


def _matching(pattern: re.Pattern[str], text: pd.Series, among: pd.Series) -> pd.Series:
    found = among.to_numpy(dtype=bool).copy()
    found[found] = [bool(pattern.fullmatch(cell)) for cell in text[found]]
    return pd.Series(found, index=text.index)


def lost_digits(text: pd.Series) -> pd.Series:
    """(n,) bool: which cells were written in scientific notation (``1.0012E+11``), so that an id has lost its digits."""
    return text.str.fullmatch(_LOST).astype(bool)
