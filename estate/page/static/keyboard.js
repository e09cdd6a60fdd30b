"use strict";
// The map from the keyboard: one stop. Arrow keys go from building to building, each told by name; Enter opens one, Escape
// lets go; plus and minus zoom, and an arrow key with Shift moves the map, as Leaflet has it.
(() => {
  const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  // How much straighter counts than nearer: a building to the side has to be this much closer to be the next one.
  const ASIDE = 2.5;

  // Listeners for focus make a path a stop of its own: hundreds of them.
  estate.unreachable = (box) => box.querySelectorAll("path, a").forEach((each) => each.setAttribute("tabindex", "-1"));

  estate.Keyboard = class {
    // `go(i)` opens a building, or none for null.
    constructor(atlas, go) {
      this.atlas = atlas;
      this.go = go;
      this.at = null;
      const box = atlas.map.getContainer();
      estate.unreachable(box);
      box.addEventListener("keydown", (event) => this.press(event), true);
      box.addEventListener("focusout", () => this.leave());
      atlas.map.on("zoomend", () => { if (this.at !== null) this.show(); });
    }

    press(event) {
      const way = !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey && WAYS[event.key];
      if (way) this.step(way);
      else if ((event.key === "Enter" || event.key === " ") && this.at !== null) this.go(this.at);
      else if (event.key === "Escape" && this.at !== null && this.atlas.state.site === null) this.leave();
      else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    }

    // The next building that way: near, and straight ahead rather than aside; where there is none, the map says so.
    step([right, down]) {
      const { map, parts } = this.atlas;
      const here = this.at ?? this.atlas.state.site;
      const from = here === null ? map.getSize().divideBy(2) : this.place(here);
      let best = null;
      let least = Infinity;
      parts.sites.forEach((mark, i) => {
        if (i === here || !mark || !(mark.options.opacity > 0) || !this.atlas.data.sites.name[i]) return;
        const way = this.place(i).subtract(from);
        const ahead = way.x * right + way.y * down;
        const aside = Math.abs(way.x * down) + Math.abs(way.y * right);
        const cost = Math.max(ahead, 0) + ASIDE * aside;
        if ((ahead > 0.5 || (here === null && ahead >= 0)) && cost < least) [best, least] = [i, cost];
      });
      if (best === null) { estate.say("No building farther that way"); return; }
      this.at = best;
      this.atlas.reveal(best, false, false);
      this.show();
      const { sites, outcomes, numbers } = this.atlas.data;
      const outcome = this.atlas.outcome(best);
      estate.say(`${numbers[best] ? `${numbers[best]}. ` : ""}${sites.name[best]}: ${outcomes[outcome] || outcome}`);
    }

    place(i) {
      const mark = this.atlas.parts.sites[i];
      return this.atlas.map.latLngToContainerPoint(mark.getLatLng()).add(mark.options.shift || [0, 0]);
    }

    show() {
      const mark = this.atlas.parts.sites[this.at];
      const { map } = this.atlas;
      this.hide();
      const { shift } = mark.options;
      const { ring } = estate.colours();
      this.drawn = [
        new estate.Mark(mark.getLatLng(), { pane: mark.options.pane, radius: 1.3 * mark.getRadius() + 6, color: ring, weight: 2.5, dashArray: "5 3", fill: false, interactive: false, shift }).addTo(map),
        L.tooltip({ direction: "top", offset: L.point(shift || [0, 0]).subtract([0, mark.getRadius() + 8]), interactive: false })
          .setLatLng(mark.getLatLng()).setContent(this.atlas._siteWords(this.at)).addTo(map),
      ];
    }

    hide() {
      (this.drawn || []).forEach((each) => each.remove());
      this.drawn = [];
    }

    leave() {
      this.at = null;
      this.hide();
    }
  };
})();
