// `npm run setup`: brings everything Ringfence needs. Only Node built-ins: it runs before node_modules exists.

import { ensureSetup } from "./setup/main.mjs";
import { HELP, parseOptions } from "./setup/plan.mjs";

const parsed = parseOptions(process.argv.slice(2));
if (!parsed.ok) {
  process.stderr.write(`ringfence: ${parsed.message}; see \`npm run setup -- --help\`\n`);
  process.exitCode = 2;
} else if (parsed.options.help) {
  process.stdout.write(HELP);
} else {
  const { exit } = await ensureSetup(parsed.options);
  process.exitCode = exit;
}
