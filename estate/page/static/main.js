"use strict";
// Ties the page together: one state (view, service, site), kept in the address so that a link opens where it was made.
(() => {
  const data = estate.json("estate-data");
  const byId = (id) => document.getElementById(id);
  const VIEWS = ["today", "plan", "change"];

  const known = (service) => service === "any" ? Boolean(data.zones.any) : data.services.some((each) => each.id === service);

  const YEARS = data.programme ? data.programme.years : [];
  const LAST = Math.max(YEARS.length - 1, 0);

  const stated = () => /[#&](service|view|site|year)=/.test(window.location.hash);

  const read = () => {
    const given = new URLSearchParams(window.location.hash.slice(1));
    const site = given.get("site") ? data.sites.id.indexOf(given.get("site")) : -1;
    return {
      view: VIEWS.includes(given.get("view")) ? given.get("view") : data.view,
      service: known(given.get("service")) ? given.get("service") : data.service,
      site: site >= 0 && data.sites.name[site] ? site : null,
      year: YEARS.includes(given.get("year")) ? YEARS.indexOf(given.get("year")) : LAST,
    };
  };

  let state = read();

  const write = () => {
    const parts = new URLSearchParams({ service: state.service, view: state.view });
    if (state.year !== LAST) parts.set("year", YEARS[state.year]);
    if (state.site !== null) parts.set("site", data.sites.id[state.site]);
    window.history.replaceState(null, "", "#" + parts);
  };

  const atlas = new estate.Atlas(data, (i) => select(i));
  const insets = data.insets.map((spot, n) => new estate.Inset(atlas, byId(`inset-${n}`), spot, (i) => select(i)));
  const panel = new estate.Panel(byId("panel"), data, (i) => select(i, true), { printable: true });

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
    change({ site: i });
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

  document.querySelectorAll("input[name=view]").forEach((each) => each.addEventListener("change", () => change({ view: each.value })));
  byId("service").addEventListener("change", (event) => {
    change({ service: event.target.value });
    panel.show(state.site, state.service);
  });
  if (byId("year")) {
    // A year is a year of the plan: today's estate has none.
    byId("year").addEventListener("change", (event) => change({ year: Number(event.target.value), view: state.view === "today" ? "change" : state.view }));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.target === byId("search") || state.site === null) return;
    select(null, true);
    estate.say("Details closed");
  });
  byId("whole").addEventListener("click", () => atlas.map.fitBounds(data.bounds, { animate: estate.motion }));
  estate.search(byId("search"), byId("found"), data.sites.name, (i) => select(i, true));
  estate.tables((i) => select(i, true));
  // A link within the page (#tables) is no state of the map, and leaves it as it is.
  window.addEventListener("hashchange", () => {
    if (!stated()) return;
    state = read();
    show();
    panel.show(state.site, state.service);
  });
  // A printed map has another size: it is given that size, and drawn for it, before the paper is laid out.
  const refit = (printing) => {
    document.body.classList.toggle("printing", printing);
    show();
    atlas.map.invalidateSize({ animate: false });
    atlas.map.fitBounds(data.bounds, { animate: false });
    insets.forEach((each) => each.fit());
  };
  estate.dark.addEventListener("change", () => show());
  window.addEventListener("beforeprint", () => refit(true));
  window.addEventListener("afterprint", () => refit(false));

  show();
  panel.show(state.site, state.service);
  if (state.site !== null) atlas.reveal(state.site, true, false);
  // A link to a state of the map is a link to the map.
  if (stated()) byId("map").scrollIntoView({ behavior: "instant" });
})();
