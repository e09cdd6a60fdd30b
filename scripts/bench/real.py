"""Real places through the main pipeline: ours against the same model in PuLP and HiGHS, same cores, same clock, in one run.

A case is a place (cut from the open lists, or one that is there already), a reach, an objective and a rule.  Each side solves the
same arrays in a process of its own, one after the other on the same cores, so that its memory and its processor time are its own.
Ours is the product's search as it comes, asked to prove to the penny; HiGHS stops at its own default of 0.01%.  A plan is
*worse* when it costs a pound a year more than the other side's at that moment, or when there is none and the other has one.
"""

from __future__ import annotations

import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARKS = (5, 10, 30, 60, 120)
"""Seconds at which the best plan is told; ours is held against what the other side had at half that time."""
PROVEN = 1e-4
"""The gap at which either side's plan counts as proven (the product's own definition)."""
ONE_POUND = 100
"""Pence a year by which a plan must cost more to be worse: both sides' sums are rounded."""
GRACE_S = 120.0
"""Seconds over its limit after which a side is stopped for good; it then counts as having nothing."""

AREAS = (
    "Warwickshire", "Shropshire", "Cornwall", "Durham", "Oxfordshire", "Leicestershire", "Kent", "Cumbria", "Derbyshire", "Devon",
    "Dorset", "East Sussex", "Gloucestershire", "Herefordshire", "Lincolnshire", "Norfolk", "North Yorkshire", "Nottinghamshire",
    "Somerset", "Staffordshire", "Suffolk", "Wiltshire", "Worcestershire", "Greater Manchester", "West Midlands",
    "West Yorkshire", "London",
)  # fmt: skip
REACHES = ("5", "10", "30", "none")
OBJECTIVES = ("running-cost", "annual-equivalent")
RULES = ("none", "budget", "payback", "hubs", "apart", "shares")
BUDGET_GBP_A_POINT = 20_000
PAYBACK_YEARS = 3
MOST_HUBS = 1
APART = (("jobcentre", "library"), ("police_desk", "council_office"))
SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Case:
    """What is solved: ``place`` is an area's name, or the scenario file of a place that is there."""

    place: str
    reach: str
    objective: str
    rule: str
    ready: bool = False

    @property
    def key(self) -> str:
        """Names the case in the results."""
        return f"{self.place} | {self.reach} | {self.objective} | {self.rule}"


def cases(
    areas: Sequence[str], places: Sequence[Path], reaches: Sequence[str], objectives: Sequence[str], rules: Sequence[str]
) -> list[Case]:
    """Every combination, places outermost."""
    named = [(str(place), True) for place in places] + [(area, False) for area in areas]
    return [Case(p, r, o, rule, ready) for p, ready in named for r in reaches for o in objectives for rule in rules]


# ------------------------------------------------------------------------------------------------------------- problems


class Door:
    """From a case to its arrays, through the pipeline; a place is cut once."""

    def __init__(self, folder: Path | None, work: Path) -> None:
        self._folder, self._work = folder, work
        self._lists: Any = None
        self._cut: dict[str, Path] = {}

    def scenario_file(self, case: Case) -> Path:
        """The place's own, or its cut written into the working folder, without a reach."""
        if case.ready:
            return Path(case.place)
        if case.place not in self._cut:
            from estate.england import area_of, at_hand, cut, read, texts

            if self._lists is None:
                self._lists = read(at_hand(self._folder))
            folder = self._work / f"place-{len(self._cut)}"
            folder.mkdir()
            files = texts(cut(self._lists, area_of(case.place)), f"place-{len(self._cut)}")
            lines = files["estate.toml"].splitlines(keepends=True)
            files["estate.toml"] = "".join(line for line in lines if not line.startswith("reach = "))
            for name, text in files.items():
                (folder / name).write_text(text, encoding="utf-8")
            self._cut[case.place] = folder / "estate.toml"
        return self._cut[case.place]

    def problem(self, case: Case) -> tuple[Any, int, dict[str, float]]:
        """The arrays, the constant part of the objective in pence, and the sizes and seconds of the way there."""
        from estate.formulate import formulate
        from estate.pipeline.prepare import prepare
        from estate.scenario import load_scenario

        began = time.perf_counter()
        file = self.scenario_file(case)
        changes = _changes(case)
        prepared = prepare(load_scenario(file, tuple(changes)))
        more = _rule(case, prepared.scenario, prepared.place)
        if more:
            prepared = prepare(load_scenario(file, (*changes, *more)))
        made = formulate(prepared.measured)
        p = made.problem
        sizes = {
            "sites": p.n_sites,
            "points": p.n_points,
            "pairs": p.n_pairs,
            "rows": len(p.cover) + len(p.shares) + len(p.side),
        }
        return p, made.constant, {**sizes, "prepare_s": round(time.perf_counter() - began, 2)}


