"""A place read, checked and measured: what every run of its scenarios starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from estate.errors import InputError, Issue, errors_of, raise_for
from estate.formulate import formulate
from estate.load import load, survey
from estate.place import Place
from estate.runs.files import digest_of
from estate.scenario import Method, Scenario, load_scenario
from estate.standards.journeys import measure, streets_file
from estate.standards.measured import Measured
from estate.standards.presets import rules, warnings
from estate.travel import TravelTables
from estate.validate import check, missed_today, stuck_beyond

type Say = Callable[[str], None]


def quiet(message: str) -> None:
    """Says nothing: the default of every ``say``."""
    del message


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A place read, checked and measured: what every run of its scenarios starts from."""

    measured: Measured
    issues: tuple[Issue, ...]
    inputs: Mapping[str, str]
    """SHA-256 of every file that was read, by its path as the scenario gives it."""

    def __repr__(self) -> str:
        return f"<Prepared {self.measured!r}, {len(self.issues)} things worth knowing>"

    @property
    def scenario(self) -> Scenario:
        """The settings."""
        return self.measured.scenario

    @property
    def place(self) -> Place:
        """The tables."""
        return self.measured.place

    @property
    def travel(self) -> TravelTables:
        """How far apart everything is."""
        return self.measured.travel


def prepare(scenario: Scenario, *, cache: str | Path | None = None, say: Say = quiet) -> Prepared:
    """Load, check and measure a scenario's place; raises :class:`InputError` with everything that is wrong."""
    say("reading the tables")
    place = load(scenario)
    return _measured(scenario, place, None if cache is None else Path(cache), say)


def again(prepared: Prepared, scenario: Scenario, *, cache: Path | None = None) -> Prepared:
    """The same place under other rules or another aim, checked and measured; what is read of files must be the same."""
    return _measured(scenario, prepared.place, cache, quiet)


def _measured(scenario: Scenario, place: Place, cache: Path | None, say: Say) -> Prepared:
    issues = (*place.issues, *check(scenario, place), *warnings(scenario))
    raise_for(issues)
    say("measuring travel")
    inputs = dict(place.digests)
    if scenario.travel.method is Method.NETWORK and scenario.travel.streets:
        streets = streets_file(scenario, cache)
        if streets.is_file():
            inputs[scenario.travel.streets] = digest_of(streets)
    asked = rules(scenario)
    measured = Measured(place, scenario, measure(place, scenario, asked=asked, cache=cache), asked)
    issues = (*issues, *measured.travel.notes, *_missed(measured))
    return Prepared(measured, issues, dict(sorted(inputs.items())))


def _missed(measured: Measured) -> Iterator[Issue]:
    """Warnings of limits that half of their people are beyond today, and of those under which nobody may go any farther."""
    for rule in measured.rules:
        share = measured.share_today(rule)
        issue = None if share is None else missed_today(rule.name, share, file=measured.scenario.file.name)
        if issue is not None:
            yield issue
    stuck = stuck_beyond({rule.name: measured.stuck_today(rule) for rule in measured.rules}, file=measured.scenario.file.name)
    if stuck is not None:
        yield stuck


def problems(path: str | Path, changes: Sequence[str] = ()) -> tuple[Issue, ...]:
    """Everything ``estate check`` has to say about a scenario and its tables, errors first; never raises for bad inputs."""
    try:
        scenario = load_scenario(path, changes)
    except InputError as error:
        return tuple(error.issues) or (Issue("input", str(error)),)
    place = survey(scenario)
    found = (*place.issues, *check(scenario, place), *warnings(scenario))
    if not errors_of(found):
        try:
            measured = Measured.of(place, scenario, measure(place, scenario))
            found = (*found, *measured.travel.notes, *_missed(measured), *formulate(measured).notes)
        except InputError as error:
            found = (*found, *error.issues)
    order = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(found, key=lambda issue: order[str(issue.severity)]))
