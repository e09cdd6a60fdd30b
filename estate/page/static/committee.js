"use strict";
// Committee mode: the answer to "what if this building stays, or goes", from those that the page holds.
(() => {
  const form = document.getElementById("ask-form");
  if (!form) return;
  const answers = estate.json("ask-data");
  const one = document.getElementById("ask-one"), two = document.getElementById("ask-two");
  const place = document.getElementById("ask-answer");
  form.hidden = false;
  const paired = new Set(two ? [...two.options].map((each) => each.value).filter(Boolean) : []);
  const show = () => {
    const first = one.value;
    if (two) {
      two.disabled = !paired.has(first);
      if (two.disabled || two.value === first) two.value = "";
      for (const each of two.options) each.disabled = each.value !== "" && each.value === first;
    }
    const asked = [first, two ? two.value : ""].filter(Boolean).map(Number).sort((a, b) => a - b);
    const lines = asked.length ? answers[asked.join(",")] || ["This was not asked beforehand."] : [];
    place.replaceChildren(...lines.map((line) => {
      const item = document.createElement("p");
      item.textContent = line;
      return item;
    }));
  };
  one.addEventListener("change", show);
  if (two) two.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
})();
