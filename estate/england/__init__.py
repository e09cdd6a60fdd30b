"""Any place in England, cut from folders of open lists: where counters and people are as published, all other figures assumed."""

from __future__ import annotations

from estate.england.areas import Area, area_of
from estate.england.lists import at_hand, read
from estate.england.place import Cut, cut, texts

__all__ = ["Area", "Cut", "area_of", "at_hand", "cut", "read", "texts"]
