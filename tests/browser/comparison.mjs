// Uses pages of comparisons and sweeps in headless Chromium: opens the runs of a config, sorts, filters, and highlights one
// config in the table and in the figures. Prints each fault, and exits with 1 if there is one.
//
//   node comparison.mjs FOLDER PAGE...        # FOLDER is where `npm ci` installed package.json
//
// CHROMIUM names the browser.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { browser, rest } from "./launch.mjs";

const pages = rest;
let faults = 0;

for (const page of pages) {
  const fault = (text) => {
    faults++;
    console.log(`${page}: ${text}`);
  };
  const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  tab.on("pageerror", (error) => fault(error));
  await tab.goto(pathToFileURL(resolve(page)).href);
  const order = () => tab.$$eval("#compared tbody:not([hidden])", (bodies) => bodies.map((body) => body.dataset.group));
  const first = await order(), count = first.length;

  // The runs of a config are folded, and a link of each leads to its report.
  const fold = tab.locator(".opens button");
  if (await fold.count()) {
    const member = tab.locator(".member").first();
    if (await member.isVisible()) fault("runs are not folded");
    await fold.first().click();
    if (!(await member.isVisible())) fault("a config does not open");
    await fold.first().press("Enter");
    if (await member.isVisible()) fault("a config does not close by the keyboard");
  }

  // A number sorts: largest first, then smallest, then as before.
  const head = tab.locator("#compared thead th", { hasText: "test %" }).locator("button");
  const column = await tab.$$eval("#compared thead th", (heads) => heads.findIndex((head) => head.textContent === "test %"));
  const numbers = () => tab.$$eval("#compared .group", (rows, column) => rows.map((row) => Number(row.cells[column].dataset.number)), column);
  await head.click();
  const falling = await numbers();
  if (falling.some((number, i) => i > 0 && number > falling[i - 1])) fault(`not falling: ${falling}`);
  await head.click();
  const rising = await numbers();
  if (rising.some((number, i) => i > 0 && number < rising[i - 1])) fault(`not rising: ${rising}`);
  await head.click();
  if (String(await order()) !== String(first)) fault("the third click does not bring the order back");

  // A word filters where there are many.
  const filter = tab.locator("#filter-rows");
  if (count > 8) {
    const word = (await tab.locator("#compared .group th").last().textContent()).trim().split(/[ ,]+/).at(-1);
    await filter.fill(word);
    const shown = (await order()).length;
    if (shown === 0 || shown > count) fault(`${shown} of ${count} rows have ${word}`);
    await filter.fill("no such word");
    if ((await order()).length !== 0) fault("a word that no row has shows rows");
    if (!(await tab.locator("#tools output").textContent()).startsWith(`0 of ${count}`)) fault("the count is wrong");
    await filter.fill("");
  } else if (await filter.isVisible()) fault("a filter for a few rows");

  // What is pointed at is seen alone, in the table and in each figure.
  const lit = () => tab.$$eval(".lit", (all) => [...new Set(all.map((it) => it.dataset.group))]);
  await tab.locator(`tbody[data-group="${count - 1}"] .group`).hover();
  if (String(await lit()) !== String(count - 1)) fault(`pointing at the last row lights ${await lit()}`);
  if (!(await tab.locator(`figure .lit[data-group="${count - 1}"]`).count())) fault("no curve is lit");
  await tab.locator("h1").hover();
  if ((await lit()).length) fault("something stays lit");
  await tab.locator(`tbody[data-group="0"] .group td`).first().click();
  await tab.locator("h1").hover();
  if (String(await lit()) !== "0") fault("a click does not keep the row lit");
  console.log(`${page}: ${count} rows`);
  await tab.close();
}
await browser.close();
process.exit(faults ? 1 : 0);
