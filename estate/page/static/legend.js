"use strict";
// The key to the shading, in words, for the view and the service.
(() => {
  estate.legend = (data, state, shaded) => {
    const byId = (id) => document.getElementById(id);
    const swatch = ([colour, words]) => {
      const patch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      patch.setAttribute("viewBox", "0 0 20 14");
      patch.setAttribute("aria-hidden", "true");
      const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      for (const [name, value] of Object.entries({ x: 0.5, y: 0.5, width: 19, height: 13, fill: colour, stroke: estate.colours().outline })) box.setAttribute(name, value);
      patch.append(box);
      return estate.el("li", null, patch, words);
    };
    const service = data.services.find((each) => each.id === state.service);
    const unit = data.unit.name === "miles" ? "Miles" : "Minutes";
    const early = data.programme && state.year < data.programme.years.length - 1 ? data.programme.years[state.year] : "";
    const when = state.view === "today" ? "today" : early ? `in ${early}` : "in the plan";
    byId("shade-title").textContent = state.view === "change"
      ? service ? `How much farther or nearer people are from the nearest: ${service.label}` : "The worst change for any service: how much farther, or else nearer, people are"
      : service ? `${unit} from home to the nearest: ${service.label}, ${when}` : `${unit} from home to the farthest of all the services, ${when}`;
    // Only what is on the map, with how many people live there.
    const found = estate.shadeKey(data.unit, state.view).filter(([colour]) => shaded[colour] !== undefined);
    byId("shades").replaceChildren(...found.map(([colour, words]) => swatch([colour, [words, " ", estate.el("span", { class: "quiet" }, `${estate.count(shaded[colour])} people`)]])));
    byId("limit").textContent = service && service.limit ? `The limit for this service is ${service.limit}${service.limit.includes(" or ") ? ", by where people live" : ""}.` : "";
  };
})();
