"""Groups on random small places against looking at every plan; the county's own figures; and a referee that is lied to."""

from dataclasses import replace

import brute
import numpy as np
import pandas as pd
import pytest
from games import gains_in_order, is_nucleolus, least_largest_gain
from places import scenario_with, tiny_place
from repository import WORCESTERSHIRE

from estate.errors import InputError, UsageError
from estate.partners import powers as powers_of
from estate.partners.best import largest_excess, worth
from estate.partners.coalitions import Asked, Listed, census, rows
from estate.partners.core import KnownGroups, least_core, least_subsidy
from estate.partners.game import game_of, game_on
from estate.partners.nucleolus import nucleolus
from estate.partners.partnership import asked_groups
from estate.partners.shapley import exactly
from estate.pipeline.decide import decide, stored
from estate.pipeline.judge import judge
from estate.pipeline.partners import with_partners
from estate.pipeline.prepare import prepare
from estate.problem import cost, violations
from estate.scenario import load_scenario
from estate.standards.journeys import measure
from estate.standards.measured import Measured

COUNTY = WORCESTERSHIRE


# ------------------------------------------------------------------------------------------------------ random places


def random_game(seed):
    """A game on a random problem, with who runs each point, who owns each site and which are let; None where today is no plan."""
    rng = np.random.default_rng(seed)
    p = brute.random_problem(seed, ties=bool(seed % 2))
    p = replace(p, point_home=np.maximum(p.point_home, 0))
    if p.today is None or violations(p, p.today):
        return None
    n = int(rng.integers(2, 5))
    runs, owner = rng.integers(0, n, p.n_points), rng.integers(-1, n, p.n_sites)
    let = rng.random(p.n_sites) < 0.5
    players = tuple("abcd"[:n])
    return game_on(p, players, runs, owner, let), p, let


GAMES = [seed for seed in range(420) if random_game(seed) is not None][:200]


def by_looking(game, p, let):
    """(2^n,) what every group saves: the best of all plans that need nobody else, by the words of the rules."""
    every = brute.everything(p)
    today = cost(p, game.today)
    best = np.zeros(2**game.n, dtype=np.int64)
    seen = {}
    for i in np.flatnonzero(every.feasible):
        needs = needed(game, p, let, every.host[i], every.open[i])
        if needs is not None:
            seen[needs] = max(seen.get(needs, 0), today - int(every.keys[i, 1]))
    for group in range(2**game.n):
        best[group] = max([saved for needs, saved in seen.items() if needs & ~group == 0], default=0)
    return best


def needed(game, p, let, host, is_open):
    """The players a plan needs, as bits; None where it closes what nobody may close."""
    home, owner, runs = p.point_home, game.owner, game.runs
    tenants = {j: {int(runs[s]) for s in range(p.n_points) if home[s] == j} for j in range(p.n_sites)}
    who = set()
    for s in range(p.n_points):
        if host[s] != home[s]:
            who.add(int(runs[s]))
            who |= {int(owner[host[s]])} if owner[host[s]] >= 0 else tenants[host[s]]
    for j in range(p.n_sites):
        if game.today.open[j] and not is_open[j]:
            if owner[j] >= 0:
                who.add(int(owner[j]))
            elif not p.must_close[j] and not (let[j] and tenants[j]):
                return None
    return sum(1 << i for i in who)


def test_two_hundred_places():
    assert len(GAMES) == 200


