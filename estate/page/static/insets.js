"use strict";
// Town insets: a closer look at the towns where several buildings close, drawn as the map is. Nothing in them can be reached
// by keyboard, and nothing is in them alone: the map, the list and the tables have it all.
(() => {
  const PANES = ["inset-zones", "inset-background", "inset-moves", "inset-sites"];
  const STILL = {
    zoomControl: false, attributionControl: false, dragging: false, keyboard: false, scrollWheelZoom: false, doubleClickZoom: false,
    boxZoom: false, touchZoom: false, zoomSnap: 0, zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false,
  };

  estate.Inset = class {
    constructor(atlas, box, spot, onSelect) {
      this.atlas = atlas;
      this.spot = spot;
      this.map = L.map(box, STILL);
      PANES.forEach((name, depth) => { this.map.createPane(name).style.zIndex = 410 + 10 * depth; });
      const within = L.latLngBounds(spot.bounds).pad(0.6);
      const near = (part) => part && within.intersects(part.getBounds ? part.getBounds() : L.latLngBounds([part.getLatLng()]));
      const { zones, sites, moves } = atlas.parts;
      this.fit();
      this.zones = zones.map((area, i) => (near(area) && area.getLatLngs ? [i, L.polygon(area.getLatLngs(), { pane: "inset-zones", interactive: false }).addTo(this.map)] : null)).filter(Boolean);
      this.ground = [];
      atlas.layers.background.eachLayer((part) => {
        if (part.getLatLngs && near(part)) this.ground.push([part, L.polyline(part.getLatLngs(), { pane: "inset-background", interactive: false }).addTo(this.map)]);
      });
      this.sites = sites.map((mark) => new estate.Mark(mark.getLatLng(), { pane: "inset-sites", radius: 5 }));
      this.sites.forEach((mark, i) => {
        if (!near(mark)) return;
        mark.addTo(this.map).on("click", () => onSelect(i));
        mark.bindTooltip(() => atlas._siteWords(i), { sticky: true, direction: "top", offset: [0, -8] });
      });
      this.moves = moves.map((line, i) => {
        const own = L.polyline(line.getLatLngs(), { pane: "inset-moves", interactive: false });
        estate.arrow(own, ...atlas.ends(i).map((at) => this.sites[at]));
        return [i, own.addTo(this.map)];
      });
      this.numbers = atlas.labels(this.map).filter(([site]) => near(this.sites[site]));
      this.stalks = this.numbers.map(([site]) => [site, estate.stalk(this.sites[site], "inset-moves").addTo(this.map)]);
      estate.unreachable(box);
    }

    fit() {
      this.map.invalidateSize({ animate: false });
      this.map.fitBounds(this.spot.bounds, { animate: false });
      if (this.stalks) this.show();
    }

    show() {
      this.ground.forEach(([part, own]) => own.setStyle({ color: part.options.color, weight: part.options.weight, opacity: part.options.opacity }));
      this.stalks.forEach(([, line]) => line.setStyle({ color: estate.colours().gone }));
      this.zones.forEach(([i, area]) => {
        const colour = this.atlas.zoneColour(i);
        area.setStyle({ fillColor: colour, color: estate.colours().halo, weight: 0.5, opacity: 0.6, fillOpacity: 0.82 });
      });
      this.atlas.dress(this.map, this.sites, this.stalks, 0.9, 1, true);
      this.moves.forEach(([i, line]) => { line.setStyle(this.atlas.arrowStyle(i)); line._reset(); });
      this.atlas.number(this.map, this.numbers, this.sites);
      (this.rings || []).forEach((ring) => ring.remove());
      const at = this.atlas.state.site;
      this.rings = at === null ? [] : estate.ring().map(([color, weight]) => new estate.Mark(this.sites[at].getLatLng(), {
        pane: "inset-sites", radius: this.sites[at].getRadius() * 1.3 + 6, color, weight, fill: false, interactive: false, shift: this.sites[at].options.shift,
      }).addTo(this.map));
    }
  };
})();
