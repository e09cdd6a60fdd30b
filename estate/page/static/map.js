"use strict";
// Dresses the map that folium drew: shades areas, shapes and sizes buildings, shows moves, for a view and a service.
(() => {
  // Light to dark, safe for every kind of colour vision: near to far, and orange (farther) against purple (nearer).
  const FAR = ["#f4f5e6", "#dfeccd", "#bcdcc4", "#8cc5c2", "#5aa5bc", "#397eab", "#28558a"];
  const FARTHER = ["#fde0b8", "#fdb863", "#e08214", "#a84b03"];
  const NEARER = ["#dcdcee", "#b2abd2", "#8073ac", "#542788"];
  const SAME = "#f6f4ee";
  const UNKNOWN = "#8d8d8d";

  const OUTCOME = {
    "hub": { shape: "circle", fillColor: "#17365d", color: "#ffffff", weight: 2, fillOpacity: 1 },
    "retained": { shape: "square", fillColor: "#6f7d8c", color: "#ffffff", weight: 1.5, fillOpacity: 1 },
    "released": { shape: "diamond", fillColor: "#ffffff", color: "#c2410c", weight: 2.5, fillOpacity: 1 },
    "closed to services": { shape: "triangle", fillColor: "#ffffff", color: "#6f7d8c", weight: 2, fillOpacity: 1 },
    "not in use": { shape: "square", fillColor: "#ffffff", color: "#6f7d8c", weight: 1.5, fillOpacity: 1 },
    "outside": { shape: "circle", fillColor: "#ffffff", color: "#6f7d8c", weight: 1.5, fillOpacity: 1 },
  };

  // Which band a value is in, given where the bands end; the last is open.
  const band = (ends, value) => {
    const at = ends.findIndex((end) => value < end);
    return at < 0 ? ends.length : at;
  };

  const farColour = (unit, value) => (value === null ? UNKNOWN : FAR[band(unit.bands, value / unit.size)]);

  const changeColour = (unit, before, after) => {
    if (before === null || after === null) return UNKNOWN;
    const size = Math.abs(after - before) / unit.size;
    if (size < unit.changes[0]) return SAME;
    return (after > before ? FARTHER : NEARER)[band(unit.changes.slice(1), size)];
  };

  // The key to the shading: colours with words.
  estate.shadeKey = (unit, view) => {
    const words = (ends, i) => (i === 0 ? `under ${ends[0]}` : i === ends.length ? `over ${ends[i - 1]}` : `${ends[i - 1]} to ${ends[i]}`);
    if (view !== "change") return FAR.map((colour, i) => [colour, words(unit.bands, i)]);
    const ends = unit.changes.slice(1);
    const far = FARTHER.map((colour, i) => [colour, `${words(ends, i)} farther`]);
    const near = NEARER.map((colour, i) => [colour, `${words(ends, i)} nearer`]);
    return [...near.reverse(), [SAME, "no change"], ...far];
  };

  estate.Atlas = class {
    // `map` and `layers` are folium's, by name; `data` describes what is at each position.
    constructor(data, onSelect, label = "Map") {
      this.data = data;
      this.label = label;
      this.map = window[data.map];
      this.layers = Object.fromEntries(Object.entries(data.layers).map(([name, id]) => [name, window[id]]));
      this.parts = Object.fromEntries(["zones", "moves", "sites"].map((name) => [name, this._ordered(name)]));
      this.moves = data.points.name.map((_, i) => i).filter((i) => data.points.home[i] !== data.points.host[i]);
      for (const [name, zone] of Object.entries(data.zones)) if (zone && zone.before) this._unpack(data.zones[name]);
      this.layers.background.setStyle((feature) => ({
        interactive: false, fill: false, className: "ground", color: feature.properties.kind === "road" ? "#b9ab93" : "#8c8574",
        weight: feature.properties.kind === "road" ? 1.2 : 1.4, opacity: 0.9,
      }));
      this.parts.moves.forEach((line) => estate.arrow(line));
      this.layers.zones.bindTooltip((layer) => this._zoneWords(layer.feature.properties.i), { sticky: true });
      this.layers.sites.bindTooltip((layer) => this._siteWords(layer.feature.properties.i), { direction: "top", offset: [0, -8] });
      this.layers.moves.bindTooltip((layer) => this._moveWords(layer.feature.properties.i), { sticky: true });
      this.parts.sites.forEach((mark, i) => mark.on("click", () => onSelect(i)));
      this._towns();
      this._frame();
      this.map.on("zoomend", () => { if (this.state) { this._mark(); this.select(this.state.site); } });
    }

    _ordered(name) {
      const found = [];
      this.layers[name].eachLayer((layer) => { found[layer.feature.properties.i] = layer; });
      return found;
    }

    // Changes come as a short list of positions: spread them over a copy of today's journeys.
    _unpack(journey) {
      const after = journey.before.slice();
      journey.at.forEach((at, i) => { after[at] = journey.after[i]; });
      journey.after = after;
    }

    _frame() {
      const box = this.map.getContainer();
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", `${this.label}. Arrow keys move it, plus and minus zoom. Everything on it is also in the tables below.`);
      // The wheel scrolls the page until the map is chosen, so that nobody gets stuck on it.
      box.addEventListener("focusin", () => this.map.scrollWheelZoom.enable());
      box.addEventListener("focusout", () => this.map.scrollWheelZoom.disable());
      box.addEventListener("mouseleave", () => this.map.scrollWheelZoom.disable());
      this.map.on("click", () => this.map.scrollWheelZoom.enable());
      new ResizeObserver(() => this.map.invalidateSize({ animate: false })).observe(box);
    }

    // Names of towns, the first come written first; a name that would lie on another waits for a closer look.
    _towns() {
      const labels = this.data.towns.map((town) =>
        L.tooltip({ permanent: true, direction: "top", offset: [0, -9], className: "town", interactive: false }).setLatLng(town.at).setContent(estate.name(town.name)));
      const place = () => {
        const taken = [];
        labels.forEach((label) => {
          const at = this.map.latLngToLayerPoint(label.getLatLng());
          const half = 4 + 3.4 * label.getContent().textContent.length;
          const free = taken.every(([other, reach]) => Math.abs(at.x - other.x) > half + reach || Math.abs(at.y - other.y) > 17);
          if (free) taken.push([at, half]);
          if (free !== this.map.hasLayer(label)) { if (free) label.addTo(this.map); else label.remove(); }
        });
      };
      this.map.on("zoomend", place);
      place();
    }

    show(state) {
      this.state = state;
      this._shade();
      this._mark();
      this._lines();
      this.select(state.site);
    }

    _shade() {
      const journey = this.data.zones[this.state.service];
      const { view } = this.state;
      this.parts.zones.forEach((area, i) => {
        if (!area) return;
        const [before, after] = journey ? [journey.before[i], journey.after[i]] : [null, null];
        const { unit } = this.data;
        let colour = SAME;
        if (journey) colour = view === "change" ? changeColour(unit, before, after) : farColour(unit, view === "today" ? before : after);
        area.setStyle({ fillColor: colour, color: colour, weight: 0.6, opacity: 0.9, fillOpacity: 0.82 });
      });
    }

    // What a building is in the view: today's word or the plan's.
    outcome(i) {
      return estate.word(this.state.view === "today" ? this.data.sites.before : this.data.sites.after, i);
    }

    // Whether a building has the chosen service, in the view.
    _offers(i) {
      const { service, view } = this.state;
      if (service === "all") return true;
      if (!this._serving) {
        this._serving = {};
        this.data.points.name.forEach((_, p) => {
          const own = (this._serving[this.data.points.service[p]] ||= { today: new Set(), plan: new Set() });
          own.today.add(this.data.points.home[p]);
          own.plan.add(this.data.points.host[p]);
        });
      }
      const own = this._serving[this.data.services.findIndex((each) => each.id === service)];
      if (!own) return true;
      return view === "change" ? own.today.has(i) || own.plan.has(i) : own[view].has(i);
    }

    _mark() {
      const { sites } = this.data;
      // Marks shrink as the map is seen from farther away, so that a phone shows a county and not a heap.
      const crowd = this.parts.sites.length > 1500;
      const near = Math.min(1.25, Math.max(crowd ? 0.25 : 0.6, 1 + (this.map.getZoom() - 9.5) * 0.22));
      const fine = Math.min(1, near + (crowd ? 0 : 0.4));
      this.parts.sites.forEach((mark, i) => {
        const outcome = this.outcome(i);
        const style = OUTCOME[outcome];
        const gone = this.state.view === "plan" && outcome === "released";
        if (!style || gone) {
          mark.setStyle({ opacity: 0, fillOpacity: 0, radius: 1, interactive: false });
          return;
        }
        const used = (this.state.view === "today" || outcome === "released" ? sites.usedBefore : sites.usedAfter) || [];
        const radius = near * Math.min(15, 4 + 0.19 * Math.sqrt(used[i] || 0));
        const quiet = this._offers(i) ? 1 : 0.28;
        mark.setStyle({ ...style, weight: style.weight * fine, radius, opacity: quiet, fillOpacity: quiet });
      });
      // What changes lies on top of what stays.
      for (const wanted of ["released", "hub"]) this.parts.sites.forEach((mark, i) => { if (this.outcome(i) === wanted) mark.bringToFront(); });
    }

    _lines() {
      const { view, service } = this.state;
      this.parts.moves.forEach((line, i) => {
        const own = service === "all" || this.data.services[this.data.points.service[this.moves[i]]]?.id === service;
        const opacity = view !== "change" ? 0 : own ? 0.95 : 0.14;
        const weight = (own ? 1.8 : 1.2) * (this.parts.sites.length > 1500 ? 0.5 : 1);
        line.setStyle({ color: "#1d2733", weight, opacity, fill: false });
      });
    }

    select(i) {
      if (this.chosen) this.chosen.remove();
      this.chosen = null;
      if (i === null || i === undefined || !this.parts.sites[i]) return;
      const mark = this.parts.sites[i];
      this.chosen = L.circleMarker(mark.getLatLng(), { pane: mark.options.pane, radius: (mark.getRadius() || 6) + 6, color: "#111111", weight: 3, fill: false, interactive: false }).addTo(this.map);
    }

    // Rings drawn for good round some buildings.
    ring(positions) {
      positions.forEach((i) => {
        const mark = this.parts.sites[i];
        L.circleMarker(mark.getLatLng(), { pane: mark.options.pane, radius: 13, color: "#b0006d", weight: 2.5, dashArray: "4 3", fill: false, interactive: false }).addTo(this.map);
      });
    }

    // Brings a building into view; `closer`, to where its town can be told apart.
    reveal(i, closer = false, animate = estate.motion) {
      const at = this.parts.sites[i].getLatLng();
      const zoom = this.map.getZoom();
      if (closer && zoom < 11) this.map.setView(at, 11.5, { animate });
      else if (!this.map.getBounds().pad(-0.1).contains(at)) this.map.setView(at, zoom, { animate });
    }

    _siteWords(i) {
      const outcome = this.outcome(i);
      return estate.el("span", null, estate.el("strong", null, estate.name(this.data.sites.name[i])), estate.el("br"), this.data.outcomes[outcome] || outcome);
    }

    _moveWords(i) {
      const { points, sites } = this.data;
      const p = this.moves[i];
      return estate.el("span", null, estate.el("strong", null, estate.name(points.name[p])), estate.el("br"),
        "from ", estate.name(sites.name[points.home[p]]), estate.el("br"), "to ", estate.name(sites.name[points.host[p]]));
    }

    _zoneWords(i) {
      const { zones, sites, square } = this.data;
      const title = square ? `${estate.plural(zones.held[i], "small area")} in a square of ${square / 1000} km` : zones.name[i];
      const lines = [estate.el("strong", null, estate.name(title)), ` ${estate.count(zones.people[i])} people`];
      const journey = zones[this.state.service];
      if (journey) {
        const nearest = (list) => (list && list[i] >= 0 && sites.name[list[i]] ? [" (", estate.name(sites.name[list[i]]), ")"] : []);
        lines.push(estate.el("br"), "Today: ", estate.journey(journey.before[i], this.data.unit), ...nearest(journey.siteBefore));
        lines.push(estate.el("br"), "In the plan: ", estate.journey(journey.after[i], this.data.unit), ...nearest(journey.siteAfter));
        if (journey.within && journey.within[i] === 0) lines.push(estate.el("br"), "Beyond the limit");
      }
      return estate.el("span", null, lines);
    }
  };
})();
