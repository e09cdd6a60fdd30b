"use strict";
// Ties the page together: one state (view, service, site), kept in the address so that a link opens where it was made.
(() => {
  const data = estate.json("estate-data");
  const byId = (id) => document.getElementById(id);
  const VIEWS = ["today", "plan", "change"];
  const MOST_SHEETS = 60;

  const known = (service) => service === "any" ? Boolean(data.zones.any) : data.services.some((each) => each.id === service);

  const YEARS = data.programme ? data.programme.years : [];
  const LAST = Math.max(YEARS.length - 1, 0);

  const stated = () => /[#&](service|view|site|year|place|at)=/.test(window.location.hash);

  const read = () => {
    const given = new URLSearchParams(window.location.hash.slice(1));
    const site = given.get("site") ? data.sites.id.indexOf(given.get("site")) : -1;
    return {
      view: VIEWS.includes(given.get("view")) ? given.get("view") : data.view,
      service: known(given.get("service")) ? given.get("service") : data.service,
      site: site >= 0 && data.sites.name[site] ? site : null,
      place: null,
      zones: [],
      year: YEARS.includes(given.get("year")) ? YEARS.indexOf(given.get("year")) : LAST,
    };
  };

  let state = read();

  // Where the map looks, as a link says it; and where it looks when it shows everything.
  const where = () => {
    const { lat, lng } = atlas.map.getCenter();
    return `${lat.toFixed(4)},${lng.toFixed(4)},${atlas.map.getZoom().toFixed(2)}`;
  };
  let whole = "";

  const look = () => {
    const [lat, lng, zoom] = (new URLSearchParams(window.location.hash.slice(1)).get("at") || "").split(",").map(Number);
    const known = [lat, lng, zoom].every(Number.isFinite) && Math.abs(lat) <= 90;
    if (known) atlas.map.setView([lat, lng], zoom, { animate: false });
    return known;
  };

  const write = () => {
    const parts = new URLSearchParams({ service: state.service, view: state.view });
    if (state.year !== LAST) parts.set("year", YEARS[state.year]);
    if (state.site !== null) parts.set("site", data.sites.id[state.site]);
    if (state.place) parts.set("place", state.place.key);
    const at = where();
    if (at !== whole) parts.set("at", at);
    window.history.replaceState(null, "", "#" + parts);
  };

  const atlas = new estate.Atlas(data, (i) => select(i), { onZone: (i) => zone(i) });
  const insets = data.insets.map((spot, n) => new estate.Inset(atlas, byId(`inset-${n}`), spot, (i) => select(i)));
  const panel = new estate.Panel(byId("panel"), data, (i) => select(i, true), { printable: true });
  const card = new estate.Card(atlas, (i) => select(i, true), () => select(null, true));

  new estate.Keyboard(atlas, (i) => select(i, true));

  const show = () => {
    atlas.show(state);
    estate.legend(data, state, atlas.shaded);
    insets.forEach((each) => each.show());
    document.querySelectorAll("input[name=view]").forEach((each) => { each.checked = each.value === state.view; });
    byId("service").value = state.service;
    if (byId("year")) byId("year").value = String(state.year);
    document.body.dataset.view = state.view;
  };

  const change = (part) => {
    state = { ...state, ...part };
    show();
    write();
    estate.say(byId("shade-title").textContent);
  };

  // `go`: the building was chosen away from the map, so take the reader to its panel; closed, back to where they were.
  let opener = null;
  const select = (i, go = false) => {
    if (go && i !== null && !byId("panel").contains(document.activeElement)) opener = document.activeElement;
    change({ site: i, zones: [], place: null });
    panel.show(i, state.service);
    if (i === null) {
      if (opener && opener.isConnected) opener.focus();
      opener = null;
      return;
    }
    atlas.reveal(i, go);
    estate.say(`${data.sites.name[i]}: details shown beside the map`);
    if (go) {
      byId("map").scrollIntoView({ behavior: estate.motion ? "smooth" : "auto", block: "start" });
      byId("panel").querySelector("h3").focus({ preventScroll: true });
    }
  };

  // A neighbourhood, or all of a ward or district: its card takes the panel, its edges are drawn on the map.
  const choose = (place, go) => {
    if (go && !byId("panel").contains(document.activeElement)) opener = document.activeElement;
    change({ site: null, zones: place.zones, place });
    byId("panel").replaceChildren(...place.card());
    estate.say(`${place.name}: what changes there is shown beside the map`);
    if (!go) return;
    const bounds = L.latLngBounds([]);
    place.zones.forEach((i) => bounds.extend(atlas.parts.zones[i].getBounds ? atlas.parts.zones[i].getBounds() : atlas.parts.zones[i].getLatLng()));
    atlas.map.fitBounds(bounds.pad(place.zones.length > 1 ? 0.1 : 1.5), { animate: estate.motion });
    byId("map").scrollIntoView({ behavior: estate.motion ? "smooth" : "auto", block: "start" });
    byId("panel").querySelector("h3").focus({ preventScroll: true });
  };
  const zone = (i, go = false) => choose({
    name: data.zones.name ? data.zones.name[i] : "The square", key: data.zones.name ? `neighbourhood:${data.zones.name[i]}` : "", zones: [i], card: () => card.zone(i),
  }, go);
  const group = (kind, column, name) => choose({
    name, key: `${kind.toLowerCase()}:${name}`, zones: data.zones.people.map((_, i) => i).filter((i) => estate.word(data.zones[column], i) === name), card: () => card.group(kind, column, name),
  }, true);

  document.querySelectorAll("input[name=view]").forEach((each) => each.addEventListener("change", () => change({ view: each.value })));
  byId("service").addEventListener("change", (event) => {
    change({ service: event.target.value });
    if (!state.place) panel.show(state.site, state.service);
  });
  if (byId("year")) {
    // A year is a year of the plan: today's estate has none.
    byId("year").addEventListener("change", (event) => {
      change({ year: Number(event.target.value), view: state.view === "today" ? "change" : state.view });
      if (state.place) byId("panel").replaceChildren(...state.place.card());
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.target === byId("search") || (state.site === null && !state.place)) return;
    select(null, true);
    estate.say("Details closed");
  });
  byId("picture").addEventListener("click", () => {
    const notices = [...document.querySelectorAll("footer > p[data-notice]")].map((each) => each.textContent);
    estate.picture(atlas.map, document.querySelector("h1").textContent, notices, "map.png").then(() => estate.say("The map is saved as a picture"));
  });
  byId("whole").addEventListener("click", () => atlas.map.fitBounds(data.bounds, { animate: estate.motion }));
  const entries = data.sites.name.map((name, i) => ({ name, hint: "building", go: () => select(i, true) }));
  for (const [kind, column] of [["District", "district"], ["Ward", "ward"], ["Parish", "parish"], ["Postcode district", "postcode_district"]]) {
    if (data.zones[column]) data.zones[column].words.forEach((name) => entries.push({ name, hint: kind.toLowerCase(), go: () => group(kind, column, name) }));
  }
  data.towns.filter((town) => !town.beyond).forEach(({ name, at }) => entries.push({ name, hint: "town", go: () => {
    atlas.map.setView(at, 12, { animate: estate.motion });
    byId("map").scrollIntoView({ behavior: estate.motion ? "smooth" : "auto", block: "start" });
  } }));
  (data.zones.name || []).forEach((name, i) => entries.push({ name, hint: "neighbourhood", go: () => zone(i, true) }));
  estate.search(byId("search"), byId("found"), entries);
  estate.tables((i) => select(i, true));
  // A link within the page (#tables) is no state of the map, and leaves it as it is.
  const restore = () => {
    state = read();
    show();
    panel.show(state.site, state.service);
    const wanted = new URLSearchParams(window.location.hash.slice(1)).get("place");
    const place = wanted && entries.find(({ name, hint }) => `${hint}:${name}` === wanted);
    if (place) place.go();
    if (!look() && state.site !== null) atlas.reveal(state.site, true, false);
  };
  window.addEventListener("hashchange", () => { if (stated()) restore(); });
  // Paper has another order: the map and the sums are the second sheet, then one for each building that closes; tables that are
  // folded up are opened.  What was done for it is undone afterwards.
  let undo = [];
  const lay = () => {
    const [people, money] = ["people", "money"].map(byId);
    const after = money.nextElementSibling;
    people.before(money);
    undo.push(() => (after ? after.before(money) : money.parentNode.append(money)));
    const sheets = estate.el("section", { class: "sheets" }, Object.keys(data.numbers).map(Number).sort((a, b) => data.numbers[a] - data.numbers[b]).slice(0, MOST_SHEETS).map((i) => {
      const sheet = estate.el("div");
      new estate.Panel(sheet, data, () => {}).show(i);
      return sheet;
    }));
    money.after(sheets);
    undo.push(() => sheets.remove());
    document.querySelectorAll("details.table:not([open])").forEach((each) => {
      each.open = true;
      undo.push(() => { each.open = false; });
    });
  };

  // A printed map has another size: it is given that size, and drawn for it, before the paper is laid out.
  const refit = (printing) => {
    document.body.classList.toggle("printing", printing);
    if (printing && !undo.length && !document.body.classList.contains("one-building")) lay();
    if (!printing) undo.splice(0).reverse().forEach((back) => back());
    show();
    atlas.map.invalidateSize({ animate: false });
    atlas.map.fitBounds(data.bounds, { animate: false });
    insets.forEach((each) => each.fit());
  };
  estate.dark.addEventListener("change", () => show());
  window.addEventListener("beforeprint", () => refit(true));
  window.addEventListener("afterprint", () => refit(false));

  whole = where();
  restore();
  // A link to a state of the map is a link to the map.
  if (stated()) byId("map").scrollIntoView({ behavior: "instant" });
  atlas.map.on("moveend", () => { if (!document.body.classList.contains("printing") && (stated() || where() !== whole)) write(); });
})();
