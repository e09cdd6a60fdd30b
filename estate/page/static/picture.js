"use strict";
// The map as a picture to put into a paper: what is on the screen, its key, and whose data it is, as one PNG.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const SCALE = 2;
  const MARGIN = 14;
  const LINE = 20;
  const COLUMN = 330;

  const draw = (tag, attributes, ...children) => {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };

  const words = (x, y, text, { size = 13, weight = 400, style = "normal", anchor = "start", family = "sans-serif", halo = "" } = {}) => draw("text", {
    x, y, "font-size": size, "font-weight": weight, "font-style": style, "text-anchor": anchor, "font-family": family, fill: estate.colours().ink,
    "dominant-baseline": "central", ...(halo ? { stroke: halo, "stroke-width": 3, "paint-order": "stroke" } : {}),
  }, text);

  // The map's drawing: Leaflet's shapes stand where its layers do, names where the page has put them.
  const drawn = (map) => {
    const box = map.getContainer().getBoundingClientRect();
    const origin = map.layerPointToContainerPoint([0, 0]);
    const found = draw("g", {});
    map.getContainer().querySelectorAll(".leaflet-map-pane svg, .leaflet-map-pane canvas").forEach((each) => {
      if (each.tagName === "canvas") {
        const at = each.getBoundingClientRect();
        found.append(draw("image", { href: each.toDataURL(), x: at.x - box.x, y: at.y - box.y, width: at.width, height: at.height }));
      } else {
        const layer = draw("g", { transform: `translate(${origin.x} ${origin.y})` });
        each.querySelectorAll("path").forEach((path) => layer.append(path.cloneNode()));
        found.append(layer);
      }
    });
    map.getContainer().querySelectorAll(".leaflet-tooltip.town, .leaflet-tooltip.pinned").forEach((each) => {
      const at = each.getBoundingClientRect();
      const set = getComputedStyle(each);
      const name = words(at.x - box.x + at.width / 2, at.y - box.y + at.height / 2, each.textContent, {
        size: parseFloat(set.fontSize), weight: set.fontWeight, style: set.fontStyle, anchor: "middle", family: each.classList.contains("town") ? "serif" : "sans-serif",
        halo: each.classList.contains("town") ? estate.colours().halo : "",
      });
      if (each.classList.contains("pinned")) name.setAttribute("fill", set.color);
      found.append(name);
    });
    return found;
  };

  // The whole picture as an SVG: the map, and under it what it shows, the key and the notices.
  const whole = (map, heading, notices) => {
    const { x: width, y: height } = map.getSize();
    const { halo, outline, same } = estate.colours();
    const key = [...document.querySelectorAll("#shades li")];
    const columns = Math.max(1, Math.floor((width - 2 * MARGIN) / COLUMN));
    const rows = Math.ceil(key.length / columns);
    const total = height + 2 * MARGIN + LINE * (2 + rows + notices.length);
    const svg = draw("svg", { xmlns: SVG, viewBox: `0 0 ${width} ${total}`, width: SCALE * width, height: SCALE * total });
    svg.append(
      draw("rect", { width, height: total, fill: halo }),
      draw("clipPath", { id: "frame" }, draw("rect", { width, height })),
      draw("rect", { width, height, fill: getComputedStyle(map.getContainer()).backgroundColor }),
      draw("g", { "clip-path": "url(#frame)" }, drawn(map)),
      draw("rect", { width, height, fill: "none", stroke: outline }),
      words(MARGIN, height + MARGIN + LINE / 2, heading, { size: 15, weight: 700 }),
      words(MARGIN, height + MARGIN + 1.5 * LINE, document.getElementById("shade-title").textContent),
    );
    key.forEach((each, n) => {
      const x = MARGIN + COLUMN * (n % columns);
      const y = height + MARGIN + LINE * (2.5 + Math.floor(n / columns));
      svg.append(draw("rect", { x, y: y - 7, width: 20, height: 14, fill: each.querySelector("rect")?.getAttribute("fill") || same, stroke: outline }), words(x + 27, y, each.textContent));
    });
    notices.forEach((text, n) => svg.append(words(MARGIN, height + MARGIN + LINE * (2.5 + rows + n), text, { size: 10 })));
    return svg;
  };

  // Saves it; `done` is told when it is.
  estate.picture = (map, heading, notices, name) => new Promise((done, failed) => {
    const svg = whole(map, heading, notices);
    const image = new Image();
    image.onerror = failed;
    image.onload = () => {
      const canvas = estate.el("canvas", { width: svg.getAttribute("width"), height: svg.getAttribute("height") });
      canvas.getContext("2d").drawImage(image, 0, 0);
      canvas.toBlob((blob) => {
        const link = estate.el("a", { href: URL.createObjectURL(blob), download: name });
        link.click();
        URL.revokeObjectURL(link.href);
        done();
      });
    };
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  });
})();