@pytest.mark.parametrize("part", range(10))
def test_groups_and_ways_agree_with_looking_at_every_plan(part):
    for seed in GAMES[part::10]:
        game, p, let = random_game(seed)
        true = by_looking(game, p, let)
        found = census(game)
        assert found.listed.exact, seed
        assert (found.listed.low == true).all(), seed
        listed = Listed(true, true)
        whole = worth(game, np.ones(game.n, dtype=bool))
        asked = Asked(game, whole)
        split = np.random.default_rng(seed).integers(-5_000, 30_000, game.n)
        excess = largest_excess(game, split)
        most = (true - rows(game.n) @ split)[1:-1].max()
        assert excess.pence == pytest.approx(most, abs=26), seed
        assert excess.most_pence >= most - 1e-6, seed
        assert excess.most_pence <= excess.pence + 60, seed
        assert game.saving(excess.plan) == excess.saved
        assert not (game.needed(excess.plan) & ~excess.group).any()
        reference = np.full(game.n, whole.low / game.n)
        core = least_core(KnownGroups(asked), reference)
        e = least_largest_gain(listed)
        assert core.low <= e + 1, seed
        assert core.high >= e - 1, seed
        assert core.high - core.low <= 2 * asked.grain + 30, seed
        assert least_subsidy(KnownGroups(asked)) == pytest.approx(
            least_subsidy(KnownGroups(listed)), abs=game.n * asked.grain
        ), seed
        prices, bound = asked.relaxed()
        assert prices.sum() == pytest.approx(whole.low, abs=1)
        assert (true - rows(game.n) @ prices)[1:-1].max() <= bound, seed
        assert bound >= e - 1, seed
        assert is_nucleolus(listed, nucleolus(found.listed).pence), seed
        by_rows = nucleolus(asked)  # from no list: groups outside the span of settled ones are asked for
        assert by_rows.proven
        assert by_rows.pence == pytest.approx(nucleolus(found.listed).pence, abs=game.n * asked.grain), seed
        assert exactly(found.listed).pence.sum() == pytest.approx(true[-1])
        assert gains_in_order(listed, nucleolus(found.listed).pence)[0] == pytest.approx(e, abs=0.2), seed


@pytest.mark.parametrize("seed", GAMES[:40])
def test_joining_never_lowers_what_a_group_saves(seed):
    game, p, let = random_game(seed)
    true = by_looking(game, p, let)
    for i in range(game.n):
        with_ = np.flatnonzero(np.arange(2**game.n) >> i & 1)
        assert (true[with_] >= true[with_ ^ (1 << i)]).all()


# ------------------------------------------------------------------------------------------------------ who is a player


def tiny(**changes):
    place, scenario = tiny_place(**changes), scenario_with()
    return Measured.of(place, scenario, measure(place, scenario))


def test_a_landlord_is_no_player_and_its_freehold_stays():
    private = {"p6": {"agency": "county"}}
    game, _ = game_of(tiny(access_points=private))
    assert game.players == ("county", "dwp", "police")
    clinic = tiny().place.sites.index.get_loc("clinic")
    assert not game.problem.must_open[clinic]  # let: it closes when its tenants have gone
    assert game.owner[clinic] == -1
    game, _ = game_of(tiny(access_points=private, sites={"clinic": {"tenure": "freehold"}}))
    assert game.problem.must_open[clinic]


def test_newcomers_need_the_owner_and_where_he_is_no_player_all_in_occupation():
    measured = tiny(
        sites={"jobcentre": {"agency": "landlord"}, "library": {"agency": "county"}}, access_points={"p6": {"agency": "county"}}
    )
    game, formulation = game_of(measured)
    sites, points = measured.place.sites.index, measured.place.access_points.index[formulation.points]
    for p in range(game.problem.n_pairs):
        point, site = points[game.problem.pair_point[p]], sites[game.problem.pair_site[p]]
        who = {game.players[i] for i in np.flatnonzero(game.needs[p])}
        agency, home = measured.place.access_points.loc[point, ["agency", "site_id"]]
        if site == home:
            assert who == set()
        elif site == "jobcentre":
            assert who == {agency, "dwp"}
        elif site in ("hall", "library", "village"):
            assert who == {agency, "county"}


def test_what_is_no_game_is_refused_with_what_to_do():
    place = tiny_place()
    for sections, words in (
        ({"money": {"base_year": 2025, "objective": "least-travel"}}, "is not money"),
        ({"rules": {"close": ["station"]}}, "today's estate"),
        ({"rules": {"out": ["dwp", "police", "landlord"]}}, "nobody to share with"),
    ):
        scenario = scenario_with(**sections)
        with pytest.raises(InputError) as refused:
            game_of(Measured.of(place, scenario, measure(place, scenario)))
        assert words in str(refused.value.issues[0].message)
        assert refused.value.issues[0].remedy


# ------------------------------------------------------------------------------------------------------ the county


GROUPS = 'partners.groups=[["WMP","RBC","BDC"],["WCC","DWP"]]'


@pytest.fixture(scope="module")
def county():
    return with_partners(decide(prepare(load_scenario(COUNTY, (GROUPS,)))))


