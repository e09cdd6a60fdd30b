"""One file out of many: templates, our styles and scripts, and Leaflet from its installed package, sealed by a content policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markupsafe import Markup

from estate.errors import InputError
from estate.page import words

LEAFLET = "js_lib_leaflet/static/js_lib_leaflet"
LEAFLET_NOTICE = "Leaflet 1.9.4, © 2010–2023 Volodymyr Agafonkin, © 2010–2011 CloudMade. BSD 2-Clause licence."

_IMAGE = re.compile(r"url\(images/[^)]*\)")
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


@cache
def static(name: str) -> str:
    """One of our own styles or scripts."""
    return (files("estate.page") / "static" / name).read_text("utf-8")


@cache
def leaflet(name: str) -> str:
    """A file of the installed Leaflet, without its links to images and source maps: those would be requests."""
    package, _, folder = LEAFLET.partition("/")
    text = (files(package) / folder / name).read_text("utf-8").replace("\r\n", "\n")
    return _SOURCE_MAP.sub("", _IMAGE.sub("none", text))


@cache
def leaflet_licence() -> str:
    """The whole licence, as the package carries it: it asks to be reproduced wherever the code is."""
    from importlib.metadata import distribution  # noqa: PLC0415 - only needed here, and slow

    return distribution("django-js-lib-leaflet").read_text("LICENSE") or LEAFLET_NOTICE


def as_json(data: Any) -> Markup:
    """Compact JSON that cannot end its own script element, whatever the names in it say."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text.encode("utf-8", "replace").decode())  # noqa: S704 - escaped just above


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy(scripts: Iterable[str], styles: Iterable[str], tiles: str = "") -> str:
    """A Content-Security-Policy under which only these very scripts and styles work and nothing is fetched, tiles apart."""
    images = "data:"
    if tiles:
        parts = urlsplit(tiles)
        host = re.sub(r"^[{]s[}]", "*", parts.netloc)
        if parts.scheme not in ("http", "https") or not re.fullmatch(r"[*a-z0-9.:-]+", host, re.IGNORECASE):
            raise InputError(f"page.tiles = '{tiles}' is not an address of tiles: write https://host/{{z}}/{{x}}/{{y}}.png")
        images += f" {parts.scheme}://{host}"
    rules = {
        "default-src": "'none'",
        "img-src": images,
        "style-src": " ".join(_hash(style) for style in styles) or "'none'",
        "script-src": " ".join(_hash(script) for script in scripts) or "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@cache
def environment() -> Environment:
    """The templates, escaping everything that is not marked safe, with the words of :mod:`estate.page.words` as filters."""
    made = Environment(
        loader=PackageLoader("estate.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in ("clean", "plain", "count", "gbp", "gbp_short", "area", "miles", "minutes", "percent", "plural", "listed"):
        made.filters[name] = getattr(words, name)
    made.filters["json"] = as_json
    return made


def write(
    template: str,
    context: Mapping[str, Any],
    *,
    styles: Iterable[str] = (),
    scripts: Iterable[str] = (),
    tiles: str = "",
    templates: Path | None = None,
) -> str:
    """The finished page: the template filled, everything inline, the policy listing what may run.

    ``styles`` and ``scripts`` are texts, in the order in which they apply.  ``templates`` is a folder that holds the template,
    where it is none of the program's own; it may build on those.
    """
    rooms = environment()
    if templates is not None:
        rooms = rooms.overlay(loader=ChoiceLoader([FileSystemLoader(templates), PackageLoader("estate.page")]))
    styles = [_inline(text) for text in styles]
    scripts = [_inline(text) for text in scripts]
    text = rooms.get_template(template).render(
        **context,
        policy=policy(scripts, styles, tiles),
        styles=[Markup(style) for style in styles],  # noqa: S704 - our own files
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files, and folium's drawing of our numbers
    )
    return text.encode("utf-8", "replace").decode()


def _inline(text: str) -> str:
    """Text as a script or style element holds it: the hash must see exactly what the browser sees."""
    if re.search(r"</(script|style)", text, re.IGNORECASE):
        raise ValueError("a script or style that ends its own element cannot be inlined")
    return "\n" + text.replace("\r\n", "\n").replace("\r", "\n").strip("\n") + "\n"