def _changes(case: Case) -> list[str]:
    changes = [f"money.objective={json.dumps(case.objective)}"]
    return changes if case.reach == "none" else [*changes, f'rules.reach="{case.reach} miles"']


def _rule(case: Case, scenario: Any, place: Any) -> list[str]:
    """The rule as changes to the settings; what it allows is set by the place's size and by today, not by any plan."""
    if case.rule == "budget":
        return [f"money.capital_budget_gbp={BUDGET_GBP_A_POINT * len(place.access_points)}"]
    if case.rule == "payback":
        return [f"money.longest_payback_years={PAYBACK_YEARS}"]
    if case.rule == "apart":
        pairs = [list(pair) for pair in _apart(tuple(place.services))]
        return [f"rules.may_not_share={json.dumps(pairs)}"]
    if case.rule == "hubs":
        column = "district" if "district" in place.sites else "kind"
        now = place.access_points.groupby("site_id")["service"].nunique()
        hubs = place.sites[column].astype(str)[now.index[now >= 2]].value_counts()
        every = sorted({str(each) for each in place.sites[column] if str(each)})
        rows = [(each, max(MOST_HUBS, int(hubs.get(each, 0)))) for each in every]
        items = [f'{{what="hubs",at_most={n},where={{{column}={json.dumps(each)}}}}}' for each, n in rows]
        return [f"rules.counts=[{','.join(items)}]"]
    if case.rule == "shares":
        return [
            f"standards.{each.name}.share={SHARE}" for each in scenario.standards if not each.preset and each.limit is not None
        ]
    return []


def _apart(services: tuple[str, ...]) -> list[tuple[str, str]]:
    """Two pairs of the place's services: those above, or its first and last two by name."""
    here = [pair for pair in APART if set(pair) <= set(services)]
    return here or [(services[0], services[-1])]


# ---------------------------------------------------------------------------------------------------------------- runs


