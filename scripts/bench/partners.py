"""Partners: ours against the same rows through plain PuLP and HiGHS, and against solving one group after the other.

The county is a place that is there; the region is generated, 600 buildings of 40 agencies: the councils, trusts and forces whose
counters are nearest to them, and one that runs every Jobcentre in buildings that it mostly leases.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bench import plain

from estate.partners.best import worth
from estate.partners.coalitions import Asked, Leaving, census, rows
from estate.partners.core import KnownGroups, least_core
from estate.partners.game import Game, game_of, game_on, members, programme, restricted
from estate.partners.nucleolus import nucleolus
from estate.partners.shapley import exactly
from estate.pipeline.prepare import prepare
from estate.problem import Problem, Solution
from estate.problem.generate import REGION, Size
from estate.problem.generate import place as generated
from estate.scenario import load_scenario
from estate.solve.watch import Clock

TARGETS_S = {"least core": 5.0, "nucleolus": 30.0, "exact Shapley": 60.0}
"""What a county of 13 partners is asked to take."""
SAMPLED = 24
"""Groups that are solved one by one; the time of all is theirs, in proportion."""
COUNCILS, TRUSTS, FORCES = 24, 10, 5


def county(path: Path, *, sampled: int = SAMPLED, time_s: float = 300.0) -> list[dict[str, Any]]:
    """Seconds for the least core, the nucleolus and exact Shapley of a place, three ways."""
    game, _ = game_of(prepare(load_scenario(path)).measured)
    everybody = np.ones(game.n, dtype=bool)
    worth(game, everybody)  # kernels are compiled before anything is timed
    began = time.process_time()
    whole = worth(game, everybody)
    reference = np.full(game.n, whole.low / game.n)
    asked = Asked(game, whole)
    core = least_core(KnownGroups(asked), reference)
    ours = {"least core": time.process_time() - began}
    began = time.process_time()
    found = census(game)
    listing = time.process_time() - began
    began = time.process_time()
    nucleolus(found.listed)
    ours["nucleolus"] = listing + time.process_time() - began
    began = time.process_time()
    exactly(found.listed)
    ours["exact Shapley"] = listing + time.process_time() - began

    began = time.process_time()
    other = least_core(KnownGroups(_Plain(game, whole.low, time_s)), reference)
    plainly = {"least core": time.process_time() - began}
    agree = abs(core.low - other.low) <= 100
    every = rows(game.n)[1:].astype(bool)
    chosen = every[np.random.default_rng(0).choice(len(every), min(sampled, len(every)), replace=False)]
    began, same = time.process_time(), True
    for group in chosen:
        plan = _solved(restricted(game, group), time_s)
        number = int((group.astype(np.int64) << np.arange(game.n)).sum())
        same &= plan is not None and abs(game.saving(plan) - int(found.listed.low[number])) <= 100
    each = (time.process_time() - began) / len(chosen)
    return [
        {
            "question": name,
            "partners": game.n,
            "groups": len(every),
            "solved by ours": len(found.plans) if name != "least core" else "",
            "ours s": round(ours[name], 2),
            "target s": target,
            "plain PuLP s": round(plainly[name], 1) if name in plainly else "",
            "one by one s": round(each * len(every)),
            "agree": "yes" if agree and same else "NO",
        }
        for name, target in TARGETS_S.items()
    ]


@dataclass(slots=True)
class _Plain:
    """The same groups by the same programme, written in PuLP as it stands."""

    game: Game
    together: int
    time_s: float

    @property
    def n(self) -> int:
        return self.game.n

    @property
    def grain(self) -> float:
        return self.n + 25.0

    def worst(self, split: np.ndarray, *, but: np.ndarray | None = None) -> Leaving | None:
        del but
        pence = np.rint(split).astype(np.int64)
        problem = programme(self.game, pence)
        plan = _solved(problem, self.time_s)
        if plan is None:
            raise RuntimeError("plain HiGHS found no group in the time")
        group = members(self.game, plan)
        saved = self.game.saving(Solution(plan.open[: self.game.problem.n_sites], plan.host))
        gain = float(saved - pence[group].sum())
        return Leaving(group, saved, gain, gain)


def _solved(problem: Problem, time_s: float) -> Solution | None:
    lp = plain.written_plainly(problem)
    lp.solve(plain.solver("highs", 1e-9, time_s))
    return plain.read_plan(lp, problem)


def region(*, sites: int = 600, time_s: float = 600.0, seed: int = 0) -> list[dict[str, Any]]:
    """The least core of 40 partners on a generated region: the interval that is proven in the time."""
    game = region_game(sites, seed)
    began = time.process_time()
    until = time.monotonic() + time_s
    whole = worth(game, np.ones(game.n, dtype=bool), clock=Clock(time.monotonic() + time_s / 3))
    asked = Asked(game, whole, Clock(until))
    core = least_core(KnownGroups(asked, bound=asked.relaxed()), np.full(game.n, whole.low / game.n))
    return [
        {
            "question": "least core",
            "partners": game.n,
            "buildings": sites,
            "choices": game.problem.n_pairs,
            "together GBP": round(whole.low / 100),
            "at most GBP": round(whole.high / 100),
            "largest gain, least GBP": round(core.low / 100),
            "largest gain, most GBP": round(core.high / 100),
            "groups met": len(asked.witnesses),
            "ours s": round(time.process_time() - began, 1),
        }
    ]


def region_game(sites: int, seed: int) -> Game:
    """A generated region whose counters belong to 40 agencies."""
    made = generated(Size(sites, sites * REGION.zones // REGION.sites, REGION.side_m * (sites / REGION.sites) ** 0.5), seed)
    p, rng = made.problem, np.random.default_rng(seed)

    def nearest(k: int) -> np.ndarray:
        centre = made.site_xy[rng.choice(sites, k, replace=False)]
        return ((made.site_xy[:, None] - centre[None]) ** 2).sum(axis=-1).argmin(axis=1)

    council, trust, force = nearest(COUNCILS), nearest(TRUSTS), nearest(FORCES)
    home, service, dwp = p.point_home, p.point_service, COUNCILS + TRUSTS + FORCES
    by_service = [trust[home] + COUNCILS, np.full(len(home), dwp), force[home] + COUNCILS + TRUSTS]
    runs = np.select([service == 1, service == 3, service == 4], by_service, council[home]).astype(np.int64)
    owner = np.full(sites, -1, dtype=np.int64)
    owner[home[::-1]] = runs[::-1]  # who runs a building's first counter
    let = np.zeros(sites, dtype=bool)
    let[home[service == 3]] = True
    owner[let & (rng.random(sites) < 0.8)] = -1
    return game_on(p, tuple(f"agency {i:02}" for i in range(dwp + 1)), runs, owner, let)
