"""``estate standards``: the published access standards, with their papers."""

from __future__ import annotations

from dataclasses import asdict

import click

from estate.cli.options import JSON
from estate.cli.outcome import emit_json, say


@click.group("standards", short_help="The access standards.", invoke_without_command=True)
@JSON
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """List the access standards that a scenario can use by name."""
    if ctx.invoked_subcommand:
        return
    from estate.standards.presets import presets

    if as_json:
        emit_json({name: asdict(preset) for name, preset in presets().items()})
        return
    for name, preset in presets().items():
        say(f"{name:24} {preset.title}  [{preset.status}]")
    say("\nNext: estate standards show NAME")


@command.command("show")
@click.argument("name")
@JSON
def show(*, name: str, as_json: bool) -> None:
    """Show NAME: rules, measure, source, date, status and how sure we are."""
    from estate.errors import UsageError
    from estate.scenario import Scenario, Service, Standard
    from estate.standards.presets import presets, rules
    from estate.standards.words import in_words

    preset = presets().get(name)
    if preset is None:
        raise UsageError(f"there is no standard '{name}'; there are: {', '.join(presets())}")
    if as_json:
        emit_json(asdict(preset))
        return
    service = preset.service or "service"
    standard = Standard(name=name, preset=name, service=service)
    scenario = Scenario(name="any", services={service: Service()}, standards=(standard,))
    say(preset.title)
    for rule in rules(scenario):
        say(f"  {rule.name.removeprefix(name + '-')}: {in_words(rule, scenario)}  [{rule.measure}]")
    rows = ("body", "status", "date", "source", "confidence", "note")
    for row in rows:
        say(f"{row.capitalize() + ':':12} {getattr(preset, row)}")
    say(f'\nUse it:\n  [[standards]]\n  name = "{name}"\n  preset = "{name}"')
