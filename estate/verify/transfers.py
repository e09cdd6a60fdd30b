"""Who compensates whom, judged by what such payments must be: nothing here searches for them.

On each basis those who lose are paid what they lose and not a penny more, by those who gain, each in proportion to its gain, to
the penny; a plan that loses as a whole has no payments.  Where n pay or are paid there are fewer than n payments.

What each gains is worked out from the plan (:mod:`estate.verify.bills`), where shares are not rounded: a payment must fit that to
the rounding, and the gain that is printed to the penny.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import pandas as pd

from estate.verify.bills import Bills, gains
from estate.verify.case import Case, Decision, Finding, finding

BASES = {
    "running cost": ("gain_gbp_pa", "transfer_gbp_pa"),
    "annual equivalent": ("annual_equivalent_gain_gbp_pa", "annual_equivalent_transfer_gbp_pa"),
}


def check_transfers(case: Case, decision: Decision, tables: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    """The payments of a plan against what each agency gains and loses by it, and against what its table of agencies prints."""
    true = gains(case, decision)
    agencies, table = tables["agencies"].set_index("agency"), tables["transfers"]
    for basis, (gain_column, transfer_column) in BASES.items():
        gain = {str(each): _pence(amount) for each, amount in agencies[gain_column].items()}
        here = table[table["basis"] == basis]
        paid, received = defaultdict[str, int](int), defaultdict[str, int](int)
        for payer, payee, amount in zip(here["from_agency"], here["to_agency"], here["amount_gbp_pa"], strict=True):
            paid[str(payer)] += _pence(amount)
            received[str(payee)] += _pence(amount)
        yield finding("transfers", len(gain), _wrong(gain, paid, received, len(here)), f"transfers on {basis}")
        unlike = _unlike(true[gain_column], paid, received, as_printed=sum(gain.values()) >= 0)
        yield finding("transfers.gains", len(gain), unlike, f"transfers on {basis} that do not follow what the plan gives")
        net = {str(each): _pence(amount) for each, amount in agencies[transfer_column].items()}
        broken = [each for each in gain if net[each] != received[each] - paid[each]]
        yield finding("transfers.agencies", len(gain), broken, f"what each agency is paid on {basis}")


def _unlike(gain: Bills, paid: Mapping[str, int], received: Mapping[str, int], *, as_printed: bool) -> list[str]:
    """Payments that stand off what the plan gives and takes by more than its shares are rounded.

    Where it gives as much as it takes, to that rounding, what is printed says whether payments are possible.
    """
    whole, room = sum(gain.pence.values()), 1.01 + sum(gain.rounded.values())
    possible = whole > 0 if abs(whole) > room else as_printed
    lost, won = (sum(max(way * each, 0.0) for each in gain.pence.values()) for way in (-1, 1))
    found = []
    for agency, amount in gain.pence.items():
        due = max(-amount, 0.0) if possible else 0.0
        share = lost * max(amount, 0.0) / won if possible and won else 0.0
        if abs(received.get(agency, 0) - due) > room or abs(paid.get(agency, 0) - share) > room:
            found.append(
                f"{agency} is paid {received.get(agency, 0)} and pays {paid.get(agency, 0)}, not {due:.2f} and {share:.2f}"
            )
    return found


def _pence(gbp: object) -> int:
    return round(float(str(gbp)) * 100)


def _wrong(gain: Mapping[str, int], paid: Mapping[str, int], received: Mapping[str, int], payments: int) -> list[str]:
    """What is not as it must be, in words."""
    lost, won = -sum(min(each, 0) for each in gain.values()), sum(max(each, 0) for each in gain.values())
    possible = won >= lost > 0
    found = [f"nobody knows {each}" for each in {*paid, *received} - {*gain}]
    for agency, amount in gain.items():
        due = max(-amount, 0) if possible else 0
        if received.get(agency, 0) != due:
            found.append(f"{agency} is paid {received.get(agency, 0)}, not {due} pence")
        share = lost * max(amount, 0) / won if possible else 0.0
        if abs(paid.get(agency, 0) - share) >= 1:
            found.append(f"{agency} pays {paid.get(agency, 0)}, not {share:.2f} pence")
    parties = sum(amount > 0 for amount in (*paid.values(), *received.values()))
    if payments >= max(parties, 1):
        found.append(f"{payments} payments between {parties}")
    return found
