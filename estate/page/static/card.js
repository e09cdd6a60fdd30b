"use strict";
// What changes for the people of a neighbourhood, a ward or a district: each service before and after, and who goes farther.
(() => {
  const table = (caption, headings, rows) => estate.el("table", { class: "card" },
    estate.el("caption", { class: "hidden" }, caption),
    estate.el("thead", null, estate.el("tr", null, headings.map((words) => estate.el("th", { scope: "col" }, words)))),
    estate.el("tbody", null, rows.map(([first, ...cells]) => estate.el("tr", null, estate.el("th", { scope: "row" }, first), cells.map((cell) => estate.el("td", null, cell))))));

  // A journey in the page's unit, and in minutes where one pace holds for all.
  const told = (value, unit) => {
    const said = estate.journey(value, unit);
    return unit.pace && value !== null && value !== undefined ? `${said}, ${estate.plural(Math.max(1, Math.round((value * unit.pace) / 60)), "minute")}` : said;
  };

  // Farther, nearer or neither, of one journey.
  const changed = (before, after, unit) => {
    if (before === null && after === null) return 0;
    if (after === null) return 1;
    if (before === null) return -1;
    return Math.abs(after - before) <= unit.same ? 0 : Math.sign(after - before);
  };

  estate.Card = class {
    constructor(atlas, onSite, onClose) {
      Object.assign(this, { atlas, onSite, onClose, data: atlas.data });
    }

    _site(i) {
      const name = i >= 0 && this.data.sites.name[i];
      return name ? estate.el("button", { type: "button", class: "link", onclick: () => this.onSite(i) }, estate.name(name)) : "";
    }

    _whole(kind, name, people, body) {
      return [
        estate.el("p", { class: "quiet" }, kind),
        estate.el("h3", { tabindex: "-1" }, estate.name(name)),
        estate.el("p", null, `${estate.count(people)} people live here.`),
        ...body,
        estate.el("p", { class: "screen" }, estate.el("button", { type: "button", onclick: () => this.onClose() }, "Close")),
      ];
    }

    // One small area, or a square of several.
    zone(i) {
      const { zones, services, unit } = this.data;
      const early = this.atlas.early();
      const rows = services.map(({ id, label }) => {
        const journey = zones[id];
        const [before, after] = [journey.before[i], this.atlas.after(id)[i]];
        const way = changed(before, after, unit);
        const at = (list) => (list ? [" ", this._site(list[i])] : []);
        const more = way && before !== null && after !== null ? `${estate.journey(Math.abs(after - before), unit)} ` : "";
        const plan = way ? [estate.el("strong", null, `${more}${way > 0 ? "farther" : "nearer"}: `), told(after, unit), early ? "" : at(journey.siteAfter)] : "no change";
        return [label, [told(before, unit), at(journey.siteBefore)], plan];
      });
      const name = this.data.square ? `A square of ${this.data.square / 1000} km` : zones.name[i];
      const kind = this.data.square ? estate.plural(zones.held[i], "small area") : `Neighbourhood${zones.district ? `, ${estate.word(zones.district, i)}` : ""}`;
      return this._whole(kind, name, zones.people[i], [
        table(`The nearest of each service for ${name}`, ["Service", "Nearest today", `In ${early || "the plan"}`], rows),
        estate.el("p", { class: "quiet" }, "From the middle of where people live here; a journey from one end of it may differ."),
      ]);
    }

    // All small areas that a column calls by one name.
    group(kind, column, name) {
      const { zones, services, unit } = this.data;
      const mine = zones.people.map((_, i) => i).filter((i) => estate.word(zones[column], i) === name);
      const people = (list) => list.reduce((sum, i) => sum + zones.people[i], 0);
      const mean = (journey) => {
        const known = mine.filter((i) => journey[i] !== null && zones.people[i]);
        return known.length ? known.reduce((sum, i) => sum + journey[i] * zones.people[i], 0) / people(known) : null;
      };
      const worse = new Set();
      const rows = services.map(({ id, label }) => {
        const [before, after] = [zones[id].before, this.atlas.after(id)];
        const far = mine.filter((i) => changed(before[i], after[i], unit) > 0);
        const near = mine.filter((i) => changed(before[i], after[i], unit) < 0);
        far.forEach((i) => worse.add(i));
        const said = [far.length ? estate.el("strong", null, `${estate.count(people(far))} go farther`) : "", near.length ? `${estate.count(people(near))} come nearer` : ""].filter(Boolean);
        return [label, told(mean(before), unit), said.length ? [told(mean(after), unit), ...said.flatMap((each) => [estate.el("br"), each])] : "no change"];
      });
      const lost = people([...worse]);
      return this._whole(kind, name, people(mine), [
        estate.el("p", null, lost ? `${estate.count(lost)} of them go farther for one service or more.` : "None of them goes farther for any service."),
        table(`Journeys on average in ${name}`, ["Service", "On average today", "In the plan"], rows),
      ]);
    }
  };
})();
