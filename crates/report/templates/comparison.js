// Opens the runs of a config, sorts and filters the table, and highlights one config in all figures.
"use strict";
(() => {
  const table = document.getElementById("compared"), bodies = [...table.tBodies];
  // Without this script all runs are shown.
  table.classList.add("folded");
  for (const body of bodies) {
    const name = body.querySelector(".opens");
    if (!name) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name.textContent;
    button.ariaExpanded = "false";
    button.addEventListener("click", () => {
      const open = body.classList.toggle("open");
      button.ariaExpanded = String(open);
    });
    name.replaceChildren(button);
  }

  // Sort by a column: largest first, then smallest first, then the order of the file.
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
      const value = (body) => {
        const cell = body.rows[0].cells[column];
        return cell.dataset.number === undefined ? cell.textContent.trim() : Number(cell.dataset.number);
      };
      const compare = (one, other) => {
        const [a, b] = [value(one), value(other)];
        if (typeof a === "number" && typeof b === "number") return a - b;
        return String(a).localeCompare(String(b), "en", { numeric: true });
      };
      const sign = next === "ascending" ? 1 : -1;
      const ordered = next === "none" ? bodies : [...bodies].sort((one, other) => sign * compare(one, other));
      table.append(...ordered);
    });
  });

  const tools = document.getElementById("tools"), input = document.getElementById("filter-rows");
  if (bodies.length > 8) {
    tools.hidden = false;
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const body of bodies) {
        const text = body.rows[0].textContent.toLowerCase();
        body.hidden = !words.every((word) => text.includes(word));
        shown += body.hidden ? 0 : 1;
      }
      tools.querySelector("output").textContent = `${shown} of ${bodies.length} shown`;
    });
  }

  // What is pointed at, or has the focus, is seen alone; a click keeps it.
  let kept = null;
  const light = (number) => {
    document.body.classList.toggle("one", number !== null);
    for (const it of document.querySelectorAll("[data-group]")) it.classList.toggle("lit", it.dataset.group === number);
  };
  const of = (event) => event.target.closest?.("[data-group]")?.dataset.group ?? null;
  addEventListener("pointerover", (event) => light(of(event) ?? kept));
  addEventListener("focusin", (event) => light(of(event) ?? kept));
  addEventListener("click", (event) => {
    const number = of(event);
    if (event.target.closest("a, button, summary, input")) return;
    kept = number === kept ? null : number;
    light(number ?? kept);
  });
})();
