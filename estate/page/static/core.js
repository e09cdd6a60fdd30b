"use strict";
// What every other script uses. Names are data: they reach the page only as text nodes, each isolated in a <bdi>.
document.documentElement.classList.add("scripts");
// On a phone the map comes first, within one screen of the top: in the order in which the page is read as well.
if (document.body.classList.contains("page") && window.matchMedia("(max-width: 30rem)").matches) {
  const map = document.getElementById("map");
  document.getElementById("main").prepend(map);
  map.querySelector(".mapping").after(map.querySelector(".finding"));
}
var estate = {
  motion: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,

  // An element with attributes and children; strings become text, never markup.
  el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "onclick") node.addEventListener("click", value);
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
  },

  name: (text) => estate.el("bdi", null, text),

  json: (id) => JSON.parse(document.getElementById(id).textContent),

  count: (value) => Math.round(value).toLocaleString("en-GB"),

  gbp: (value) => (value < 0 ? "−£" : "£") + Math.abs(Math.round(value)).toLocaleString("en-GB"),

  area: (value) => estate.count(value) + " m²",

  miles(metres) {
    if (metres === null || metres === undefined) return "out of reach";
    const number = Math.abs(metres) / 1609.344;
    if (number < 0.05) return "under 0.1 mile";
    const text = number.toLocaleString("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    return text + (text === "1.0" ? " mile" : " miles");
  },

  // A journey in the page's unit: metres told in miles, or seconds in minutes.
  journey(value, unit) {
    if (unit.name === "miles") return estate.miles(value);
    if (value === null || value === undefined) return "out of reach";
    const number = Math.round(value / 60);
    return number ? estate.plural(number, "minute") : "under 1 minute";
  },

  plural: (number, one, many) => estate.count(number) + " " + (number === 1 ? one : many || one + "s"),

  // A word of a column that repeats words: {words, at}.
  word: (column, i) => (column ? column.words[column.at[i]] : ""),

  // Says something to people who listen to the page.
  say(text) {
    const live = document.getElementById("said");
    if (live) live.textContent = text;
  },
};
