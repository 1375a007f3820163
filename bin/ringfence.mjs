#!/usr/bin/env node
// The command `ringfence`: checks Node, then hands over to the built command line. Does no work of its own.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const cli = fileURLToPath(new URL("../dist/cli", import.meta.url));

if (major < 20 || (major === 20 && minor < 20)) {
  process.stderr.write(`ringfence: Node ${process.versions.node} is too old; 20.20 or newer is needed\n`);
  process.exitCode = 75;
} else if (!existsSync(`${cli}/main.cjs`)) {
  process.stderr.write(`ringfence: not set up yet\n  run \`npm run setup\` in ${fileURLToPath(new URL("..", import.meta.url))}\n`);
  process.exitCode = 75;
} else {
  await createRequire(import.meta.url)("./load.cjs").loadCli(cli).main(process.argv);
}
