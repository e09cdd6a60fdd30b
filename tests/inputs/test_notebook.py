"""The example notebook: it runs from top to bottom as it stands, ends with the map, and is stored without outputs."""

import ast
import json

from repository import INPUTS

NOTEBOOK = json.loads((INPUTS / "first-look.ipynb").read_text())
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def shown(source, names):
    """Run a cell as a notebook does: the value of its last line, where that is an expression."""
    *body, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        body, last = [*body, last], None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_outputs_are_stripped():
    for cell in NOTEBOOK["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_it_goes_from_a_folder_to_a_map_in_a_dozen_cells(monkeypatch):
    monkeypatch.chdir(INPUTS)
    assert len(CODE) <= 12
    names = {}
    cells = [shown(source, names) for source in CODE]
    for cell in cells:
        assert hasattr(cell, "to_html") or len(repr(cell)) < 200, "what a cell shows fits on a line, or is a table"
    assert names["answer"].value == names["answer"].bound
    assert names["outcome"].verdict.ok
    assert names["centre"].value == 400 * 900 + 200 * 700 + 100 * 1300
    closed, costs = (cell for cell in cells if hasattr(cell, "columns") and len(cell.columns) == 3)
    assert len(closed) > 0
    assert len(costs) > 0
    assert len(names["today"].tables["moves"]) == 0
    page = cells[-1]
    assert page.html.startswith("<!DOCTYPE html>") or page.html.startswith("<!doctype html>")
    assert page._repr_html_().startswith('<iframe srcdoc="&lt;!')


def test_what_a_notebook_shows_is_short():
    """A line each, whatever they hold."""
    import estate

    scenario = estate.load_scenario(str(INPUTS / "worcestershire"))
    prepared = estate.prepare(scenario)
    formulated = estate.formulate(prepared.measured)
    for each in (scenario, prepared, prepared.measured, prepared.place, prepared.place.today, prepared.travel, formulated,
                 formulated.problem):  # fmt: skip
        assert "\n" not in repr(each)
        assert len(repr(each)) < 250, repr(each)
    assert str(scenario) == repr(scenario)
