// A classic script, so that the page is never painted in the wrong theme first.
(() => {
  const KEY = "misread.theme";
  const root = document.documentElement;
  const known = ["light", "dark"];
  let chosen = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {
    // Storage is switched off: the system's theme.
  }
  if (known.includes(chosen)) root.dataset.theme = chosen;

  function isDark() {
    if (root.dataset.theme) return root.dataset.theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const draw = () => {
      button.setAttribute("aria-pressed", String(isDark()));
      button.title = isDark() ? "Light theme" : "Dark theme";
    };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem(KEY, root.dataset.theme);
      } catch {
        // It holds for this page.
      }
      draw();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    draw();
  });
})();