def solved(way: str, source: Path, *, time_s: float, gap: float, cores: int, start: bool) -> dict[str, Any]:
    """One side in a child process; a side that breaks or does not stop has nothing but its error."""
    target = source.with_suffix(f".{way}.json")
    target.unlink(missing_ok=True)
    side = Path(__file__).with_name("real_side.py")
    words = [sys.executable, str(side), way, str(source), str(target), str(time_s), str(gap), str(cores)]
    began = time.perf_counter()
    nothing = {"build_s": 0.0, "value": None, "bound": None, "trace": [], "broken": [], "cpu_s": None, "peak_gib": None}
    try:
        done = subprocess.run(
            [*words, "start" if start else "cold"], capture_output=True, text=True, timeout=2 * time_s + GRACE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return {**nothing, "seconds": round(time.perf_counter() - began, 1), "status": "did not stop", "stopped": "killed"}
    if done.returncode or not target.is_file():
        said = done.stderr.strip().splitlines()[-1:] or ["no message"]
        return {**nothing, "seconds": round(time.perf_counter() - began, 1), "status": "broke", "stopped": said[0][:200]}
    found: dict[str, Any] = json.loads(target.read_text())
    return found


def run_case(door: Door, case: Case, ways: Sequence[str], work: Path, **terms: Any) -> dict[str, Any]:
    """One case on every side, as one row."""
    problem, constant, sizes = door.problem(case)
    source = work / "problem.pickle"
    with source.open("wb") as stream:
        pickle.dump(problem, stream)
    sides = {way: _told(solved(way, source, **terms), constant) for way in ways}
    row: dict[str, Any] = {
        "case": case.key, "place": case.place, "reach": case.reach, "objective": case.objective, "rule": case.rule,
        **sizes, **terms, **sides,
    }  # fmt: skip
    return {**row, **judged(row, [way for way in ways if way != "ours"], terms["time_s"])}


def _told(side: dict[str, Any], constant: int) -> dict[str, Any]:
    """A side with the constant part of the objective in every sum, its gap, and when it had proven its plan."""

    def whole(value: float | None) -> float | None:
        return None if value is None else value + constant

    trace = [[at, whole(best), whole(bound)] for at, best, bound in side["trace"]]
    value, bound = whole(side["value"]), whole(side["bound"])
    gap = gap_of(value, bound)
    # The last moment counts even where nothing was noted at it.
    trace.append([side["seconds"], value, bound])
    proven = gap is not None and gap <= PROVEN and not side["broken"]
    infeasible = side["status"] == "infeasible"
    first = next((at for at, best, low in trace if (off := gap_of(best, low)) is not None and off <= PROVEN), None)
    at = side["seconds"] if infeasible else first if proven else None
    seen = {f"at_{s}": best_at(trace, s) for s in MARKS}
    return {
        **side, "value": value, "bound": bound, "gap": gap, "trace": trace, "proven": proven or infeasible, **seen,
        "proof_s": None if at is None else round(at, 2),
    }  # fmt: skip


def gap_of(value: float | None, bound: float | None) -> float | None:
    """Relative gap; None without a plan or a bound."""
    return None if value is None or bound is None else max(0.0, (value - bound) / max(abs(value), 1))


def best_at(trace: Sequence[Sequence[float | None]], seconds: float) -> float | None:
    """The best plan's pence a year that was in hand after so many seconds."""
    seen = [each[1] for each in trace if each[0] is not None and each[0] <= seconds and each[1] is not None]
    return min(seen) if seen else None


def worse(ours: float | None, theirs: float | None) -> bool:
    """Whether ours costs a pound more, or is not there and theirs is."""
    return theirs is not None and (ours is None or ours > theirs + ONE_POUND)


def judged(row: dict[str, Any], others: Sequence[str], time_s: float) -> dict[str, Any]:
    """Ours against each of the others: worse at which moments, and whether either claims what the other disproves."""
    if "ours" not in row:
        return {}
    ours = row["ours"]
    found: dict[str, Any] = {"worse_at_limit": [], "worse_at": [], "only_theirs": [], "false": []}
    if ours["broken"]:
        found["false"].append(f"ours breaks {', '.join(ours['broken'])}")
    for way in others:
        theirs = row[way]
        if theirs["broken"]:
            found["false"].append(f"{way} breaks {', '.join(theirs['broken'])}")
            continue
        if worse(ours["value"], theirs["value"]):
            found["worse_at_limit"].append(way)
        found["worse_at"] += [
            f"{way} {s}" for s in MARKS if s <= time_s and worse(best_at(ours["trace"], s), best_at(theirs["trace"], s / 2))
        ]
        if theirs["proven"] and not ours["proven"]:
            found["only_theirs"].append(way)
        slack = ONE_POUND + 1e-6 * abs(theirs["value"] or 0)
        if ours["bound"] is not None and theirs["value"] is not None and ours["bound"] > theirs["value"] + slack:
            found["false"].append(f"our bound is above the plan of {way}")
        if theirs["bound"] is not None and ours["value"] is not None and theirs["bound"] > ours["value"] + slack:
            found["false"].append(f"the bound of {way} is above our plan")
        if "infeasible" in (ours["status"], theirs["status"]) and {ours["value"], theirs["value"]} != {None}:
            found["false"].append(f"one of ours and {way} has a plan where the other proves that there is none")
    return found


# ------------------------------------------------------------------------------------------------------------- results


def run(
    chosen: Sequence[Case], ways: Sequence[str], folder: Path | None, results: Path | None, **terms: Any
) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every case's row, and whether it is a new one; rows that ``results`` holds on the same terms are not run again."""
    kept = {(row["case"], *(row.get(name) for name in terms)): row for row in _kept(results)}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        door = Door(folder, work)
        for case in chosen:
            old = kept.get((case.key, *terms.values()))
            if old is not None and set(ways) <= set(old):
                yield old, False
                continue
            row = run_case(door, case, ways, work, **terms)
            if results is not None:
                with results.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(row) + "\n")
                    stream.flush()
                    os.fsync(stream.fileno())
            yield row, True


