// Runs before the first paint, so that a page chosen dark never flashes light.
"use strict";
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("citymap.theme");
  } catch {
    // Storage may be forbidden; the system's preference decides then.
  }
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
