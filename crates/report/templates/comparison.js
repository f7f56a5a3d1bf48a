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

  sortable(table, bodies);
  if (bodies.length > 8) filterable(document.getElementById("tools"), bodies);

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
