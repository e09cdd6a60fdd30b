"""NHS estates returns (ERIC) by site: floor areas, running costs and repairs outstanding.

The returns of 2015-16 give costs by site and are used for the sites they list; those of 2013-14, which list the small
sites one by one but no costs of running them, give the floor area of the others.  Rows called AGGRE add many small
sites together and are never a site.  Finance costs (capital charges) are not a cost of running and are left out.
"""

from __future__ import annotations

from pathlib import Path

from .common import Row, read

_BACKLOG = tuple(f"Cost to eradicate {risk} risk backlog (£)" for risk in ("high", "significant", "moderate", "low"))


class Eric:
    """Figures of a site by its code; a zero counts as not given."""

    def __init__(self, late: Path, early: Path | None = None) -> None:
        self._late = self._read(late)
        self._early = self._read(early) if early else {}
        both = {**self._early, **self._late}
        self.names = {code: both[code]["Site Name"].title() for code in sorted(both)}

    @staticmethod
    def _read(path: Path) -> dict[str, Row]:
        return {row["Site Code"]: row for row in read(path)}

    def area(self, code: str) -> tuple[float, str]:
        """Gross internal floor area in m2, and the year of the return."""
        if code in self._late:
            return float(self._late[code]["Gross internal floor area (m²)"]), "2015-16"
        return float(self._early[code]["Gross internal site floor area (m²)"]), "2013-14"

    def cost(self, code: str) -> float | None:
        """Hard and soft facilities management of 2015-16, GBP a year."""
        if code not in self._late:
            return None
        row = self._late[code]
        total = float(row["Hard FM (Estates) costs (£)"]) + float(row["Soft FM (Hotel services) costs (£)"])
        return total or None

    def backlog(self, code: str) -> tuple[float, str] | None:
        """Cost of all repairs outstanding, GBP, and the year of the return."""
        row, year = (self._late[code], "2015-16") if code in self._late else (self._early[code], "2013-14")
        total = sum(float(row[column] or 0) for column in _BACKLOG)
        return (total, year) if total else None
