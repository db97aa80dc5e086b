"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll("details.row")];
  const sections = [...document.querySelectorAll("section.subject")];
  const words = new Map(
    rows.map((row) => [row, [...row.querySelectorAll(".q")].map((part) => part.textContent).join(" ").toLowerCase()])
  );
  const kinds = ["subject", "verdict", "scope"];
  const none = document.createElement("p");
  none.className = "none";
  none.textContent = "No theorem is like that.";
  none.hidden = true;
  document.querySelector("main").append(none);

  function filter() {
    const asked = $("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const fits =
        kinds.every((kind) => !$(kind).value || row.dataset[kind] === $(kind).value) &&
        asked.every((word) => words.get(row).includes(word));
      row.hidden = !fits;
      count += fits;
    }
    for (const section of sections) section.hidden = !section.querySelector("details.row:not([hidden])");
    none.hidden = count > 0;
    $("count").textContent = `shown ${count} of ${rows.length}`;
  }

  function open(all) {
    for (const row of rows) if (!row.hidden) row.open = all;
  }

  function follow() {
    let target = null;
    try {
      target = $(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return;
    }
    if (!target || !rows.includes(target)) return;
    if (target.hidden) {
      $("controls").reset();
      filter();
    }
    target.open = true;
    target.scrollIntoView();
  }

  function copying(details) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "copy";
    button.addEventListener("click", async () => {
      const code = details.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "selected";
      }
    });
    details.querySelector("summary").after(button);
  }

  for (const kind of kinds) $(kind).addEventListener("change", filter);
  $("text").addEventListener("input", filter);
  $("expand").addEventListener("click", () => open(true));
  $("collapse").addEventListener("click", () => open(false));
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("controls").addEventListener("reset", () => setTimeout(filter));
  addEventListener("hashchange", follow);
  document.querySelectorAll("details.copy").forEach(copying);
  $("controls").hidden = false;
  filter();
  follow();
})();
