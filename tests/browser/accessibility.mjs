// Looks at pages with axe-core in headless Chromium: wide and narrow, light and dark. Prints each violation, and exits
// with 1 if there is one.
//
//   npm ci --prefix FOLDER                                  # with package.json and package-lock.json of this folder
//   node accessibility.mjs FOLDER [--pictures FOLDER] PAGE...
//
// CHROMIUM names the browser.

import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { browser, require, rest } from "./launch.mjs";

const axe = require.resolve("axe-core/axe.min.js");

const pictures = rest[0] === "--pictures" ? resolve(rest.splice(0, 2)[1]) : null;
let violations = 0;
let looks = 0;
for (const page of rest) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 400]) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
      const tab = await context.newPage();
      const errors = [];
      tab.on("pageerror", (error) => errors.push(String(error)));
      await tab.goto(pathToFileURL(resolve(page)).href);
      // What is folded, or below the window, belongs to the page.
      await tab.evaluate(async () => {
        document.querySelectorAll("details").forEach((it) => (it.open = true));
        const images = [...document.images].filter((it) => !it.closest("[hidden]"));
        images.forEach((it) => (it.loading = "eager"));
        await Promise.all(images.map((it) => it.decode().catch(() => {})));
      });
      await tab.addScriptTag({ path: axe });
      const found = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      const where = `${page}, ${width} px, ${colorScheme}`;
      for (const violation of found.violations) {
        for (const node of violation.nodes) {
          violations += 1;
          console.log(`${where}: ${violation.id}: ${violation.help}\n  ${node.html}\n  ${node.failureSummary}`);
        }
      }
      // A page that is wider than the window is moved back and forth to be read (WCAG 1.4.10).
      const wider = await tab.evaluate(() => {
        const page = document.documentElement;
        return page.scrollWidth - page.clientWidth;
      });
      if (wider > 0) errors.push(`the page is ${wider} px wider than the window`);
      for (const error of errors) {
        violations += 1;
        console.log(`${where}: ${error}`);
      }
      if (pictures) {
        const name = `${basename(dirname(resolve(page)))}-${basename(page, ".html")}-${width}-${colorScheme}.png`;
        await tab.screenshot({ path: join(pictures, name), fullPage: true });
      }
      looks += 1;
      await context.close();
    }
  }
}
await browser.close();
console.log(`${rest.length} pages, ${looks} looks, ${violations} violations`);
process.exit(violations > 0 ? 1 : 0);
