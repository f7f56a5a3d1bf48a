// Uses the curves of reports in headless Chromium: values by the pointer and by the keyboard, epochs, a logarithmic axis,
// smoothing; and its tables of classes: sorting, filtering. Prints each fault, and exits with 1 if there is one.
//
//   node report.mjs FOLDER PAGE...        # FOLDER is where `npm ci` installed package.json
//
// CHROMIUM names the browser. With PICTURES=FOLDER, it puts pictures of the curves there.

import { join, resolve } from "node:path";
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
  const picture = async (name) => {
    if (process.env.PICTURES) await tab.screenshot({ path: join(process.env.PICTURES, `${name}.png`), fullPage: false });
  };
  await tab.locator("#training").scrollIntoViewIfNeeded();

  for (const id of ["loss", "accuracy", "layer-gradients", "dead-units"]) {
    const figure = tab.locator(`figure.curve:has(#${id})`);
    // Not every run looks at its layers, and not every network has ReLUs.
    if (!(await figure.count())) continue;
    await figure.scrollIntoViewIfNeeded();
    const values = JSON.parse(await figure.locator("script").textContent());
    const last = values.iterations.length - 1;
    const said = () => figure.locator("output").textContent();
    const expected = (index) => {
      const known = values.series.filter((series) => series.values[index] !== null);
      const words = known.map((series) => `${series.name} ${series.values[index]}`).join(", ");
      const epoch = values.epochs ? ` (epoch ${values.epochs[index]})` : "";
      return `iteration ${values.iterations[index].toLocaleString("en-US")}${epoch}: ${words}`;
    };

    // The pointer finds the report under it, at the right place of the screen.
    const box = await figure.locator("svg").boundingBox();
    const view = (await figure.locator("svg").getAttribute("viewBox")).split(" ").map(Number);
    const [left, , right] = values.plot, [first, end] = values.range;
    for (const index of [0, Math.floor(last / 2), last]) {
      const x = left + ((right - left) * (values.iterations[index] - first)) / (end - first);
      await tab.mouse.move(box.x + (x * box.width) / view[2], box.y + box.height / 2);
      if ((await said()) !== expected(index)) fault(`${id}, pointer at ${index}: "${await said()}", not "${expected(index)}"`);
    }
    await picture(`${id}-pointer`);
    await tab.mouse.move(1, 1);
    if ((await said()) !== "") fault(`${id}: the values stay when the pointer leaves`);

    // So do the arrow keys.
    await figure.focus();
    await figure.press("Home");
    if ((await said()) !== expected(0)) fault(`${id}, Home: "${await said()}"`);
    await figure.press("ArrowRight");
    if ((await said()) !== expected(Math.min(1, last))) fault(`${id}, →: "${await said()}"`);
    await figure.press("End");
    if ((await said()) !== expected(last)) fault(`${id}, End: "${await said()}"`);
    await figure.press("Escape");
    if ((await said()) !== "") fault(`${id}: the values stay after Escape`);
  }

  await tab.locator("#training").scrollIntoViewIfNeeded();

  // Epochs in place of iterations.
  const epochs = tab.locator("#curve-tools [name=epochs]");
  const visible = (selector) => tab.locator(selector).first().isVisible();
  if (await epochs.isVisible()) {
    await epochs.check();
    if (!(await visible("#loss .epochs")) || (await visible("#loss .iterations"))) fault("the axis has no epochs");
    await epochs.uncheck();
    if ((await visible("#loss .epochs")) || !(await visible("#loss .iterations"))) fault("the axis has no iterations");
  }

  // A logarithmic axis for what is positive.
  const logarithmic = tab.locator("#curve-tools [name=logarithmic]");
  if ((await logarithmic.isVisible()) && (await tab.locator("#loss .log").count())) {
    await logarithmic.check();
    if (!(await visible("#loss .log")) || (await visible("#loss .linear"))) fault("the loss is not logarithmic");
    if (!(await visible("#accuracy .line"))) fault("the accuracy vanished");
    await picture("logarithmic");
    await logarithmic.uncheck();
  }

  // Smoothing shows the raw line too, and its line begins with it.
  const smoothing = tab.locator("#curve-tools [name=smoothing]");
  await smoothing.fill("0.9");
  const lines = await tab.$$eval("#accuracy path.line", (lines) => lines.map((it) => [it.classList.value, it.getAttribute("d")]));
  const raw = lines.filter(([name]) => name.includes("raw")), smooth = lines.filter(([name]) => name.includes("smooth"));
  const long = lines.filter(([name, d]) => !name.includes("smooth") && d.split(" L").length > 4);
  if (raw.length !== long.length || raw.length !== smooth.length) fault(`smoothing: ${raw.length} raw, ${smooth.length} smooth lines`);
  raw.forEach(([, d], index) => {
    const points = (d) => d.slice(1).split(" L").map((point) => point.split(" ").map(Number));
    const [values, means] = [points(d), points(smooth[index][1])];
    // The definition, anew: weights 0.9ᵏ for the value k reports ago.
    means.forEach(([x, y], at) => {
      const weights = values.slice(0, at + 1).map((_, k) => 0.9 ** (at - k));
      const mean = weights.reduce((sum, weight, k) => sum + weight * values[k][1], 0) / weights.reduce((a, b) => a + b);
      if (x !== values[at][0] || Math.abs(y - mean) > 0.01) fault(`smoothing: ${y} at ${at}, not ${mean}`);
    });
  });
  await picture("smooth");
  await smoothing.fill("0");
  if ((await tab.locator(".smooth").count()) !== 0) fault("smoothing cannot be switched off");

  // The tables of classes: a column sorts, and a word filters where there are many.
  const table = tab.locator("table.sorts").last();
  await tab.$$eval("details", (all) => all.forEach((it) => (it.open = true)));
  const rows = () => table.locator("tbody tr:visible th").allTextContents();
  const before = await rows();
  for (const name of ["recall", "images"]) {
    const button = table.locator("thead button", { hasText: name });
    const column = await table.locator("thead th").evaluateAll((all, name) => all.findIndex((it) => it.textContent === name), name);
    const numbers = () => table.locator("tbody tr").evaluateAll((all, column) => all.map((row) => Number(row.cells[column].textContent.replace(/[,–]/g, ""))), column);
    await button.click();
    const falling = await numbers();
    if (falling.some((number, i) => i > 0 && number > falling[i - 1])) fault(`${name} is not falling: ${falling}`);
    await button.click();
    const rising = await numbers();
    if (String(rising) !== String([...falling].sort((a, b) => a - b))) fault(`${name} is not rising: ${rising}`);
    await button.click();
    if (String(await rows()) !== String(before)) fault(`${name}: the third click does not bring the order back`);
  }
  const words = tab.locator("#filter-classes");
  if ((await words.count()) && (await words.isVisible())) {
    await words.fill("no such class");
    if ((await rows()).length !== 0) fault("a word that no class has shows classes");
    await words.fill(before.at(-1).slice(-3));
    const shown = (await rows()).length;
    if (shown === 0 || shown === before.length) fault(`${shown} of ${before.length} classes are shown`);
    await words.fill("");
  } else if (before.length > 20) fault("there is no filter for many classes");
  await tab.close();
}
await browser.close();
console.log(`${pages.length} pages, ${faults} faults`);
process.exit(faults ? 1 : 0);
