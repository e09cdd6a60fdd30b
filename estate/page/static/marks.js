"use strict";
// Marks whose shape, not only their colour, says what happens to a building. They work on SVG and on canvas.
(() => {
  const turn = (sides, start) => Array.from({ length: sides }, (_, i) => {
    const angle = start + (2 * Math.PI * i) / sides;
    return [Math.cos(angle), Math.sin(angle)];
  });
  const SHAPES = {
    square: turn(4, Math.PI / 4).map(([x, y]) => [x * 1.2, y * 1.2]),
    diamond: turn(4, 0).map(([x, y]) => [x * 1.25, y * 1.25]),
    triangle: turn(3, -Math.PI / 2).map(([x, y]) => [x * 1.3, y * 1.3]),
  };

  // `shift` (pixels) stands a mark aside from its place: buildings at one spot can all be seen.
  estate.Mark = L.CircleMarker.extend({
    _project() {
      L.CircleMarker.prototype._project.call(this);
      if (!this.options.shift) return;
      this._point = this._point.add(this.options.shift);
      this._updateBounds();
    },
    _updatePath() {
      const shape = SHAPES[this.options.shape];
      if (!shape) return L.CircleMarker.prototype._updatePath.call(this);
      const { x, y } = this._point;
      const corners = shape.map(([dx, dy]) => [x + dx * this._radius, y + dy * this._radius]);
      const renderer = this._renderer;
      if (renderer._setPath) {
        renderer._setPath(this, this._empty() ? "M0 0" : "M" + corners.map((at) => at.join(" ")).join("L") + "Z");
      } else if (renderer._drawing && !this._empty()) {
        const context = renderer._ctx;
        context.beginPath();
        corners.forEach(([cx, cy], i) => (i ? context.lineTo(cx, cy) : context.moveTo(cx, cy)));
        context.closePath();
        renderer._fillStroke(context, this);
      }
      return undefined;
    },
  });

  // folium asks for this by name when it draws a layer of points.
  estate.marker = (pane) => (feature, at) => new estate.Mark(at, { pane, radius: 5, weight: 1, bubblingMouseEvents: false });

  // A line between two marks as an arrow: bent a little, so that there and back are two, and ending at the marks' edges.
  const HEAD = 9;
  const STEPS = 14;
  estate.arrow = (line, from, to) => {
    line.options.noClip = true;
    line._simplifyPoints = function arrow() {
      if (!this._rings.length) return;
      const ring = this._rings[0];
      const shifted = (at, mark) => (mark.options.shift ? at.add(mark.options.shift) : at);
      const [a, b] = [shifted(ring[0], from), shifted(ring[ring.length - 1], to)];
      const length = a.distanceTo(b);
      if (length < 1) { this._parts = []; return; }
      const along = b.subtract(a).divideBy(length);
      const bend = a.add(b).divideBy(2).add(L.point(-along.y, along.x).multiplyBy(Math.min(28, 0.16 * length)));
      const curve = Array.from({ length: STEPS + 1 }, (_, n) => {
        const t = n / STEPS;
        return a.multiplyBy((1 - t) * (1 - t)).add(bend.multiplyBy(2 * t * (1 - t))).add(b.multiplyBy(t * t));
      });
      const [near, far] = [from._radius || 0, to._radius || 0];
      const seen = curve.filter((at) => at.distanceTo(a) >= near && at.distanceTo(b) >= far + 1);
      if (seen.length < 2) { this._parts = []; return; }
      const tip = seen[seen.length - 1];
      const way = b.subtract(seen[seen.length - 2]);
      const ahead = way.divideBy(Math.max(1, Math.hypot(way.x, way.y)));
      const side = L.point(-ahead.y, ahead.x).multiplyBy(HEAD / 2);
      const back = tip.subtract(ahead.multiplyBy(HEAD));
      this._parts = [seen, [back.add(side), tip, back.subtract(side)]];
    };
  };

  // A thin line from where a mark stands to its place; nothing where it stands there.
  estate.stalk = (mark, pane) => {
    const at = mark.getLatLng();
    const line = L.polyline([at, at], { pane, weight: 1, dashArray: "2 2", opacity: 0, interactive: false, noClip: true });
    line._simplifyPoints = function stalk() {
      const home = this._rings.length && this._rings[0][0];
      const { shift } = mark.options;
      this._parts = home && shift && Math.hypot(shift.x, shift.y) > 4 ? [[home, home.add(shift)]] : [];
    };
    return line;
  };

  // Stands marks aside until none of them covers another: `[a, b]` in `linked` leave room for an arrow between them.
  const ROUNDS = 90;
  const ROOM = 24;
  const MOST = 120;
  estate.fan = (map, marks, chosen, linked, heavy) => {
    marks.forEach((mark) => { if (mark) mark.options.shift = null; });
    if (chosen.length > MOST) return;
    const home = chosen.map((i) => map.latLngToLayerPoint(marks[i].getLatLng()));
    const at = home.map((point) => point.clone());
    const radius = chosen.map((i) => 1.25 * marks[i].options.radius + 1);
    const weight = chosen.map((i) => (heavy(i) ? 0.12 : 1));
    const joined = new Set(linked.map(([a, b]) => `${a} ${b}`));
    for (let round = 0; round < ROUNDS; round += 1) {
      let moved = false;
      for (let a = 0; a < at.length; a += 1) {
        for (let b = a + 1; b < at.length; b += 1) {
          const tied = joined.has(`${chosen[a]} ${chosen[b]}`) || joined.has(`${chosen[b]} ${chosen[a]}`);
          const need = radius[a] + radius[b] + (tied ? ROOM : 0);
          let way = at[b].subtract(at[a]);
          const far = Math.hypot(way.x, way.y);
          if (far >= need) continue;
          // Two at one spot part by an angle of their own, the same every time.
          if (far < 0.5) way = L.point(Math.cos(2.4 * (a + b)), Math.sin(2.4 * (a + b)));
          const push = way.multiplyBy((0.6 * (need - far)) / Math.hypot(way.x, way.y) / (weight[a] + weight[b]));
          at[a]._subtract(push.multiplyBy(weight[a]));
          at[b]._add(push.multiplyBy(weight[b]));
          moved = true;
        }
      }
      if (!moved) break;
    }
    chosen.forEach((i, n) => { marks[i].options.shift = at[n].subtract(home[n])._round(); });
  };
})();
