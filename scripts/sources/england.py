"""Any place in England, cut from the open lists and written as a place's folder."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from estate.england import area_of, at_hand, cut, read, texts
from estate.errors import EstateError
from estate.start.new import scenario_name

INPUTS = Path(__file__).resolve().parents[2] / "inputs"


def build(data: Path, name: str, out: Path | None) -> int:
    """Write the place; say which area was taken, what was found, and what was left out of the lists and why."""
    try:
        area = area_of(name)
        lists = read(at_hand(data))
        place = cut(lists, area)
    except EstateError as error:
        print(error.args[0], *error.issues, sep="\n  ", file=sys.stderr)
        return error.exit_code
    out = out or INPUTS / scenario_name(Path(area.name))
    out.mkdir(parents=True, exist_ok=True)
    for file, text in texts(place, scenario_name(out)).items():
        (out / file).write_text(text, encoding="utf-8", newline="\n")
    print(f"{area.name} ({area.kind}): {len(area.districts)} districts")
    for other in area.others:
        print(f"  the name also means {other}: ask for it so")
    for note in place.notes:
        print(f"  {note}")
    for (what, why), n in sorted(Counter((what, why) for what, _, why in lists.dropped).items()):
        print(f"  left out of the lists: {n} {what}: {why}")
    print(f"written: {out}")
    return 0
