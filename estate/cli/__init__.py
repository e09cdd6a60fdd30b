"""The command line: thin, and quick to start.

Each verb is a module of its own, imported only when it is used, so that ``estate -h`` loads click and nothing else.
"""

from __future__ import annotations

import atexit
import sys
from importlib import import_module

import click

VERBS = {
    "new": "Make a starter place: templates, a scenario, a README.",
    "check": "List every problem in a scenario and its tables.",
    "run": "Choose the hubs: from files to maps/<scenario>/.",
    "options": "The plan beside doing nothing, the minimum and others.",
    "partners": "Who would sign the plan, and who would leave.",
    "programme": "Who moves when, and what pays for it.",
    "travel": "Build and report the travel table.",
    "map": "Redraw the page of a stored run.",
    "verify": "Check a stored run again, independently.",
    "explain": "Why there is no plan, or what a site costs.",
    "compare": "Differences between runs.",
    "whatif": "Run a batch of scenarios.",
    "nation": "Every county of England, and an atlas.",
    "standards": "The access standards that can be used by name.",
    "schema": "Every column and setting.",
    "doctor": "Versions, solver self-test, what is missing.",
}
"""Each verb and what it does, in the order of work."""


class Verbs(click.Group):
    """Lists the verbs without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order of work."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb, from its own module."""
        del ctx
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"estate.cli.verbs.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs, from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with:  estate run inputs/worcestershire",
)
@click.version_option(package_name="estate", message="%(version)s")
@click.option("--debug", is_flag=True, help="Show a traceback when something breaks.")
@click.pass_context
def group(ctx: click.Context, *, debug: bool) -> None:
    """Choose shared hubs for public services: least running cost, nobody left too far from a counter.

    A PATH is a place folder (with its estate.toml) or a scenario file; a RUN is a folder that 'estate run' made.
    Exit codes: 0 done, 2 usage, 3 bad inputs, 4 no plan can exist, 5 not proven optimal, 6 no plan found,
    7 verification failed, 8 cannot write, 9 a batch with failures, 130 interrupted.
    """
    ctx.obj = {"debug": debug}


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code."""
    from estate.cli.outcome import guarded
    from estate.cli.streams import deaf_to_interrupts, patient, say_why_it_ends

    say_why_it_ends()
    with patient():
        code = guarded(group, sys.argv[1:] if arguments is None else arguments)
    atexit.register(deaf_to_interrupts)  # the last to be registered is the first to be called
    sys.exit(code)