def test_the_best_plan_of_each_group_asked_for(county):
    """Redditch and Bromsgrove's police desk have nothing to do with one another: their savings add up."""
    table = county.appraisal.tables["groups"].set_index("group")
    assert table["why"].value_counts().to_dict() == {"alone": 13, "asked for": 2, "everybody": 1}
    assert table.loc["BDC;RBC;WMP", ["saves_gbp_pa", "alone_gbp_pa", "pooling_gbp_pa"]].tolist() == [72_400, 11_000, 61_400]
    assert table.loc["DWP;WCC", ["saves_gbp_pa", "pooling_gbp_pa"]].tolist() == [384_510, 358_050]
    plans = county.appraisal.tables["group_plans"]
    mine = plans[plans["group"] == "DWP;WCC"]
    assert set(mine["agency"]) <= {"DWP", "WCC", "TRILLIUM", "LANDLORD"}  # landlords whose leases end
    assert (mine["what"] == "closes").sum() == table.loc["DWP;WCC", "buildings_let_go"]
    everybody = plans[plans["group"] == table.index[-1]]
    assert set(everybody.loc[everybody["what"] == "moves", "access_point_id"]) == set(
        county.appraisal.tables["moves"]["access_point_id"]
    )


def test_a_group_of_others_is_refused_with_what_was_meant():
    """A landlord takes part and runs nothing; an agency that nobody knows is found when the files are checked."""
    for name, words in (("LANDLORD", "is no partner"), ("WCCC", "is not a agency")):
        scenario = load_scenario(COUNTY, (f'partners.groups=[["DWP","{name}"]]',))
        with pytest.raises(InputError) as refused:
            game_groups(scenario)
        assert any(words in issue.message and issue.remedy for issue in refused.value.issues)
    for groups in ('[["WCC","WCC"]]', '[["WCC","DWP"],["DWP","WCC"]]', "[[]]"):
        with pytest.raises(UsageError):
            load_scenario(COUNTY, (f"partners.groups={groups}",))


def game_groups(scenario):
    measured = prepare(scenario).measured
    return asked_groups(scenario, game_of(measured)[0])


def test_the_county_s_figures(county):
    """As measured by listing and by one programme before this module was written."""
    said = county.manifest["partners"]
    assert len(said["players"]) == 13
    assert said["together_gbp_pa"] == said["together_at_most_gbp_pa"] == 592_810
    assert said["alone_gbp_pa"] == 85_360
    assert said["pooling_gbp_pa"] == 507_450
    table = county.appraisal.tables["partners"].set_index("agency")
    alone = table["alone_gbp_pa"]
    assert alone[alone > 0].to_dict() == {"RBC": 11_000, "WCC": 26_460, "WHCT": 47_900}
    brings = table["brings_gbp_pa"]
    assert brings[brings > 0].to_dict() == {
        "CAB": 54_000, "DWP": 330_600, "RBC": 11_300, "ROH": 33_200, "WCC": 439_310, "WHCT": 81_100, "WMP": 61_600,
    }  # fmt: skip
    blocking = county.appraisal.tables["blocking"].query("way == 'as the plan falls'").set_index("group")["gains_gbp_pa"]
    assert blocking["RBC"] == 3_702.27
    assert blocking["BDC;WMP"] == 2_825.53


def test_the_county_s_ways(county):
    ways = county.appraisal.tables["ways"].set_index("way")
    assert ways["verdict"]["as the plan falls"] == "somebody would leave"
    for name in ("least largest gain by leaving (nucleolus)", "least change that keeps everybody"):
        assert ways["verdict"][name] == "stable"
    # What falls to GP practices, who are no partners, is nobody's to share until they pay for it.
    assert ways["to_others_gbp_pa"]["as the plan falls"] == 6_972.63
    assert ways["moved_gbp_pa"]["least change that keeps everybody"] == pytest.approx(6_527.80 + 6_972.63)
    assert ways["fund_gbp_pa"]["as the plan falls"] == pytest.approx(6_527.80 + 6_972.63, abs=0.02)
    assert ways["fund_gbp_pa"]["least change that keeps everybody"] == 0
    assert "Redditch Borough Council alone would save £3,702" in ways["words"]["as the plan falls"]


