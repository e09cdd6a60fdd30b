"""Who is worse off than today, and the smallest payments that leave nobody so.

A plan that is cheapest in total and bad for one partner loses that partner.  Among the payments from those who gain to those
who lose that leave nobody worse off, the *smallest* are: least total pounds (exactly what the losers lose); then fewest
payments; then first by the ids of payer and payee; then as much as possible from the first payment on.
Nobody can be compensated when the plan as a whole loses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_STEPS = 20_000
"""Steps of the search for the fewest payments; beyond it (many on both sides) a good answer is given, and said to be that."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Whole pence a year from one agency to another."""

    payer: str
    payee: str
    pence: int


@dataclass(frozen=True, slots=True)
class Transfers:
    """The answer: ``possible`` is False where the plan as a whole loses; ``fewest`` False where the search was cut short."""

    possible: bool
    payments: tuple[Payment, ...] = ()
    fewest: bool = True


def smallest_transfers(gain: Mapping[str, int]) -> Transfers:
    """The smallest payments that leave nobody worse off, from what each agency gains (whole pence a year, by id)."""
    if sum(gain.values()) < 0:
        return Transfers(possible=False)
    payers = {name: amount for name, amount in sorted(gain.items()) if amount > 0}
    payees = {name: -amount for name, amount in sorted(gain.items()) if amount < 0}
    links, fewest = _fewest(payers, payees)
    return Transfers(True, tuple(_amounts(payers, payees, links)), fewest)


type Link = tuple[str, str]


def _fewest(payers: Mapping[str, int], payees: Mapping[str, int]) -> tuple[Sequence[Link], bool]:
    """The fewest (payer, payee) links that can carry the payments, first by ids; and whether that is proven."""
    rough = _rough(payers, payees)
    steps = 0
    for size in range(len(payees), len(rough) + 1):
        found, steps = _search(size, payers, payees, steps)
        if found is not None:
            return found, True
        if steps >= MOST_STEPS:
            break
    return rough, False


def _search(size: int, payers: Mapping[str, int], payees: Mapping[str, int], steps: int) -> tuple[Sequence[Link] | None, int]:
    """Depth first, in the order of ids: the first set of ``size`` links that can carry the payments; and the steps so far.

    A branch is left where too few links are to come for the payees that nobody serves; where, every link to come being needed
    for them, those already served cannot be; or where a payee's payers, with all that may still come, have too little to give.
    """
    links = [(payer, payee) for payer in payers for payee in payees]
    stack: list[tuple[int, tuple[Link, ...]]] = [(0, ())]
    while stack and steps < MOST_STEPS:
        steps += 1
        at, chosen = stack.pop()
        left = size - len(chosen)
        served = {payee: payees[payee] for _, payee in chosen}
        spoken_for = left - (len(payees) - len(served))
        if spoken_for < 0 or (spoken_for == 0 and not _carries(payers, served, chosen)):
            continue
        if left == 0:
            return chosen, steps
        if len(links) - at >= left and _enough(payers, payees, (*chosen, *links[at:])):
            stack += [(at + 1, chosen), (at + 1, (*chosen, links[at]))]
    return None, steps


def _enough(payers: Mapping[str, int], payees: Mapping[str, int], links: Sequence[Link]) -> bool:
    """Whether each payee alone could be served by its links: cheap, and necessary."""
    reach = dict.fromkeys(payees, 0)
    for payer, payee in links:
        reach[payee] += payers[payer]
    return all(reach[payee] >= need for payee, need in payees.items())


def _carries(payers: Mapping[str, int], payees: Mapping[str, int], links: Sequence[Link]) -> bool:
    """Whether payments along these links can meet every need."""
    return _enough(payers, payees, links) and sum(_flow(payers, payees, links).values()) == sum(payees.values())


def _flow(payers: Mapping[str, int], payees: Mapping[str, int], links: Sequence[Link]) -> dict[Link, int]:
    """A largest flow along the links (augmenting paths, whole pence)."""
    sent = dict.fromkeys(links, 0)
    spare, need = dict(payers), dict(payees)
    while True:
        path = _path(spare, need, sent)
        if not path:
            return sent
        forward, back = path[::2], path[1::2]
        amount = min(spare[path[0][0]], need[path[-1][1]], *(sent[link] for link in back))
        for link in forward:
            sent[link] += amount
        for link in back:
            sent[link] -= amount
        spare[path[0][0]] -= amount
        need[path[-1][1]] -= amount


def _path(spare: Mapping[str, int], need: Mapping[str, int], sent: Mapping[Link, int]) -> list[Link]:
    """Links from a payer with money left to a payee in need: forward, back, forward ...; empty where there are none."""
    queue: list[tuple[str, list[Link]]] = [(payer, []) for payer, left in spare.items() if left > 0]
    seen = {payer for payer, _ in queue}
    reached: set[str] = set()
    for payer, path in queue:
        for link in sent:
            if link[0] != payer or link[1] in reached:
                continue
            reached.add(link[1])
            if need[link[1]] > 0:
                return [*path, link]
            for other, amount in sent.items():
                if other[1] == link[1] and amount > 0 and other[0] not in seen:
                    seen.add(other[0])
                    queue.append((other[0], [*path, link, other]))
    return []


def _amounts(payers: Mapping[str, int], payees: Mapping[str, int], links: Sequence[Link]) -> list[Payment]:
    """How much along each link: in their order, each as much as the rest allows."""
    spare, need = dict(payers), dict(payees)
    result = []
    for n, link in enumerate(links):
        rest = links[n + 1 :]
        low, high = 0, min(spare[link[0]], need[link[1]])
        if not _left_over(spare, need, rest, link, high):
            # What can flow here is an interval, and some flow that meets every need gives a point in it.
            low = _flow(spare, need, links[n:])[link]
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _left_over(spare, need, rest, link, middle) else (low, middle)
            high = low
        spare[link[0]] -= high
        need[link[1]] -= high
        result.append(Payment(*link, high))
    return [each for each in result if each.pence]


def _left_over(spare: Mapping[str, int], need: Mapping[str, int], rest: Sequence[Link], link: Link, amount: int) -> bool:
    """Whether the other links can do the rest once ``amount`` flows along ``link``."""
    less_spare = {**spare, link[0]: spare[link[0]] - amount}
    less_need = {**need, link[1]: need[link[1]] - amount}
    return sum(_flow(less_spare, less_need, rest).values()) == sum(less_need.values())


def _rough(payers: Mapping[str, int], payees: Mapping[str, int]) -> list[Link]:
    """A good answer: the largest need is met from the largest purse, again and again; at most payers + payees - 1 links."""
    spare, need = dict(payers), dict(payees)
    links = []
    while any(need.values()):
        payee = min(need, key=lambda name: (-need[name], name))
        payer = min(spare, key=lambda name: (-spare[name], name))
        amount = min(spare[payer], need[payee])
        links.append((payer, payee))
        spare[payer] -= amount
        need[payee] -= amount
    return sorted(links)
