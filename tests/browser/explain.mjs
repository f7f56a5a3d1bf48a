// Touches pages of `explain` in headless Chromium. Checks 1,000 random numbers of every array against the sums of the page and
// some by finite differences, walks through the backward pass, and goes by address, mouse and keys. Prints each fault,
// and exits with 1 if there is one.
//
//   node explain.mjs FOLDER [--pictures FOLDER] PAGE...        # FOLDER is where `npm ci` installed package.json
//
// CHROMIUM names the browser.

import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { browser, rest } from "./launch.mjs";

const pictures = rest[0] === "--pictures" ? resolve(rest.splice(0, 2)[1]) : null;
let faults = 0;
const fault = (text) => {
  faults++;
  console.log(text);
};

/** In the page: every array, checked in a copy of its script. */
function checkNumbers() {
  const script = [...document.scripts].find((script) => script.text.includes("function explain(")).text;
  const open = script.indexOf("{"), end = script.lastIndexOf("start();");
  return new Function(`${script.slice(open + 1, end)}
    const model = readModel(JSON.parse(document.getElementById("data").textContent).checkpoints.at(-1));
    let seed = 1, sums = 0;
    const random = (below) => Math.floor((seed = (seed * 48271) % 2147483647) / 2147483647 * below);
    const wrong = [], verdicts = { agrees: 0, kink: 0, differs: 0 };
    model.nodes.forEach((node, n) => parts(node).forEach((name) => {
      const { values } = part(node, name);
      for (let k = 0; k < Math.min(1000, values.length); k++) {
        const ref = { node: n, part: name, at: values.length <= 1000 ? k : random(values.length) };
        const found = explain(model, ref);
        if (!found.ways.length) continue;
        sums++;
        if (!equalsEngine(found)) wrong.push(nameOf(model, ref) + ": " + found.sum + ", engine " + found.engine);
        if (k >= 2 || !name.endsWith("gradient")) continue;
        const { verdict, value } = difference(model, ref, found.engine);
        verdicts[verdict]++;
        if (verdict === "differs") wrong.push(nameOf(model, ref) + ": " + found.engine + ", difference " + value);
      }
    }));
    return { sums, wrong, verdicts };`)();
}