def test_the_county_s_purses(county):
    """Funds are not pooled unless the partners pool them."""
    purses = county.appraisal.tables["own_purses"].set_index("agency")
    find = purses["must_find_gbp"].drop("")
    assert find[find > 0].to_dict() == {"CAB": 231_000, "DWP": 2_088_900, "ROH": 411_920, "WHCT": 573_040}
    over = purses["has_over_gbp"].drop("")
    assert over[over > 0].to_dict() == {"RBC": 7_040, "WCC": 55_196, "WMP": 500_900}
    assert purses.loc["", "must_find_gbp"] == 2_741_724
    assert purses.loc["", "worth_of_pooling_gbp"] == 563_136


def test_the_county_s_order_of_winning(county):
    steps = county.appraisal.tables["winning"]
    assert steps["agency"].tolist()[:3] == ["WCC", "DWP", "WMP"]
    assert sorted(steps["agency"]) == county.manifest["partners"]["players"]
    assert steps["saves_then_gbp_pa"].iloc[-1] == 592_810
    assert (steps["adds_gbp_pa"] >= 0).all()


def test_credits_leave_nobody_worse_off_by_either_measure(county):
    table = county.appraisal.tables["settlements"]
    assert set(table["possible"]) == {"yes"}
    for asked, frame in table.groupby("measure"):
        assert frame["credit_gbp_pa"].sum() == pytest.approx(0, abs=1e-9)
        assert (frame["worth_after_gbp"] >= frame["asked_gbp"] - 20).all(), asked
    today = table[table["measure"] == "against today"].set_index("agency")
    assert today.loc["ROH", "credit_gbp_pa"] > 0  # it puts in 411,920 and gains 7,888 a year
    assert (today.loc[["BDC", "MHDC", "WAHT"], "credit_gbp_pa"] == 0).all()


def test_every_term_of_the_agreement_says_where_its_figure_is_from(county):
    terms = county.appraisal.tables["agreement"]
    assert set(terms["part"].str[0]) == set("12345678")
    known = {f"{name}.csv" for name in county.appraisal.tables}
    assert set(terms["source"]) <= known
    moves = county.appraisal.tables["moves"]
    assert set(terms.loc[terms["part"] == "2 space", "access_point_id"]) == set(moves["access_point_id"])
    charged = terms[terms["part"] == "3 charges"].groupby("site_id")["amount_gbp"].sum()
    sites = county.appraisal.tables["sites"].set_index("site_id")["running_cost_after_gbp_pa"]
    assert charged.to_dict() == pytest.approx(sites[charged.index].to_dict())


def test_pools_and_payments_say_under_which_power(county):
    """Only what was read in an instrument is a power; of a police force and the DWP nothing was found, and that is said."""
    powers = county.appraisal.tables["powers"]
    pools = powers[powers["may_pool"] == "yes"]
    assert set(pools["instrument"]) == {"National Health Service Act 2006, section 75, and SI 2000/617, regulation 7"}
    assert set(pools["payers"]) | set(pools["payees"]) == {"ROH;WAHT;WHCT", "BDC;MHDC;RBC;WCC;WDC;WFDC;WORCESTER"}
    none = powers[(powers["payers"] == "WMP") & (powers["payees"] == "DWP")]
    assert none["may_pay"].tolist() == ["not known"]
    assert "no proof" in powers_of.__doc__
    assert {each.sure for each in powers_of.powers()} == {"H"}
    terms = county.appraisal.tables["agreement"]
    credited, said = (terms[terms["part"] == part] for part in ("6 credits", "7 powers"))
    assert set(zip(credited["agency"], credited["other_agency"], strict=True)) == set(
        zip(said["agency"], said["other_agency"], strict=True)
    )


