// `ringfence image build|check`: builds sandbox images, or runs their checks, with set-up's own steps. Started by the command line.

import { parseImageWords, runImageCommand } from "./setup/image-command.mjs";

const parsed = parseImageWords(process.argv.slice(2));
if (!parsed.ok) {
  process.stderr.write(`ringfence: ${parsed.message}\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await runImageCommand(parsed.command);
}
