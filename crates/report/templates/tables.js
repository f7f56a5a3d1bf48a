// Tables whose rows can be sorted and filtered. What stays together, a row or a body of rows, is a unit; its first row
// decides.
"use strict";
const firstRow = (unit) => unit.rows?.[0] ?? unit;

// Sort by a column: largest first, then smallest first, then the order of the file.
const sortable = (table, units) => {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const next = { none: "descending", descending: "ascending", ascending: "none" }[head.ariaSort ?? "none"];
      for (const other of heads) other.removeAttribute("aria-sort");
      if (next !== "none") head.setAttribute("aria-sort", next);
      const value = (unit) => {
        const cell = firstRow(unit).cells[column];
        return cell.dataset.number === undefined ? cell.textContent.trim() : Number(cell.dataset.number);
      };
      const compare = (one, other) => {
        const [a, b] = [value(one), value(other)];
        if (typeof a === "number" && typeof b === "number") return a - b;
        return String(a).localeCompare(String(b), "en", { numeric: true });
      };
      const sign = next === "ascending" ? 1 : -1;
      const ordered = next === "none" ? units : [...units].sort((one, other) => sign * compare(one, other));
      units[0].parentNode.append(...ordered);
    });
  });
};

// Shows the units with all words of the input; `tools` is around the input, and hidden without this script.
const filterable = (tools, units) => {
  tools.hidden = false;
  tools.querySelector("input").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const unit of units) {
      const text = firstRow(unit).textContent.toLowerCase();
      unit.hidden = !words.every((word) => text.includes(word));
      shown += unit.hidden ? 0 : 1;
    }
    tools.querySelector("output").textContent = `${shown} of ${units.length} shown`;
  });
};
