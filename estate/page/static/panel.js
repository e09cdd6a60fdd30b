"use strict";
// The panel of one building: who is in it before and after, space, cost, receipt, and why.
(() => {
  const row = (term, ...said) => [estate.el("dt", null, term), estate.el("dd", null, said)];

  const meter = (label, used, capacity) => {
    const bar = estate.el("meter", { min: 0, max: Math.max(capacity, used, 1), value: used, "aria-label": `${label}: ${estate.area(used)} of ${estate.area(capacity)}` });
    return estate.el("div", { class: "space" }, estate.el("span", null, label), bar, estate.el("span", null, `${estate.area(used)} of ${estate.area(capacity)}`));
  };

  estate.Panel = class {
    constructor(box, data, onSelect, { printable = false } = {}) {
      this.printable = printable;
      this.box = box;
      this.data = data;
      this.onSelect = onSelect;
      this.empty = [...box.childNodes];
    }

    _link(i) {
      const name = this.data.sites.name[i];
      return name ? estate.el("button", { type: "button", class: "link", onclick: () => this.onSelect(i) }, estate.name(name)) : "a building not shown";
    }

    _point(p, arriving) {
      const { points, services } = this.data;
      const label = services[points.service[p]]?.label || points.label[p];
      const said = [estate.el("strong", null, label)];
      if (points.name[p] !== label) said.push(", ", estate.name(points.name[p]));
      said.push(estate.el("span", { class: "quiet" }, ", run by ", estate.name(points.agencies[points.agency[p]])));
      if (points.home[p] !== points.host[p]) said.push(arriving ? " from " : points.merge[p] ? " merges with the one at " : " moves to ", this._link(arriving ? points.home[p] : points.host[p]));
      if (points.consult[p]) said.push(" ", estate.el("span", { class: "flag" }, "consultation: ", points.consult[p].toLowerCase()));
      return estate.el("li", null, said);
    }

    _list(title, found, arriving) {
      return [estate.el("h4", null, title), found.length ? estate.el("ul", null, found.map((p) => this._point(p, arriving))) : estate.el("p", { class: "quiet" }, "Nobody")];
    }

    show(i, service = "any") {
      const { sites, points, outcomes } = this.data;
      if (i === null || !sites.name[i]) return this.box.replaceChildren(...this.empty);
      const all = points.name.map((_, p) => p);
      const outcome = estate.word(sites.after, i);
      const assumed = estate.word(sites.assumed, i);
      const mark = (column, said) => (assumed.split(";").includes(column) ? [said, " ", estate.el("span", { class: "assumed" }, "assumed")] : [said]);
      const about = [];
      if (estate.word(sites.agency_name, i)) about.push(...row("Held by", estate.name(estate.word(sites.agency_name, i))));
      if (estate.word(sites.tenure, i)) about.push(...row("Tenure", estate.word(sites.tenure, i)));
      if (estate.word(sites.district, i)) about.push(...row("District", estate.name(estate.word(sites.district, i))));
      if (sites.costBefore) {
        const same = sites.costBefore[i] === sites.costAfter[i];
        const said = same ? `${estate.gbp(sites.costBefore[i] || 0)} a year` : `${estate.gbp(sites.costBefore[i] || 0)} a year today, ${estate.gbp(sites.costAfter[i] || 0)} in the plan`;
        about.push(...row("Running cost", ...mark("running_cost_gbp_pa", said)));
      }
      if (sites.receipt && sites.receipt[i]) about.push(...row("Net receipt", ...mark("market_value_gbp", estate.gbp(sites.receipt[i]))));
      if (estate.word(sites.why, i)) about.push(...row("Why", estate.name(estate.word(sites.why, i))));
      const space = [];
      if (sites.capacity && sites.capacity[i]) {
        if (sites.usedBefore) space.push(meter("Today", sites.usedBefore[i] || 0, sites.capacity[i]));
        if (sites.usedAfter) space.push(meter("In the plan", sites.usedAfter[i] || 0, sites.capacity[i]));
      }
      this.box.replaceChildren(
        estate.el("p", { class: "outcome " + outcome.replaceAll(" ", "-") }, outcomes[outcome] || outcome),
        estate.el("h3", { tabindex: "-1" }, this.data.numbers[i] ? `${this.data.numbers[i]}. ` : "", estate.name(sites.name[i])),
        ...(service !== "any" && estate.served(this.data, i, service) ? [estate.el("p", null, estate.served(this.data, i, service), ".")] : []),
        ...this._list("Here today", all.filter((p) => points.home[p] === i), false),
        ...this._list("Here in the plan", all.filter((p) => points.host[p] === i), true),
        ...(space.length ? [estate.el("h4", null, "Floor area used"), ...space] : []),
        estate.el("dl", null, about),
        estate.el("p", { class: "screen" },
          this.printable ? estate.el("button", { type: "button", onclick: () => this._print() }, "Print this building") : "", " ",
          estate.el("button", { type: "button", onclick: () => this.onSelect(null) }, "Close")),
      );
      return undefined;
    }

    // One page with this building alone, for a meeting or a ward member.
    _print() {
      document.body.classList.add("one-building");
      window.addEventListener("afterprint", () => document.body.classList.remove("one-building"), { once: true });
      window.print();
    }
  };
})();
