"""What the project promises about itself: structure, set-up, start-up and the commands its README shows."""

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
README = (ROOT / "README.md").read_text()
PINS = ["run", "test"]


def pinned(name: str) -> dict[str, str]:
    """Distribution name -> version, of one requirements file."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    found = (re.match(r"([\w.-]+)==([^\s;]+)", line) for line in lines)
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def wanted(group: str) -> list[Requirement]:
    """What pyproject.toml asks for, `include-group` followed."""
    entries = PROJECT["dependency-groups"][group]
    own = [Requirement(entry) for entry in entries if isinstance(entry, str)]
    return own + [nested for entry in entries if isinstance(entry, dict) for nested in wanted(entry["include-group"])]


def test_imports_go_one_way(monkeypatch):
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0


def test_one_meaning_a_name():
    """A public class is defined once; the referee, which shares nothing with what it judges, has its own words."""
    defined: dict[str, list[str]] = {}
    for file in sorted((ROOT / "estate").rglob("*.py")):
        if "verify" not in file.parts:
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    defined.setdefault(node.name, []).append(str(file.relative_to(ROOT)))
    assert {name: files for name, files in defined.items() if len(files) > 1} == {}


def test_tests_lie_where_the_packages_lie():
    packages = {file.parent.relative_to(ROOT / "estate") for file in (ROOT / "estate").rglob("__init__.py")}
    for file in (ROOT / "tests").rglob("test_*.py"):
        folder = file.parent.relative_to(ROOT / "tests")
        assert folder in packages or folder.name in {"inputs", "scripts"}, f"{file.relative_to(ROOT)} mirrors no package"


def test_help_imports_click_only():
    code = """
import sys
before = set(sys.modules)
from estate.cli import main
try:
    main(["-h"])
except SystemExit:
    pass
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(tops - sys.stdlib_module_names - {"estate"}), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["click"]


def test_public_names_are_there():
    import estate

    assert estate.__all__ == sorted(estate.__all__, key=lambda name: (name != "__version__", name.lower()))
    for name in estate.__all__:
        assert getattr(estate, name).__doc__, f"{name} has no docstring"
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = estate.no_such_name


def test_public_names_are_typed():
    """What an editor and mypy read is what is there: the two lists of estate/__init__.py say the same."""
    import estate

    (typed,) = (node for node in ast.parse((ROOT / "estate" / "__init__.py").read_text()).body if isinstance(node, ast.If))
    assert {each.names[0].asname: each.module for each in typed.body} == estate._PUBLIC


def test_a_public_name_is_no_package():
    """``estate.solve`` is the function even after the package of that name is loaded."""
    code = "import estate, estate.solve.engine, estate.formulate, estate.appraise; print(*map(callable, [{}]))"
    asked = code.format("estate.solve, estate.formulate, estate.appraise")
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 3


@pytest.mark.parametrize("name", PINS)
def test_pins_are_hashed_and_name_no_index(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-", text.replace("    --hash=sha256:", "    "), re.MULTILINE), "an option of pip's"
    for requirement in re.split(r"\n(?=\S)", text):
        assert requirement.startswith("#") or "--hash=sha256:" in requirement, requirement


@pytest.mark.parametrize("name", PINS)
def test_pins_answer_pyproject(name):
    pins = pinned(name)
    asked = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    asked += wanted({"run": "build", "test": "test"}[name])
    for requirement in asked:
        version = pins.get(canonicalize_name(requirement.name))
        assert version, f"scripts/pin has not seen {requirement}"
        assert version in requirement.specifier, f"{requirement} but {version} is pinned: run scripts/pin"


def test_tests_run_on_what_users_run():
    assert pinned("run").items() <= pinned("test").items()


@pytest.mark.parametrize("script", ["scripts/demo", "scripts/test", "scripts/pin", ".ci/run"])
def test_scripts_are_runnable(script):
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def shell_lines() -> list[str]:
    """The commands in README's fenced shell blocks, one a line, prompts and comments removed."""
    blocks = re.findall(r"^```(?:bash|sh|shell|console)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.strip() and not line.startswith("#")]


def test_readme_commands_exist():
    import click

    from estate.cli import group as main

    for line in shell_lines():
        program, *words = shlex.split(line, comments=True) or [""]
        if program.startswith("scripts/"):
            assert (ROOT / program).exists(), line
        if program != "estate" or not words or words[0].startswith("-"):
            continue
        command = main.get_command(click.Context(main), words[0])
        assert command is not None, f"README shows `{line}`, which is no command"
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        shown = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert shown <= known | {"-h", "--help"}, line


def test_readme_opens_with_two_commands_and_names_every_verb():
    import click

    from estate.cli import group as main

    assert shell_lines().index("scripts/demo") < shell_lines().index("scripts/test")
    for verb in main.list_commands(click.Context(main)):
        assert f"estate {verb}" in README, f"README does not mention `estate {verb}`"
