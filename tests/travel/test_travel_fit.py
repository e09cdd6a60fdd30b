"""The fit of the straight-line model, and streets downloaded by name (from a recorded answer on this machine)."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from estate.errors import DownloadError, InputError
from estate.travel import Points, load_streets
from estate.travel.calibrate import calibrate, errors, through_origin
from estate.travel.download import download_streets
from estate.travel.streets import Drawn, assemble


def grid(side=21, gap=500.0):
    """Straight streets north-south and east-west at 36 km/h."""
    row, column = np.divmod(np.arange(side * side), side)
    k = np.arange(side * side)
    tail = np.concatenate([k[column < side - 1], k[row < side - 1]])
    head = np.concatenate([k[column < side - 1] + 1, k[row < side - 1] + side])
    n = len(tail)
    made = Drawn(
        400_000 + gap * column,
        250_000 + gap * row,
        tail,
        head,
        np.full(n, np.nan),
        np.full(n, 36.0),
        np.ones(n, dtype=bool),
        np.ones(n, dtype=bool),
    )
    return assemble(made, mode="drive", file="made")


def test_a_street_grid_has_the_detour_that_geometry_gives():
    made = grid()
    random = np.random.default_rng(1)
    at = random.choice(len(made.x), 60, replace=False)
    fit = calibrate(made, Points(made.x[at], made.y[at], tuple(map(str, at))))
    # On a grid the detour averages 4 / pi over directions; least squares over pairs comes close to it.
    assert fit.detour == pytest.approx(4 / np.pi, abs=0.03)
    assert fit.kmh == pytest.approx(36, rel=0.01)
    assert fit.distance.r2 > 0.8
    assert fit.distance.p5_percent < fit.distance.median_percent < fit.distance.p95_percent
    assert [band.to_km for band in fit.bands] == [2.0, 5.0, 10.0, 20.0]
    assert all(1 <= band.detour <= np.sqrt(2) + 0.01 and band.kmh == pytest.approx(36, rel=0.01) for band in fit.bands)


def test_too_few_points_near_a_street_cannot_be_fitted():
    made = grid(3)
    with pytest.raises(InputError, match="too few to fit"):
        calibrate(made, Points(np.array([400_000.0, 400_600.0]), np.array([250_000.0, 250_000.0]), ("a", "b")))


def test_errors_are_those_of_the_book():
    real, model = np.array([10.0, 20.0, 30.0]), np.array([12.0, 20.0, 27.0])
    found = errors(model, real)
    assert (found.n, found.r2) == (3, pytest.approx(1 - 13 / 200))
    assert (found.bias, found.mean_absolute, found.median_percent) == (pytest.approx(-1 / 3), pytest.approx(5 / 3), 0)
    assert through_origin(np.array([1.0, 2.0]), np.array([2.0, 4.0])) == 2


# --- download ------------------------------------------------------------------------------------------------------------

AREA = [[-0.72, 52.66], [-0.70, 52.66], [-0.70, 52.68], [-0.72, 52.68], [-0.72, 52.66]]
PLACE = [
    {
        "place_id": 1, "osm_type": "relation", "osm_id": 1, "lat": "52.67", "lon": "-0.71", "class": "boundary",
        "type": "administrative", "place_rank": 12, "importance": 0.5, "addresstype": "town", "name": "Madeham",
        "display_name": "Madeham, England", "boundingbox": ["52.66", "52.68", "-0.72", "-0.70"],
        "geojson": {"type": "Polygon", "coordinates": [AREA]},
    }
]  # fmt: skip
STREETS = {
    "version": 0.6,
    "elements": [
        *(
            {"type": "node", "id": k, "lat": 52.665 + north / 1000, "lon": -0.715 + east / 1000}
            for k, (north, east) in enumerate([(0, 0), (0, 5), (5, 5), (5, 0), (9, 5)], start=1)
        ),
        {"type": "way", "id": 1, "nodes": [1, 2, 3, 4, 1], "tags": {"highway": "residential"}},
        {"type": "way", "id": 2, "nodes": [3, 5], "tags": {"highway": "service", "foot": "no"}},
    ],
}


@pytest.fixture
def server(monkeypatch):
    """Recorded answers of a geocoder and of a street server, on this machine."""
    monkeypatch.setattr("time.sleep", lambda _: None)  # OSMnx is polite to real servers
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def _send(self):
            asked.append(self.path)
            found = STREETS if "interpreter" in self.path else PLACE if "Madeham" in self.path else []
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self._send()

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{http.server_port}"
        yield {"overpass_url": address, "nominatim_url": address, "overpass_rate_limit": False}, asked
        http.shutdown()
        thread.join()


def test_streets_by_name_are_downloaded_once_and_read(server, tmp_path):
    servers, asked = server
    path = download_streets("Madeham, England", tmp_path / "cache", servers=servers)
    drive, walk = (load_streets(path, mode=mode) for mode in ("drive", "walk"))
    assert len(drive.x) == len(walk.x) + 1 == 5  # the service road is closed to people on foot
    seen = len(asked)
    assert download_streets("Madeham, England", tmp_path / "cache", servers=servers) == path
    assert len(asked) == seen
    assert sorted(each.name for each in (tmp_path / "cache").iterdir()) == [path.name]


def test_a_download_that_fails_says_so_and_leaves_nothing(server, tmp_path):
    servers, _ = server
    with pytest.raises(DownloadError, match="'Nowhere' could not be downloaded") as caught:
        download_streets("Nowhere", tmp_path / "cache", servers=servers)
    assert caught.value.exit_code == 3
    assert not (tmp_path / "cache").exists()
