// Sorts and filters the tables of classes. Shows the worst of the misclassified images, or those of a pair of classes. Without this script, all are shown.
"use strict";
for (const table of document.querySelectorAll("table.sorts")) sortable(table, [...table.tBodies[0].rows]);
const allClasses = document.querySelector("#all-classes tbody");
if (allClasses) filterable(document.getElementById("class-tools"), [...allClasses.rows]);

(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const cards = [...document.querySelectorAll("#mistakes-list > li")];
  const { label, predicted, pair } = form.elements;
  const show = () => {
    let count = 0;
    const any = label.value === "" && predicted.value === "";
    for (const card of cards) {
      const fits =
        (!any || "worst" in card.dataset) &&
        (label.value === "" || card.dataset.label === label.value) &&
        (predicted.value === "" || card.dataset.predicted === predicted.value);
      card.hidden = !fits;
      count += fits ? 1 : 0;
    }
    pair.value = `${label.value}-${predicted.value}`;
    if (pair.selectedIndex < 0) pair.selectedIndex = 0;
    form.querySelector("output").textContent = `${count} shown`;
  };
  const choose = (pair) => {
    [label.value, predicted.value] = pair.split("-");
    show();
  };
  label.addEventListener("change", show);
  predicted.addEventListener("change", show);
  pair.addEventListener("change", () => (pair.value ? choose(pair.value) : form.reset()));
  form.addEventListener("reset", () => setTimeout(show));
  // A cell of the confusion matrix leads to the worst image of its pair; here, to all of them.
  const follow = () => {
    const found = location.hash.match(/^#pair-(\d+-\d+)$/);
    if (found) choose(found[1]);
  };
  addEventListener("hashchange", follow);
  form.hidden = false;
  show();
  follow();
})();
