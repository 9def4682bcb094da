/* Light or dark: as the system says, until the reader chooses. */
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = matchMedia("(prefers-color-scheme: dark)");
  try {
    var chosen = localStorage.getItem("misread-theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch (error) {
    /* Storage may be forbidden on file://. */
  }
  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  }
  document.addEventListener("DOMContentLoaded", function () {
    var button = document.querySelector("button.theme");
    function name() {
      button.textContent = isDark() ? "Light" : "Dark";
    }
    button.addEventListener("click", function () {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("misread-theme", root.dataset.theme);
      } catch (error) {
        /* Then the choice holds for this page. */
      }
      name();
    });
    dark.addEventListener("change", name);
    button.hidden = false;
    name();
  });
})();
