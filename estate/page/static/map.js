"use strict";
// Dresses the map that folium drew: shades areas, shapes and sizes buildings, shows moves, for a view and a service.
(() => {
  // From the ground's own shade to what stands out most on it, safe for every kind of colour vision: near to far, and orange
  // (farther) against purple (nearer).  The darkest is the most on paper, the brightest in the dark.
  const LIGHT = {
    far: ["#f4f5e6", "#dfeccd", "#bcdcc4", "#8cc5c2", "#5aa5bc", "#397eab", "#28558a"],
    farther: ["#fde0b8", "#fdb863", "#e08214", "#a84b03"],
    nearer: ["#dcdcee", "#b2abd2", "#8073ac", "#542788"],
    same: "#f6f4ee", unknown: "#8d8d8d",
    hub: "#17365d", kept: "#6f7d8c", gone: "#c2410c", bare: "#ffffff", halo: "#ffffff", ink: "#1d2733", ring: "#111111", picked: "#8a0f5c",
    outline: "#8c8574", road: "#b9a27c", river: "#7fa8c9",
  };
  const DARK = {
    far: ["#222b30", "#27424a", "#2b5a66", "#367887", "#55999f", "#8fc2ba", "#d9ecd9"],
    farther: ["#4d3417", "#84500f", "#cf7f1c", "#ffc476"],
    nearer: ["#33314a", "#534c82", "#8479bd", "#cac2f3"],
    same: "#262c31", unknown: "#6b6b6b",
    hub: "#8fb9ee", kept: "#94a1af", gone: "#ff8f5f", bare: "#1c2126", halo: "#0f1417", ink: "#eef1f4", ring: "#ffffff", picked: "#ff8fd0",
    outline: "#77736a", road: "#7d6f55", river: "#43708f",
  };
  const MOST_NUMBERS = 99;
  const MANY_MOVES = 24;

  // The colours of the moment: paper is always light.
  estate.dark = window.matchMedia("(prefers-color-scheme: dark)");
  estate.colours = () => (estate.dark.matches && !document.body.classList.contains("printing") ? DARK : LIGHT);

  // How what becomes of a building is drawn: its shape, its filling, its edge.
  const OUTCOME = {
    "hub": { shape: "circle", fill: "hub", edge: "halo", weight: 2 },
    "retained": { shape: "square", fill: "kept", edge: "halo", weight: 1.5 },
    "released": { shape: "diamond", fill: "bare", edge: "gone", weight: 2.5 },
    "closed to services": { shape: "triangle", fill: "bare", edge: "kept", weight: 2 },
    "not in use": { shape: "square", fill: "bare", edge: "kept", weight: 1.5 },
    "outside": { shape: "circle", fill: "bare", edge: "kept", weight: 1.5 },
  };

  // Where a name may stand about its town: a share of its width to the side, pixels up or down.
  const SPOTS = [[0, -17], [0, 17], [1, 0], [-1, 0], [0, -30], [0, 30]];

  const GROUND = { outline: 1.4, road: 1.6, river: 1.8 };

  // Which class a value is in, given where the classes end; the last is open.
  const band = (ends, value) => {
    const at = ends.findIndex((end) => value < end);
    return at < 0 ? ends.length : at;
  };

  // Fewer classes than colours: the darker ones, so that the worst is dark.
  const scale = (colours, n) => colours.slice(colours.length - n);

  // The strokes of the ring round the chosen building: a wide one under a narrow one, seen on any ground.
  estate.ring = () => [[estate.colours().halo, 7], [estate.colours().ring, 3.5]];

  // The classes of a view: [colour, words], in the order of the key.
  estate.shadeKey = (unit, view) => {
    const colours = estate.colours();
    if (view !== "change") return [...unit.bandWords.map((words, i) => [colours.far[i], words]), [colours.unknown, "out of reach"]];
    const n = unit.changeWords.length;
    const far = unit.changeWords.map((words, i) => [scale(colours.farther, n)[i], `${words} farther`]);
    const near = unit.changeWords.map((words, i) => [scale(colours.nearer, n)[i], `${words} nearer`]);
    return [...far.reverse(), [colours.same, "no change to speak of"], ...near, [colours.unknown, "out of reach"]];
  };

  // The colour of a journey in a view.
  const colourOf = (unit, view, before, after) => {
    const shown = view === "today" ? before : after;
    const colours = estate.colours();
    if (view !== "change") return shown === null || shown === undefined ? colours.unknown : colours.far[band(unit.bands, shown)];
    if (before === null || after === null || before === undefined) return colours.unknown;
    const size = Math.abs(after - before);
    if (size <= unit.same) return colours.same;
    return scale(after > before ? colours.farther : colours.nearer, unit.changeWords.length)[band(unit.changes, size)];
  };

  // What a building is to people for one service, in words: for how many it is the nearest, today and in the plan.
  estate.served = (data, i, service) => {
    const journey = data.zones[service];
    const label = data.services.find((each) => each.id === service)?.label;
    if (!journey || !journey.siteBefore || !label) return "";
    const people = (list) => list.reduce((sum, site, zone) => sum + (site === i ? data.zones.people[zone] : 0), 0);
    const [today, plan] = [people(journey.siteBefore), people(journey.siteAfter)];
    return today || plan ? `${label}: the nearest for ${estate.count(today)} people today, ${estate.count(plan)} in the plan` : `No ${label} is nearest here`;
  };

  estate.Atlas = class {
    // `map` and `layers` are folium's, by name; `data` describes what is at each position.
    constructor(data, onSelect, { label = "Map", onZone = null } = {}) {
      this.data = data;
      this.label = label;
      this.map = window[data.map];
      this.layers = Object.fromEntries(Object.entries(data.layers).map(([name, id]) => [name, window[id]]));
      this.parts = Object.fromEntries(["zones", "moves", "sites"].map((name) => [name, this._ordered(name)]));
      this.moves = data.points.name.map((_, i) => i).filter((i) => data.points.home[i] !== data.points.host[i]);
      for (const [name, zone] of Object.entries(data.zones)) if (zone && zone.before) this._unpack(data.zones[name]);
      this.parts.moves.forEach((line, i) => estate.arrow(line, ...this.ends(i).map((at) => this.parts.sites[at])));
      this.layers.zones.bindTooltip((layer) => this._zoneWords(layer.feature.properties.i), { sticky: true });
      this.layers.sites.bindTooltip((layer) => this._siteWords(layer.feature.properties.i), { sticky: true, direction: "top", offset: [0, -8] });
      this.layers.moves.bindTooltip((layer) => this._moveWords(layer.feature.properties.i), { sticky: true });
      this.parts.sites.forEach((mark, i) => mark.on("click", () => onSelect(i)));
      if (onZone) this.parts.zones.forEach((area, i) => area.on("click", () => onZone(i)));
      this.parts.sites.forEach((mark, i) => {
        mark.on("mouseover", () => this._point(i));
        mark.on("mouseout", () => this._point(null));
      });
      this.numbers = this.labels(this.map);
      this.stalks = this.numbers.map(([site]) => [site, estate.stalk(this.parts.sites[site], this.parts.moves.find(Boolean)?.options.pane || "overlayPane").addTo(this.map)]);
      this._towns();
      this._frame();
      this.map.on("zoomend", () => { if (this.state) this._draw(); });
      this.map.on("moveend", () => { if (this.state) this.name(); });
    }

    // The positions of the buildings a move is between.
    ends(i) {
      const { points } = this.data;
      return [points.home[this.moves[i]], points.host[this.moves[i]]];
    }

    // The numbers of the buildings that close, for a map; not where there are too many to read.
    labels(map) {
      const found = Object.entries(this.data.numbers).map(([site, number]) => [Number(site), number]);
      if (found.length > MOST_NUMBERS) return [];
      return found.filter(([site]) => this.parts.sites[site]).map(([site, number]) => [site,
        L.tooltip({ permanent: true, direction: "center", className: "pinned", interactive: false, offset: [0, 0], opacity: 1 })
          .setLatLng(this.parts.sites[site].getLatLng()).setContent(String(number))]);
    }

    // Shows the numbers at their marks, or hides them where the buildings are not shown as closed.
    number(map, labels, marks) {
      labels.forEach(([site, label]) => {
        const wanted = this.state.view !== "plan" && !(this.state.view === "change" && this.outcome(site) !== "released");
        label.options.offset = marks[site].options.shift || L.point(0, 0);
        if (wanted) { if (map.hasLayer(label)) label.update(); else label.addTo(map); } else label.remove();
      });
    }

    // A building that is pointed at picks out its moves.
    _point(i) {
      this.pointed = i;
      this._lines();
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
      box.setAttribute("role", "application");
      box.setAttribute("aria-roledescription", "map");
      box.setAttribute("aria-label", `${this.label}. Arrow keys go from building to building, Enter opens one, Escape lets go, plus and minus zoom. Everything on it is also in the tables below.`);
      // The wheel scrolls the page until the map is chosen, so that nobody gets stuck on it.
      box.addEventListener("focusin", () => this.map.scrollWheelZoom.enable());
      box.addEventListener("focusout", () => this.map.scrollWheelZoom.disable());
      box.addEventListener("mouseleave", () => this.map.scrollWheelZoom.disable());
      this.map.on("click", () => this.map.scrollWheelZoom.enable());
      new ResizeObserver(() => this.map.invalidateSize({ animate: false })).observe(box);
    }

    // Names of towns, the first come written first, where no number and no other name is; one that finds no room waits for
    // a closer look.
    _towns() {
      const labels = this.data.towns.map((town) =>
        L.tooltip({ permanent: true, direction: "center", className: town.beyond ? "town beyond" : "town", interactive: false, offset: [0, 0], opacity: 1 })
          .setLatLng(town.at).setContent(estate.name(town.name)));
      this.name = () => {
        const taken = this.numbers.filter(([, label]) => this.map.hasLayer(label)).map(([site, label]) =>
          [this.map.latLngToLayerPoint(this.parts.sites[site].getLatLng()).add(label.options.offset), 12, 12]);
        labels.forEach((label) => {
          const home = this.map.latLngToLayerPoint(label.getLatLng());
          const half = 3 + 3.5 * label.getContent().textContent.length;
          const free = SPOTS.map(([x, y]) => L.point(x * (half + 10), y)).find((offset) => {
            const at = home.add(offset);
            // A name that the edge of the map would cut is not written.
            const edge = this.map.layerPointToContainerPoint(at);
            if (edge.x < half || edge.x > this.map.getSize().x - half || edge.y < 9 || edge.y > this.map.getSize().y - 9) return false;
            return taken.every(([other, wide, high]) => Math.abs(at.x - other.x) > half + wide || Math.abs(at.y - other.y) > 9 + high);
          });
          if (!free) { label.remove(); return; }
          taken.push([home.add(free), half, 9]);
          label.options.offset = free;
          if (this.map.hasLayer(label)) label.update(); else label.addTo(this.map);
        });
      };
    }

    show(state) {
      this.state = state;
      const colours = estate.colours();
      this.layers.background.setStyle((feature) => ({ interactive: false, fill: false, opacity: 0.9, color: colours[feature.properties.kind], weight: GROUND[feature.properties.kind] }));
      this.stalks.forEach(([, line]) => line.setStyle({ color: colours.gone }));
      this._shade();
      this._draw();
    }

    // What depends on how near the map is.
    _draw() {
      this._mark();
      this.number(this.map, this.numbers, this.parts.sites);
      this._lines();
      this.name();
      this.select(this.state.site);
    }

    // The journey shown of an area: before, after, and the position of its service. Of "any", the one that changes worst; in
    // the views of one time, the farthest.
    journey(i) {
      const { zones, services } = this.data;
      const { service, view } = this.state;
      let k = services.findIndex((each) => each.id === service);
      if (service === "any") {
        k = zones.any.of[i];
        if (view !== "change") {
          const far = (n) => (view === "today" ? zones[services[n].id].before : this.after(services[n].id))[i] ?? Infinity;
          k = services.reduce((best, _, n) => (far(n) > far(best) ? n : best), 0);
        } else if (this.early()) {
          const grows = (n) => (this.after(services[n].id)[i] ?? Infinity) - (zones[services[n].id].before[i] ?? Infinity) || 0;
          const far = services.map((_, n) => grows(n));
          const most = Math.max(...far);
          k = far.indexOf(most > 0 ? most : Math.min(...far));
        }
      }
      const found = services[k] && zones[services[k].id];
      return found ? [found.before[i], this.after(services[k].id)[i], k] : [null, null, -1];
    }

    // The year of a programme that is shown, where the plan is not complete in it; else nothing.
    early() {
      const { programme } = this.data;
      return programme && this.state.year < programme.years.length - 1 ? programme.years[this.state.year] : "";
    }

    // Journeys to a service in the plan, or in the year of a programme.
    after(service) {
      const journey = this.data.zones[service];
      if (!this.early()) return journey.after;
      const stage = this.data.programme.zones[service][this.state.year];
      if (!stage.whole) {
        stage.whole = journey.before.slice();
        stage.at.forEach((at, i) => { stage.whole[at] = stage.after[i]; });
      }
      return stage.whole;
    }

    // Whether a counter has not moved yet in the year of a programme.
    waits(p) {
      return (this.data.programme?.moves[p] ?? 0) > (this.state.year ?? 0);
    }

    zoneColour(i) {
      const [before, after] = this.journey(i);
      return colourOf(this.data.unit, this.state.view, before, after);
    }

    _shade() {
      this.shaded = {};
      this.parts.zones.forEach((area, i) => {
        if (!area) return;
        const colour = this.zoneColour(i);
        this.shaded[colour] = (this.shaded[colour] || 0) + (this.data.zones.people[i] || 0);
        area.setStyle({ fillColor: colour, color: colour, weight: 0.6, opacity: 0.9, fillOpacity: 0.82 });
      });
      this.outline();
    }

    // Draws the edges of the chosen neighbourhood or place, or of what the chosen building is the nearest for.
    outline() {
      const chosen = new Set(this.state.zones || []);
      const { ring } = estate.colours();
      this.parts.zones.forEach((area, i) => {
        const mine = chosen.size ? chosen.has(i) : this.catches(i);
        if (mine) { area.setStyle({ color: ring, weight: chosen.size === 1 ? 2.5 : 1.3, opacity: 1 }); area.bringToFront(); }
      });
    }

    // Whether the chosen building is the nearest with the chosen service, or with any: today where it closes or today is shown.
    catches(zone) {
      const { zones, services } = this.data;
      const { site, service, view } = this.state;
      if (site === null || site === undefined || this.data.square) return false;
      const which = view === "today" || (view === "change" && this.outcome(site) === "released") ? "siteBefore" : "siteAfter";
      return services.some(({ id }) => (service === "any" || service === id) && zones[id][which] && zones[id][which][zone] === site);
    }

    // What a building is in the view: today's word, the plan's, or that of a year of a programme.
    outcome(i) {
      const stage = this.state.view === "today" ? null : this.data.programme?.outcomes[this.state.year]?.[i];
      if (stage) return stage;
      return estate.word(this.state.view === "today" ? this.data.sites.before : this.data.sites.after, i);
    }

    // Whether a building has the chosen service, in the view.
    _offers(i) {
      const { service, view } = this.state;
      if (service === "any") return true;
      if (!this._serving || this._servingIn !== this.state.year) {
        this._serving = {};
        this._servingIn = this.state.year;
        this.data.points.name.forEach((_, p) => {
          const own = (this._serving[this.data.points.service[p]] ||= { today: new Set(), plan: new Set() });
          own.today.add(this.data.points.home[p]);
          own.plan.add(this.waits(p) ? this.data.points.home[p] : this.data.points.host[p]);
        });
      }
      const own = this._serving[this.data.services.findIndex((each) => each.id === service)];
      if (!own) return true;
      return view === "change" ? own.today.has(i) || own.plan.has(i) : own[view].has(i);
    }

    // How a building is drawn in the view: a style, or null where it is not shown. `near` grows with the scale of the map.
    style(i, near, fine) {
      const { sites } = this.data;
      const outcome = this.outcome(i);
      const style = OUTCOME[outcome];
      if (!style || (this.state.view === "plan" && outcome === "released")) return null;
      const numbered = outcome === "released" && this.numbers.length > 0;
      const used = (this.state.view === "today" || outcome === "released" ? sites.usedBefore : sites.usedAfter) || [];
      const radius = numbered ? 10.5 : near * Math.min(15, 4 + 0.19 * Math.sqrt(used[i] || 0));
      const quiet = this._offers(i) ? 1 : 0.28;
      const { [style.fill]: fillColor, [style.edge]: color } = estate.colours();
      return { shape: style.shape, fillColor, color, weight: style.weight * (numbered ? 1 : fine), radius, opacity: quiet, fillOpacity: quiet };
    }

    // Buildings that close lie on top, then hubs; none of those covers another.
    dress(map, marks, stalks, near, fine, everything) {
      marks.forEach((mark, i) => {
        const style = this.style(i, near, fine);
        mark.setStyle(style || { opacity: 0, fillOpacity: 0, radius: 1, interactive: false });
      });
      const seen = marks.map((_, i) => i).filter((i) => marks[i] && marks[i].options.opacity > 0);
      const bounds = map.getBounds();
      const strong = seen.filter((i) => (everything ? bounds.contains(marks[i].getLatLng()) : ["released", "hub"].includes(this.outcome(i))));
      estate.fan(map, marks, strong, this.state.view === "change" ? this.moves.map((_, m) => this.ends(m)) : [], (i) => this.outcome(i) !== "released");
      marks.forEach((mark) => { if (mark && mark._map) mark._reset(); });
      stalks.forEach(([i, line]) => { line.setStyle({ opacity: marks[i].options.opacity && 0.9 }); line._reset(); });
      for (const wanted of ["hub", "released"]) marks.forEach((mark, i) => { if (this.outcome(i) === wanted) mark.bringToFront(); });
    }

    _mark() {
      // Marks shrink as the map is seen from farther away, so that a phone shows a county and not a heap.
      const crowd = this.parts.sites.length > 1500;
      const zoom = this.map.getZoom();
      const near = Math.min(1.25, Math.max(crowd ? 0.25 : 0.6, 1 + (zoom - 9.5) * 0.22));
      this.dress(this.map, this.parts.sites, this.stalks, near, Math.min(1, near + (crowd ? 0 : 0.4)), zoom >= 12.5);
    }

    // How an arrow is drawn: those of the building that is chosen or pointed at are picked out, those of another service fade.
    arrowStyle(i) {
      const { view, service, site } = this.state;
      const own = service === "any" || this.data.services[this.data.points.service[this.moves[i]]]?.id === service;
      const picked = [site, this.pointed].some((each) => each !== null && this.ends(i).includes(each));
      const many = this.parts.moves.length > MANY_MOVES && service === "any";
      const opacity = view !== "change" || this.waits(this.moves[i]) ? 0 : picked ? 1 : !own ? 0.1 : many ? 0.32 : 0.95;
      const weight = (picked ? 3 : own && !many ? 2.2 : 1.4) * (this.parts.sites.length > 1500 ? 0.5 : 1);
      const { picked: strong, ink } = estate.colours();
      return { color: picked ? strong : ink, weight, opacity, fill: false };
    }

    _lines() {
      this.parts.moves.forEach((line, i) => {
        line.setStyle(this.arrowStyle(i));
        if (line._map) line._reset();
      });
    }

    select(i) {
      (this.chosen || []).forEach((ring) => ring.remove());
      this.chosen = [];
      if (i === null || i === undefined || !this.parts.sites[i]) return;
      const mark = this.parts.sites[i];
      this.chosen = estate.ring().map(([color, weight]) => new estate.Mark(mark.getLatLng(), {
        pane: mark.options.pane, radius: (mark.getRadius() || 6) * 1.3 + 6, color, weight, fill: false, interactive: false, shift: mark.options.shift,
      }).addTo(this.map));
    }

    // Rings drawn for good round some buildings.
    ring(positions) {
      positions.forEach((i) => {
        const mark = this.parts.sites[i];
        L.circleMarker(mark.getLatLng(), { pane: mark.options.pane, radius: 15, color: estate.colours().picked, weight: 2.5, dashArray: "4 3", fill: false, interactive: false }).addTo(this.map);
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
      const number = this.data.numbers[i] ? `${this.data.numbers[i]}. ` : "";
      const { service } = this.state;
      const own = service === "any" ? "" : estate.served(this.data, i, service);
      return estate.el("span", null, estate.el("strong", null, number, estate.name(this.data.sites.name[i])), estate.el("br"),
        this.data.outcomes[outcome] || outcome, ...(own ? [estate.el("br"), own] : []));
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
      const [before, after, k] = this.journey(i);
      if (k >= 0) {
        const journey = zones[this.data.services[k].id];
        const { service, view } = this.state;
        const any = { today: "farthest today", plan: "farthest in the plan", change: before === after ? "nothing changes" : "changes most here" };
        lines.push(estate.el("br"), estate.el("strong", null, this.data.services[k].label), service === "any" ? `: ${any[view]}` : "");
        const nearest = (list) => (list && list[i] >= 0 && sites.name[list[i]] ? [" (", estate.name(sites.name[list[i]]), ")"] : []);
        lines.push(estate.el("br"), "Today: ", estate.journey(before, this.data.unit), ...nearest(journey.siteBefore));
        const early = this.early();
        lines.push(estate.el("br"), `In ${early || "the plan"}: `, estate.journey(after, this.data.unit), ...(early ? [] : nearest(journey.siteAfter)));
        if (before !== null && after !== null && Math.abs(after - before) > this.data.unit.same) {
          lines.push(estate.el("br"), `${estate.journey(Math.abs(after - before), this.data.unit)} ${after > before ? "farther" : "nearer"}`);
        }
        if (!early && journey.within && journey.within[i] === 0) lines.push(estate.el("br"), "Beyond the limit");
      }
      return estate.el("span", null, lines);
    }
  };
})();