for (const page of rest) {
  const name = basename(page, ".html"), url = pathToFileURL(resolve(page)).href;
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: "reduce" });
  const tab = await context.newPage();
  tab.on("pageerror", (error) => fault(`${page}: ${error}`));
  const began = Date.now();
  await tab.goto(url);
  await tab.waitForSelector("#panel h2");
  const opened = Date.now() - began;

  const { sums, wrong, verdicts } = await tab.evaluate(checkNumbers);
  wrong.slice(0, 10).forEach((text) => fault(`${page}: ${text}`));
  console.log(`${page}: opened in ${opened} ms, ${sums} sums, ${wrong.length} wrong; differences: ` +
    `${verdicts.agrees} agree, ${verdicts.kink} at kinks, ${verdicts.differs} differ`);

  // Step by step to the image: each step has a verdict, and none is wrong.
  let steps = 1;
  while (await tab.locator("#next").isEnabled()) {
    await tab.keyboard.press("n");
    steps++;
    await tab.waitForFunction(() => ![...document.querySelectorAll("#panel .verdict")].some((it) => it.textContent === "…"));
    const said = await tab.locator("#panel .verdict.wrong").allTextContents();
    if (said.length) fault(`${page}: step ${steps}: ${said.join(" ")}`);
  }
  const last = await tab.locator("#panel h2").textContent();
  if (!last.startsWith("∂L/∂image")) fault(`${page}: the last step is ${last}`);

  // A touched number, a term of it, an arrow key: each is chosen, and the address has it.
  const first = tab.locator("canvas[tabindex]").nth(2);
  await first.scrollIntoViewIfNeeded();
  await first.click({ position: { x: 20, y: 20 } });
  const touched = await tab.locator("#panel h2").textContent();
  await tab.locator("button.factor").first().click();
  const walked = await tab.locator("#panel h2").textContent();
  await first.focus();
  await tab.keyboard.press("ArrowRight");
  const moved = await tab.locator("#panel h2").textContent();
  if (new Set([touched, walked, moved]).size < 3) fault(`${page}: touch ${touched}, walk ${walked}, arrow ${moved}`);
  const shared = await context.newPage();
  await shared.goto(tab.url());
  if ((await shared.locator("#panel h2").textContent()) !== moved) fault(`${page}: the address leads elsewhere`);

  // The result is hidden until somebody answers.
  await shared.locator("#learning").check();
  if (await shared.locator("#panel dl.result").isVisible()) fault(`${page}: the result is not hidden`);
  await shared.locator("#guess").fill("12345");
  await shared.keyboard.press("Enter");
  if (!(await shared.locator("#panel dl.result").isVisible())) fault(`${page}: an answer does not show the result`);
  if (!(await shared.locator("#panel [role=status]").textContent()).startsWith("Wrong")) fault(`${page}: 12345 is right`);
  await shared.locator("#guess").fill("−1.234e−5");
  await shared.keyboard.press("Enter");
  if ((await shared.locator("#panel [role=status]").textContent()).startsWith("Write")) fault(`${page}: −1.234e−5 is no number`);

  // An address that is none leads to the loss, and the keys work after a control was touched.
  for (const hash of ["#%E0%A4%A", "#conv1/weight/", "#nothing/values/0"]) {
    const odd = await context.newPage();
    await odd.goto(url + hash);
    const chosen = await odd.locator("#panel h2").textContent();
    if (chosen !== "L") fault(`${page}: ${hash} leads to ${chosen}`);
    await odd.locator("#learning").check();
    await odd.keyboard.press("n");
    if ((await odd.locator("#step-count").textContent()).startsWith("step 1 ")) fault(`${page}: n does nothing after a touch`);
    await odd.close();
  }

  // The slider keeps the step, its number is the largest of these weights, and the address holds the iteration.
  if (await tab.locator("#checkpoint").count()) {
    const slid = await context.newPage();
    await slid.goto(url);
    for (let i = 0; i < 5; i++) await slid.keyboard.press("n");
    await slid.locator("#checkpoint").fill("0");
    const before = await slid.locator("#panel h2").textContent();
    await slid.keyboard.press("p");
    await slid.keyboard.press("n");
    if ((await slid.locator("#panel h2").textContent()) !== before) fault(`${page}: the slider shows another number than the step`);
    const again = await context.newPage();
    await again.goto(slid.url());
    const [one, other] = await Promise.all([slid, again].map((tab) => tab.locator("#iteration").textContent()));
    if (one !== other || (await again.locator("#panel h2").textContent()) !== before) fault(`${page}: the address does not hold the slider`);
  }

  // A number that is changed in the data is noticed.
  await shared.addInitScript(() => {
    const parse = JSON.parse;
    JSON.parse = (text) => {
      const all = parse(text), data = all.checkpoints.at(-1), bytes = Uint8Array.from(atob(data.input_gradient), (c) => c.charCodeAt(0));
      const numbers = new Float32Array(bytes.buffer), largest = numbers.reduce((best, value, i) => (Math.abs(value) > Math.abs(numbers[best]) ? i : best), 0);
      numbers[largest] *= 1.5;
      data.input_gradient = btoa(String.fromCharCode(...new Uint8Array(numbers.buffer)));
      window.changed = largest;
      return all;
    };
  });
  await shared.reload();
  await shared.evaluate(() => (location.hash = `#image/gradient/${window.changed}`));
  await shared.waitForFunction(() => document.querySelector("#panel .verdict.wrong")).catch(() => fault(`${page}: a changed number is not noticed`));

  if (pictures) {
    for (const [width, colorScheme] of [[1280, "light"], [390, "dark"]]) {
      const look = await browser.newContext({ viewport: { width, height: 860 }, colorScheme });
      const tab = await look.newPage();
      await tab.goto(url);
      await tab.waitForTimeout(1000);
      await tab.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`) });
      await look.close();
    }
  }
  await context.close();
}
await browser.close();
process.exit(faults ? 1 : 0);
