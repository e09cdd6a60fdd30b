"""What a reader of the books must know: prices, rates, proof, rules, versions."""

from __future__ import annotations

from collections.abc import Sequence

from estate.money.law import law, rule, year_label
from estate.options.finance import settings
from estate.runs.run import Run, worth_knowing
from estate.scenario import Objective
from estate.scenario.money import Money

type Lines = Sequence[tuple[str, str]]

OPTIONS: Lines = (
    (
        "Net present cost",
        "All that the agencies pay less what they receive within the horizon, discounted; not only what changes.",
    ),
    ("Do nothing", "Today's estate at today's cost; repairs outstanding are left undone, and nothing is renewed."),
    (
        "Do minimum, and every plan",
        "Repairs are met where a building is kept, fit-outs made again and leases renewed as the settings say.",
    ),
    ("Fit-outs of today", "Taken as new in year 0, since no table says their age; those of private bodies are not counted."),
    ("Worse off in all", "Measured against do minimum: what an agency pays less what it receives, discounted."),
)
PENNIES = ": every choice is priced to a whole penny a year, so the optimum and the cost appraised may differ by pence"


def notes(run: Run) -> list[tuple[str, Lines]]:
    """Headings, and under each its lines as (label, words)."""
    manifest, money = run.manifest, run.scenario.money
    gap, bound = manifest.get("gap"), manifest.get("bound_gbp_pa")
    rates = rule("discount-rate", money.base_year)
    years = "1 year" if money.closing_year == 1 else f"{money.closing_year} years"
    biased = ", ".join(f"{kind} {share:.0%}" for kind, share in sorted(money.optimism_bias.items()))
    about: Lines = [
        ("Scenario", f"{run.scenario.label} ({run.scenario.name})"),
        ("Description", run.scenario.description),
        ("Objective", money.objective + (PENNIES if money.objective is Objective.ANNUAL_EQUIVALENT else "")),
        ("Status", str(manifest.get("status", ""))),
        ("Proven gap", "none" if gap is None else f"{gap:.4%}"),
        ("Best bound, GBP a year", "none" if bound is None else f"{bound:,.2f}"),
        ("Independent check", "passed" if manifest.get("verified") else "not recorded"),
    ]
    prices: Lines = [
        ("Price base", money.price_base or "not stated: figures are as given"),
        ("Inflation", "None is added: every year is in the prices of the price base, and the discount rates are real."),
        ("VAT", "None is added or taken off: each figure stands as the inputs give it, with VAT only where they have it."),
        ("Base year (year 0)", f"{year_label(money.base_year)}, from 1 April {money.base_year}"),
        (
            "Year 0 and the price base",
            "Discounting and dated rules start in year 0; the price base only says whose prices.",
        ),
        ("Horizon", f"{money.horizon_years} years, year 0 to year {money.horizon_years - 1}{_untested(money)}"),
        ("Buildings are let go", f"{years} after the base year begins, or when a lease lets go if that is later"),
        ("Empty buildings", _holding(money)),
        ("Repairs outstanding", _repairs(money)),
        (
            "Lifecycle",
            f"a fit-out is made again every {money.refit_years} years" if money.refit_years else "a fit-out is made once",
        ),
        ("Residual value", "counted at the end of the horizon" if money.residual_value else "not counted"),
        ("Rent", "Between two public bodies it is a transfer: the tenant's gain and the landlord's loss both stand."),
        ("Discount rates, real", f"{rates.says} ({rates.instrument})"),
        ("Optimism bias on fit-out", biased or "none"),
        ("Shared buildings", "by floor area used" if money.split == "floor-area" else "a lead agency pays"),
    ]
    reading: Lines = [
        ("Signs", "Money saved or received is positive; money paid is negative."),
        ("Years", "Fit-out, removal and exit costs fall in the year before a move is complete; sales after it."),
        ("Adding up", "Receipts come once and savings every year: they are added only as present values."),
        (
            "Sale costs",
            "What a receipt may meet is taken from it; the rest is revenue, and stands with the one-off costs.",
        ),
        ("Receipts follow title", "A leased, PFI or private building brings its occupier nothing when it is left."),
        (
            "Savings follow occupation",
            "Those who use a building bear its running cost; other uses' share stays with the title holder.",
        ),
        ("Ledger", "One row an entry here; ledger.csv repeats each yearly entry in every year of the horizon."),
    ]
    options: Lines = [*OPTIONS, ("Financial case", _financial(run))] if "options" in run.tables else []
    rules: Lines = [
        (f"{each.title} ({each.sure})", f"{each.instrument}: {each.says}. In force {_span(each.from_year, each.to_year)}.")
        for each in law().rules
    ]
    kinds: Lines = [(each.called[0].upper() + each.called[1:], f"{each.says} ({each.sure})") for each in law().kinds.values()]
    warned: Lines = [(str(each.get("code", "")), worth_knowing(each)) for each in manifest.get("issues", ())]
    made: Lines = [*((name, str(version)) for name, version in sorted(manifest.get("versions", {}).items()))]
    # Their digests would make the workbook another with the order of their rows, which changes no figure in it.
    inputs: Lines = [(name, "run.json has its SHA-256") for name in sorted(manifest.get("inputs", {}))]
    parts: list[tuple[str, Lines]] = [
        ("The plan", [line for line in about if line[1]]),
        ("Prices and rates", prices),
        ("How to read the books", reading),
        ("How to read the options", options),
        (f"Rules and rates (the latest instrument is of {law().latest}; H: read in the instrument)", rules),
        ("Whom they bind, by kind of agency", kinds),
        ("Warnings and notes", warned),
        ("Inputs", inputs),
        ("Made with", made),
        ("Acknowledgements", [("", line) for line in run.scenario.page.attribution]),
    ]
    return [part for part in parts if part[1]]


def _financial(run: Run) -> str:
    """The terms on which cash is drawn up."""
    asked = settings(run.scenario)
    rise = f"prices rise by {asked.inflation:.1%} a year" if asked.inflation else "no inflation is set"
    kinds = ", ".join(f"{kind} {share:.0%}" for kind, share in sorted(asked.vat_recovered.items()))
    tax = (
        f"VAT at {asked.vat:.0%} is added to {', '.join(asked.vat_on)}, recovered by {kinds}"
        if asked.vat
        else "no VAT is added"
    )
    sources = (
        "capital is met from receipts, then budgets, then loans, which are repaid with interest, as revenue, from the next year"
    )
    return f"Cash in the money of each year: {rise}; {tax}; {sources}."


def _untested(money: Money) -> str:
    """What is said of a horizon longer than the lower rates of 2026 were published for."""
    lower = rule("discount-rate-long", money.base_year)
    ends = f"; the lower rates of 2026 end with year {lower.bands[-1][0]}, so it is not tested at them"
    return "" if lower.reaches(money.horizon_years) else ends


def _holding(money: Money) -> str:
    """What an empty building is taken to cost."""
    if not money.holding_share:
        return "cost nothing between closing and sale: no holding cost is set"
    shares = ", ".join(f"{kind} {share:.0%}" for kind, share in sorted(money.holding_share.items()))
    return f"still cost, until sold, or {money.void_years:g} years with a public landlord, of their running cost: {shares}"


def _repairs(money: Money) -> str:
    """What becomes of the backlog."""
    if money.backlog_year is None:
        return "never met, so that none is avoided"
    return f"met in {year_label(money.base_year + money.backlog_year)} at each building kept; avoided where it is left by then"


def _span(first: int, last: int | None) -> str:
    return f"from {year_label(first)}" if last is None else f"{year_label(first)} to {year_label(last)}"