@pytest.mark.parametrize(
    ("table", "column", "change", "fault"),
    [
        ("coalitions", "saves_gbp_pa", 1_000.0, "partners.witness-saving"),
        ("coalitions", "saves_at_most_gbp_pa", -1e7, "partners.intervals"),
        ("coalitions", "plan_needs", "WDC", "partners.witness-consent"),
        ("witnesses", "site_id", "W-LIB-HIVE", "partners.witness-rules"),
        ("partners", "alone_gbp_pa", 1.0, "partners.figures"),
        ("partners", "own_bill_together_gbp_pa", 50.0, "partners.figures"),
        ("shares", "gain_gbp_pa", 10.0, "partners.shares"),
        ("ways", "gains_gbp_pa", 5.0, "partners.ways"),
        ("ways", "verdict", "stable", "partners.ways"),
        ("ways", "fund_gbp_pa", -5_000.0, "partners.ways"),
        ("blocking", "gains_gbp_pa", 0.5, "partners.blocking"),
        ("groups", "pooling_gbp_pa", 1.0, "partners.groups-figures"),
        ("groups", "group", "BDC;CAB", "partners.groups-asked"),
        ("group_plans", "to_site_id", "W-LIB-HIVE", "partners.groups-plans"),
        ("inducements", "least_inducement_gbp_pa", 1.0, "partners.inducements"),
        ("inducements", "others_gain_by_it_gbp_pa", 50.0, "partners.inducements"),
        ("inducements", "own_bill_falls_if_it_stays_out_gbp_pa", 1.0, "partners.inducements"),
        ("winning", "saves_then_gbp_pa", 1.0, "partners.order"),
        ("powers", "may_pool", "yes", "partners.powers"),
        ("powers", "payers", "WMP", "partners.powers"),
        ("account", "closing_gbp", 0.01, "accounts.sums"),
        ("account", "credited_gbp", 1.0, "accounts.credits"),
        ("account", "invested_gbp", 5.0, "accounts.cash"),
        ("payments", "amount_gbp_pa", 1.0, "accounts.payments"),
        ("settlements", "worth_after_gbp", 90.0, "accounts.worth"),
        ("own_purses", "must_find_gbp", 1.0, "accounts.purses"),
    ],
)
def test_the_referee_finds_what_is_false(county, table, column, change, fault, monkeypatch):
    tables = dict(county.appraisal.tables)
    false = tables[table].copy()
    row = 0 if table != "coalitions" else int(np.flatnonzero(false["group"] == "RBC")[0])
    old = false.loc[row, column]
    false.loc[row, column] = old + change if isinstance(change, float) else change
    assert false.loc[row, column] != old
    assert fault in failures(
        county, {**tables, table: false}, monkeypatch if table not in ("coalitions", "witnesses") else None
    )


def failures(county, tables, monkeypatch):
    """What the referee finds; without its look at the plan of every group, where nothing about these was changed."""
    if monkeypatch is not None:
        monkeypatch.setattr("estate.verify.partners._check_witnesses", lambda *_: iter(()))
    return {issue.code.removeprefix("referee.") for issue in judge(replace(stored(county), tables=tables)).failures}


@pytest.mark.parametrize("way", ["least largest gain by leaving (nucleolus)", "smallest reason to leave (least core)"])
def test_the_referee_knows_what_a_way_is_called_for(county, way, monkeypatch):
    """A pound a year moved from one partner to another, with every other figure made to fit: only the name is false."""
    tables = {name: table.copy() for name, table in county.appraisal.tables.items()}
    shares, ways, groups = tables["shares"], tables["ways"], tables["coalitions"]
    mine = shares["way"] == way
    gainer, loser = (shares.index[mine & (shares["agency"] == each)][0] for each in ("WFDC", "WMP"))
    for row, change in ((gainer, 2_000.0), (loser, -2_000.0)):
        shares.loc[row, ["gain_gbp_pa", "gain_low_gbp_pa", "gain_high_gbp_pa", "better_than_alone_gbp_pa"]] += change
    gain = dict(zip(shares.loc[mine, "agency"], shares.loc[mine, "gain_gbp_pa"], strict=True))
    leaves = groups["saves_gbp_pa"] - groups["group"].map(lambda each: sum(gain[a] for a in each.split(";")))
    worst = leaves[groups["members"] < 13].max()
    at = ways.index[ways["way"] == way]
    ways.loc[at, ["gains_gbp_pa", "gains_at_most_gbp_pa", "fund_gbp_pa"]] = [worst, worst, worst if worst > 1 else 0]
    ways.loc[at, "verdict"] = "stable" if worst <= 1 else "somebody would leave"
    assert failures(county, tables, monkeypatch) == {"partners.ways"}


def test_the_same_inputs_give_the_same_tables(county):
    again = with_partners(decide(prepare(load_scenario(COUNTY, (GROUPS,)))))
    for name in ("partners", "ways", "shares", "blocking", "coalitions", "witnesses"):
        pd.testing.assert_frame_equal(again.appraisal.tables[name], county.appraisal.tables[name])