def _kept(results: Path | None) -> list[dict[str, Any]]:
    """Rows of an earlier run; a last line that was cut short is left."""
    if results is None or not results.is_file():
        return []
    found = []
    for line in results.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def line(row: dict[str, Any], ways: Sequence[str]) -> str:
    """One case for the eye: each side's cost, gap, time to proof, wall and processor seconds, memory; and what is wrong."""

    def money(pence: float | None) -> str:
        return "-" if pence is None else f"{pence / 100:,.0f}"

    parts = [f"{row['case']} ({row['sites']} / {row['pairs']:,})"]
    for way in ways:
        side = row[way]
        gap = "no bound" if side["gap"] is None else f"{side['gap']:.3%}"
        proof = f"proven at {side['proof_s']:.1f} s" if side["proof_s"] is not None else f"{side['stopped']}"
        marks = [s for s in MARKS if s <= row["time_s"]]
        at = " ".join(money(side[f"at_{s}"]) for s in marks)
        parts.append(
            f"    {way:<6} {money(side['value']):>13}  {gap:>9}  {proof:<18} wall {side['seconds']:.1f} cpu {side['cpu_s']} "
            f"GiB {side['peak_gib']} build {side['build_s']:.1f}  at {'/'.join(map(str, marks))}: {at}"
        )
    wrong = [f"{name.replace('_', ' ')}: {', '.join(row[name])}" for name in PROBLEMS if row.get(name)]
    return "\n".join([*parts, *(f"    ** {each}" for each in wrong)])


PROBLEMS = ("false", "only_theirs", "worse_at_limit", "worse_at")


def summary(rows: Sequence[dict[str, Any]], others: Sequence[str]) -> dict[str, Any]:
    """Counts and ratios over all rows.

    The ratio is the other side's time to proof over ours where the other side takes more than a second; a side that ran into its
    limit counts the seconds it had, so theirs is a floor and ours a ceiling.
    """
    found: dict[str, Any] = {"cases": len(rows), "false": [f"{r['case']}: {w}" for r in rows for w in r.get("false", ())]}
    found["ours_proven"] = sum(bool(row["ours"]["proven"]) for row in rows if "ours" in row)
    gaps = [row["ours"]["gap"] for row in rows if "ours" in row and row["ours"]["gap"] is not None]
    found["ours_gap"] = {"median": statistics.median(gaps), "worst": max(gaps)} if gaps else None
    for way in others:
        both = [row for row in rows if way in row and "ours" in row]
        slow = [row for row in both if _proof(row[way]) > 1.0]
        ratio = sorted(_proof(row[way]) / max(_proof(row["ours"]), 1e-2) for row in slow)
        theirs = [row[way]["gap"] for row in both if row[way]["gap"] is not None]
        found[way] = {
            "proven": sum(bool(row[way]["proven"]) for row in both),
            "proven_by_it_and_not_by_ours": [row["case"] for row in both if way in row["only_theirs"]],
            "ours_worse_at_limit": [row["case"] for row in both if way in row["worse_at_limit"]],
            "ours_ever_worse": [row["case"] for row in both if any(each.startswith(f"{way} ") for each in row["worse_at"])],
            "moments_worse": sum(each.startswith(f"{way} ") for row in both for each in row["worse_at"]),
            "times_faster": {"cases": len(ratio), "median": statistics.median(ratio), "worst": ratio[0]} if ratio else None,
            "gap": {"median": statistics.median(theirs), "worst": max(theirs)} if theirs else None,
        }
    return found


def _proof(side: dict[str, Any]) -> float:
    """Seconds to proof, or all the seconds that it had."""
    return float(side["seconds"] if side["proof_s"] is None else side["proof_s"])
