"""Groups as what-ifs: the settings made for a group give the main job's problem the group's own worth."""

import numpy as np
import pytest
from places import scenario_with, tiny_place
from repository import WORCESTERSHIRE

from estate.errors import InputError
from estate.formulate import formulate
from estate.partners.best import worth
from estate.partners.coalitions import rows
from estate.partners.game import game_of
from estate.pipeline.decide import decide
from estate.pipeline.prepare import prepare
from estate.problem import cost
from estate.scenario import load_scenario, resolved
from estate.solve import Limits, solve
from estate.standards.journeys import measure
from estate.standards.measured import Measured
from estate.whatif.batch import _partners
from estate.whatif.light import adjusted_place
from estate.whatif.patches import Facts, WhatIf, items, scenario_of

COUNTY = WORCESTERSHIRE
FAMILY = {"name": "partners", "kind": "partners"}


def whatif(**more):
    return WhatIf.model_validate({"name": "night", "family": [{**FAMILY, **more}]})


def facts(measured):
    return Facts((), (), (), (), (), least_gbp=0.0, today_gbp=0.0, partners=_partners(measured))


PLACES = (
    {},
    {"sites": {"jobcentre": {"agency": "landlord"}}},  # nobody enters while a tenant of today is out
    {"access_points": {"p6": {"agency": "county"}}, "sites": {"clinic": {"tenure": "freehold"}}},  # a landlord's freehold stays
)


@pytest.mark.parametrize("changes", PLACES)
def test_every_group_saves_by_settings_what_it_saves_in_the_game(changes):
    place, scenario = tiny_place(**changes), scenario_with()
    measured = Measured.of(place, scenario, measure(place, scenario))
    game, _ = game_of(measured)
    every = [tuple(np.array(game.players)[each.astype(bool)]) for each in rows(game.n)[1:]]
    asked = whatif(groups=every)
    found = {item.label: item for item in items(asked, facts(measured))[1:]}
    for group in every:
        settings = scenario_of(asked, scenario, resolved(scenario), found[" + ".join(sorted(group))].changes)
        own = adjusted_place(place, settings, settings.adjust)
        problem = formulate(Measured.of(own, settings, measured.travel)).problem
        answer = solve(problem, Limits())
        saved = cost(problem, problem.today) - answer.value
        assert saved == worth(game, np.isin(game.players, group)).low, group


def test_the_county_s_family():
    measured = prepare(load_scenario(COUNTY)).measured
    asked = whatif(groups=[["WCC", "DWP"]])
    found = {item.label: item for item in items(asked, facts(measured))}
    assert len(found) == 1 + 1 + 13 + 13 + 1
    settings = scenario_of(asked, measured.scenario, resolved(measured.scenario), found["DWP + WCC"].changes)
    outcome = decide(prepare(settings))
    assert outcome.manifest["saving_gbp_pa"] == 384_510  # as 'estate partners' finds


def test_a_group_of_others_is_refused_with_what_was_meant():
    place, scenario = tiny_place(), scenario_with()
    measured = Measured.of(place, scenario, measure(place, scenario))
    with pytest.raises(InputError) as refused:
        items(whatif(groups=[["dwp", "polise"]]), facts(measured))
    assert "'polise' is no partner" in refused.value.issues[0].message
    assert "police" in refused.value.issues[0].remedy
