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

  estate.Mark = L.CircleMarker.extend({
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

  // An arrow head on a line, short of the mark it points to.
  const HEAD = 7;
  estate.arrow = (line) => {
    const simplify = line._simplifyPoints;
    line._simplifyPoints = function withHead() {
      simplify.call(this);
      const path = this._parts[this._parts.length - 1];
      if (!path || path.length < 2) return;
      const [from, to] = [path[path.length - 2], path[path.length - 1]];
      const length = from.distanceTo(to);
      if (length < 3 * HEAD) return;
      const along = to.subtract(from).divideBy(length);
      const across = L.point(-along.y, along.x);
      const tip = to.subtract(along.multiplyBy(8));
      const back = tip.subtract(along.multiplyBy(HEAD));
      path[path.length - 1] = tip;
      this._parts.push([back.add(across.multiplyBy(HEAD / 2)), tip, back.subtract(across.multiplyBy(HEAD / 2))]);
    };
  };
})();
