#!/usr/bin/env node
// The command `ringfence`: checks Node, then hands over to the built command line. Does no work of its own.

import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const cli = new URL("../dist/cli/ringfence.mjs", import.meta.url);

if (major < 20 || (major === 20 && minor < 20)) {
  process.stderr.write(`ringfence: Node ${process.versions.node} is too old; 20.20 or newer is needed\n`);
  process.exitCode = 75;
} else if (!existsSync(fileURLToPath(cli))) {
  process.stderr.write(`ringfence: not set up yet\n  run \`npm run setup\` in ${fileURLToPath(new URL("..", import.meta.url))}\n`);
  process.exitCode = 75;
} else {
  if ("enableCompileCache" in nodeModule && typeof nodeModule.enableCompileCache === "function") nodeModule.enableCompileCache(); // Node 22 and newer
  await import(cli.href);
}
