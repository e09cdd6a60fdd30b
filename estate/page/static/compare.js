"use strict";
// Two maps that move together, one state for both.
(() => {
  const { sides } = estate.json("estate-data");
  const byId = (id) => document.getElementById(id);
  const state = { view: "change", service: byId("service").value, site: null };
  const atlases = sides.map((data, n) => new estate.Atlas(data, (i) => choose(sides[n].sites.id[i]), { label: `Map of plan ${"AB"[n]}` }));
  const panels = sides.map((data, n) => new estate.Panel(byId(`panel-${"ab"[n]}`), data, (i) => choose(i === null ? null : data.sites.id[i])));

  const show = () => {
    atlases.forEach((atlas, n) => atlas.show({ ...state, site: position(n) }));
    estate.legend(sides[0], state, atlases[0].shaded);
    document.querySelectorAll("input[name=view]").forEach((each) => { each.checked = each.value === state.view; });
    document.body.dataset.view = state.view;
  };

  const position = (n) => {
    const at = state.site === null ? -1 : sides[n].sites.id.indexOf(state.site);
    return at < 0 || !sides[n].sites.name[at] ? null : at;
  };

  const choose = (id) => {
    state.site = id;
    atlases.forEach((atlas, n) => {
      atlas.state.site = position(n);
      atlas.select(position(n));
      panels[n].show(position(n));
      if (position(n) !== null) atlas.reveal(position(n));
    });
  };

  // Whichever map moves, the other follows at once; while it follows it must not lead.
  let following = false;
  atlases.forEach((atlas, n) => {
    const other = atlases[1 - n].map;
    atlas.map.on("move", () => {
      if (following) return;
      following = true;
      other.setView(atlas.map.getCenter(), atlas.map.getZoom(), { animate: false });
      following = false;
    });
    atlas.ring(sides[n].differ);
    new estate.Keyboard(atlas, (i) => choose(sides[n].sites.id[i]));
  });

  document.querySelectorAll("input[name=view]").forEach((each) => each.addEventListener("change", () => { state.view = each.value; show(); }));
  byId("service").addEventListener("change", (event) => { state.service = event.target.value; show(); });
  byId("whole").addEventListener("click", () => atlases[0].map.fitBounds(sides[0].bounds, { animate: false }));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-id]");
    if (!button) return;
    choose(button.dataset.id);
    byId("map").scrollIntoView({ behavior: estate.motion ? "smooth" : "auto" });
    byId("panel-a").querySelector("h3")?.focus({ preventScroll: true });
  });
  estate.dark.addEventListener("change", show);
  show();
})();
