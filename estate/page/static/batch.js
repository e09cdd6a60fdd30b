"use strict";
// The morning page: tables that sort and filter, and a warning when the last run is older than it should be.
(() => {
  estate.tables(() => {});

  const banner = document.getElementById("stale");
  const hours = (Date.now() - Date.parse(banner.dataset.finished)) / 3600000;
  const expected = Number(banner.dataset.hours);
  // Half as much again: a run that starts late is not yet a run that did not happen.
  if (hours > 1.5 * expected) {
    const age = hours < 48 ? estate.plural(hours, "hour") : estate.plural(hours / 24, "day");
    banner.textContent = `This page is ${age} old, and should be renewed every ${estate.plural(expected, "hour")}: look whether the last run failed.`;
    banner.hidden = false;
  }
})();
