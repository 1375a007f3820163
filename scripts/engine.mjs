// `ringfence doctor --stop-engine`: ends the engine that set-up started, and prints what came of it. Started by the command line.

import { SetupError } from "./setup/errors.mjs";
import { stopEngine } from "./setup/engine-start.mjs";
import { setupPaths } from "./setup/paths.mjs";

try {
  process.stdout.write(`${await stopEngine(setupPaths())}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof SetupError ? error.exit : 70;
}
