"""What is written for people is true: every command and option says what it does, and every file that is named is there."""

import re

import click
import pytest
from repository import ROOT

from estate.cli import group
from estate.scenario import Objective

GUIDE = (ROOT / "estate" / "README.md").read_text()
PAGES = [
    ROOT / name for name in (".github/CONTRIBUTING.md", ".github/CHANGELOG.md", "estate/README.md", "scripts/bench/NOTES.md")
]
COMMANDS = group.list_commands(click.Context(group))


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_command_and_option_says_what_it_does(verb):
    command = group.get_command(click.Context(group), verb)
    assert command.help, verb
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"estate {verb} {parameter.opts[0]} does not say what it does"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page):
    """A path in code quotes is of the repository, of the page's own folder, or of a package in it."""
    text = page.read_text()
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|md|ipynb))`", text))
    assert named or page.name == "CHANGELOG.md"
    roots = (ROOT, page.parent, ROOT / "estate", ROOT / "estate" / "solve", ROOT / "tests")
    missing = {name for name in named - {"maps/", "estate.toml"} if not any((root / name).exists() for root in roots)}
    missing = {name for name in missing if not any((root / f"{name}.py").exists() for root in roots)}
    assert missing == set()
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert (page.parent / target).exists(), target


def test_the_guide_shows_every_package_once():
    table = GUIDE.partition("# Inside")[0]
    for init in sorted((ROOT / "estate").glob("*/__init__.py")):
        if (package := init.parent.name) not in {"cli", "start", "england"}:
            assert f"`{package}/`" in table, f"estate/README.md does not show {package}/"


def test_the_glossary_has_a_meaning_for_each_word():
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", GUIDE.partition("# Words")[2].partition("# How")[0], re.MULTILINE)
    words = [word for word, _ in rows[1:]]
    assert len(words) == len(set(words)) > 20


def test_an_objective_touches_fewer_than_eight_files():
    """The guide's list is complete: no other file keeps a table with a line for each objective."""
    recipe = GUIDE.partition("**(a) An objective.**")[2].partition("**(b)")[0]
    files = set(re.findall(r"`([\w/]+\.py)`", recipe))
    assert 0 < len(files) < 8
    for file in (ROOT / "estate").rglob("*.py"):
        named = {name for name in Objective.__members__ if f"Objective.{name}" in file.read_text()}
        name = str(file.relative_to(ROOT / "estate"))
        assert len(named) < len(Objective) or name in files, f"{name} has a line for each objective"
