"use strict";
// Find a building or a place by name: a text box with a list of matches, all from the keyboard if wanted.
(() => {
  const MOST = 8;
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  // `entries` are {name, hint, go}: what is found, what it is, and what choosing it does.
  estate.search = (box, list, entries) => {
    const folded = entries.map(({ name }) => fold(name));
    let found = [];
    let current = -1;

    const close = () => {
      list.hidden = true;
      current = -1;
      box.setAttribute("aria-expanded", "false");
      box.removeAttribute("aria-activedescendant");
    };

    const mark = (to) => {
      current = to;
      [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === current)));
      box.setAttribute("aria-activedescendant", `found-${current}`);
      list.children[current]?.scrollIntoView({ block: "nearest" });
    };

    const choose = (at) => {
      box.value = "";
      close();
      entries[found[at]].go();
    };

    const look = () => {
      const wanted = fold(box.value.trim());
      if (!wanted) return close();
      const hits = folded.map((_, i) => i).filter((i) => folded[i] && folded[i].includes(wanted));
      found = hits.sort((a, b) => folded[a].indexOf(wanted) - folded[b].indexOf(wanted) || folded[a].localeCompare(folded[b])).slice(0, MOST);
      list.replaceChildren(...found.map((i, at) => estate.el("li", { role: "option", id: `found-${at}`, "aria-selected": "false" }, estate.name(entries[i].name), " ", estate.el("span", { class: "quiet" }, entries[i].hint))));
      [...list.children].forEach((item, at) => item.addEventListener("mousedown", (event) => { event.preventDefault(); choose(at); }));
      list.hidden = !found.length;
      box.setAttribute("aria-expanded", String(Boolean(found.length)));
      estate.say(hits.length ? estate.plural(hits.length, "place") + " found" : "Nothing has that in its name");
      return undefined;
    };

    box.addEventListener("input", look);
    box.addEventListener("blur", close);
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (list.hidden) return;
      if (event.key === "ArrowDown") mark((current + 1) % found.length);
      else if (event.key === "ArrowUp") mark((current + found.length - 1 + (current < 0)) % found.length);
      else if (event.key === "Enter") choose(Math.max(current, 0));
      else return;
      event.preventDefault();
    });
  };
})();
