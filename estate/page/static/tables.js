"use strict";
// Tables: headings that sort, names that open the building, a filter, and a copy to take away.
(() => {
  const value = (row, at) => {
    const cell = row.cells[at];
    return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
  };

  const compare = (a, b) => {
    const [emptyA, emptyB] = [a === "", b === ""];
    if (emptyA || emptyB) return emptyA - emptyB;
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en-GB", { numeric: true });
  };

  const sort = (table, at, up) => {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [value(row, at), row]);
    const way = up ? 1 : -1;
    rows.sort(([a], [b]) => (a === "" || b === "" ? compare(a, b) : way * compare(a, b)));
    body.append(...rows.map(([, row]) => row));
    [...table.tHead.rows[0].cells].forEach((cell, i) => {
      if (i === at) cell.setAttribute("aria-sort", up ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
  };

  // A spreadsheet must not take a name for a formula.
  const quoted = (text) => `"${(/^[=+\-@\t\r]/.test(text) && !/^-?[\d.,]+$/.test(text) ? "'" + text : text).replaceAll('"', '""')}"`;

  const download = (table, name) => {
    const words = (cell) => cell.dataset.v ?? cell.textContent.trim();
    const lines = [...table.rows].map((row) => [...row.cells].map((cell) => quoted(words(cell))).join(","));
    const link = estate.el("a", { href: URL.createObjectURL(new Blob(["\ufeff" + lines.join("\r\n")], { type: "text/csv" })), download: name });
    link.click();
    URL.revokeObjectURL(link.href);
  };

  estate.tables = (onSelect) => {
    document.querySelectorAll("table.sortable").forEach((table) => {
      [...table.tHead.rows[0].cells].forEach((cell, at) => {
        const numbers = cell.classList.contains("number");
        cell.querySelector("button").addEventListener("click", () => {
          const first = !cell.hasAttribute("aria-sort");
          sort(table, at, first ? !numbers : cell.getAttribute("aria-sort") === "descending");
          estate.say(`Sorted by ${cell.textContent.trim()}, ${cell.getAttribute("aria-sort")}`);
        });
      });
    });
    document.querySelectorAll("input[data-filter]").forEach((box) => {
      const rows = [...document.getElementById(box.dataset.filter).tBodies[0].rows];
      box.addEventListener("input", () => {
        const wanted = box.value.trim().toLowerCase();
        rows.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
        estate.say(estate.plural(rows.filter((row) => !row.hidden).length, "row") + " shown");
      });
    });
    document.querySelectorAll("button[data-download]").forEach((button) => {
      button.addEventListener("click", () => download(document.getElementById(button.dataset.table), button.dataset.download));
    });
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-site]");
      if (button) onSelect(Number(button.dataset.site));
    });
  };
})();
