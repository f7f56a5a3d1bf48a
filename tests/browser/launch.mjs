// What every script here begins with: `node SCRIPT.mjs FOLDER …`, where FOLDER is where `npm ci` installed package.json.

import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [folder, ...rest] = process.argv.slice(2);

/** Loads what is installed in FOLDER. */
export const require = createRequire(join(resolve(folder), "package.json"));

/** What the script was given after FOLDER. */
export { rest };

/** Chromium without a window. */
export const browser = await require("playwright-core").chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"], // the pages are our own, and root has no sandbox
});
