// Sets the colour scheme before the first paint; a toggle in the header turns it over.
// A classic script, loaded in the head, so that no page flashes in the other scheme.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // Storage is off: follow the system.
    }
  }

  function store(theme) {
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // It holds for this page, then.
    }
  }

  const chosen = stored();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  document.addEventListener("DOMContentLoaded", () => {
    for (const toggle of document.querySelectorAll("[data-theme-toggle]")) {
      toggle.hidden = false;
      toggle.addEventListener("click", () => {
        const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
        root.dataset.theme = now === "dark" ? "light" : "dark";
        store(root.dataset.theme);
      });
    }
  });
})();
