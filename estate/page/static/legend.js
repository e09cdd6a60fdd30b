"use strict";
// The key to the shading, in words, for the view and the service.
(() => {
  estate.legend = (data, state) => {
    const byId = (id) => document.getElementById(id);
    const swatch = ([colour, words]) => {
      const patch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      patch.setAttribute("viewBox", "0 0 20 14");
      patch.setAttribute("aria-hidden", "true");
      const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      for (const [name, value] of Object.entries({ x: 0.5, y: 0.5, width: 19, height: 13, fill: colour, stroke: "#8c8574" })) box.setAttribute(name, value);
      patch.append(box);
      return estate.el("li", null, patch, words);
    };
    const service = data.services.find((each) => each.id === state.service);
    const what = service ? `the nearest: ${service.label}` : "the nearest of each service, on average";
    byId("shade-title").textContent = state.view === "change" ? `How much farther or nearer (${data.unit.name}) people are from ${what}` : `${data.unit.name === "miles" ? "Miles" : "Minutes"} from home to ${what}, ${state.view === "today" ? "today" : "in the plan"}`;
    byId("shades").replaceChildren(...estate.shadeKey(data.unit, state.view).map(swatch));
    byId("limit").textContent = service && service.limit ? `The limit for this service is ${service.limit}.` : "";
  };
})();
