/* Comfort only: without this script every page shows the same. A classic script, since browsers block
   modules on file://. */
(function () {
  "use strict";

  /* Tables: a button in each head sorts by its column. */
  function valueOf(row, column) {
    var cell = row.cells[column];
    var text = cell.dataset.value || cell.textContent.trim();
    var number = parseFloat(text.replace(/,/g, ""));
    return isNaN(number) ? text : number;
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b));
  }

  function sortBy(head) {
    var table = head.closest("table");
    var body = table.tBodies[0];
    var column = head.cellIndex;
    var rising = head.getAttribute("aria-sort") === "descending";
    var rows = Array.from(body.rows);
    rows.sort(function (a, b) {
      var order = compare(valueOf(a, column), valueOf(b, column));
      return rising ? order : -order;
    });
    table.querySelectorAll("th[aria-sort]").forEach(function (other) {
      other.removeAttribute("aria-sort");
    });
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    body.append.apply(body, rows);
  }

  document.querySelectorAll("table.sortable thead th").forEach(function (head) {
    if ("plain" in head.dataset) return;
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", function () {
      sortBy(head);
    });
    head.replaceChildren(button);
  });

  /* Mistakes: show those of one predicted class or one verdict; a link to a pair shows the pair. */
  function pageOf(element) {
    return element.closest("[data-page]") || document;
  }

  function apply(form, given) {
    var page = pageOf(form);
    var predicted = form.elements.predicted.value;
    var verdict = form.elements.verdict.value;
    var shown = 0;
    page.querySelectorAll(".group").forEach(function (group) {
      var left = 0;
      group.querySelectorAll(".mistake").forEach(function (tile) {
        var fits =
          (given === null || tile.dataset.given === given) &&
          (!predicted || tile.dataset.predicted === predicted) &&
          (!verdict || tile.dataset.verdict === verdict);
        tile.hidden = !fits;
        left += fits ? 1 : 0;
      });
      group.hidden = left === 0;
      shown += left;
    });
    var filtered = given !== null || predicted || verdict;
    var name = given === null ? "" : page.querySelector('.group[data-given="' + given + '"]').dataset.name;
    form.querySelector("output").textContent = filtered
      ? (name ? "given " + name + ": " : "") + shown + " shown"
      : "";
    form.querySelector("button").hidden = !filtered;
  }

  function nameOf(tile) {
    return tile.querySelector(".read b").textContent;
  }

  document.querySelectorAll("form.filter").forEach(function (form) {
    var names = new Map();
    var verdicts = new Set();
    pageOf(form).querySelectorAll(".group .mistake").forEach(function (tile) {
      names.set(Number(tile.dataset.predicted), nameOf(tile));
      if (tile.dataset.verdict) verdicts.add(tile.dataset.verdict);
    });
    Array.from(verdicts)
      .sort()
      .forEach(function (verdict) {
        form.elements.verdict.add(new Option(verdict, verdict));
      });
    form.elements.verdict.closest("label").hidden = verdicts.size === 0;
    Array.from(names.keys())
      .sort(function (a, b) {
        return a - b;
      })
      .forEach(function (number) {
        form.elements.predicted.add(new Option(names.get(number), number));
      });
    form.addEventListener("change", function () {
      apply(form, null);
    });
    form.querySelector("button").addEventListener("click", function () {
      form.reset();
      apply(form, null);
    });
    form.addEventListener("submit", function (event) {
      event.preventDefault();
    });
    form.hidden = false;
    form.querySelector("button").hidden = true;
  });

  function follow() {
    var found = /-g(\d+)-p(\d+)$/.exec(location.hash);
    var target = found && document.getElementById(location.hash.slice(1));
    var form = target && pageOf(target).querySelector("form.filter");
    if (!form) return;
    form.elements.predicted.value = found[2];
    form.elements.verdict.value = "";
    apply(form, found[1]);
    target.scrollIntoView({ block: "center" });
  }

  window.addEventListener("hashchange", follow);
  follow();
})();
