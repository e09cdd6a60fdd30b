"""Names that people use for numbered small areas."""

from estate.england.neighbourhoods import people_say


def test_parts_of_a_neighbourhood_are_told_apart_and_the_unknown_keeps_its_name():
    said = people_say(["Bristol 023A", "Bristol 023B", "Nowhere 001A", "Ward of Oz"])
    assert said == ["St Paul's, part A", "St Paul's, part B", "Nowhere 001A", "Ward of Oz"]


def test_all_names_of_a_place_differ():
    """Two neighbourhoods of one name are told apart by their district, in one district by their number."""
    from estate.england.neighbourhoods import _names

    areas = [f"{area}{letter}" for area in _names() for letter in "AB"]
    said = people_say(areas)
    assert len(set(said)) == len(areas)
    assert not [name for name in said if name.startswith(",")]
