// `npm run demo`: sets up what is missing, then shows Ringfence at work. Arguments go to `ringfence demo`.

import { CHECKOUT } from "./setup/paths.mjs";
import { ensureSetup } from "./setup/main.mjs";
import { follow } from "./setup/follow.mjs";

const ready = await ensureSetup();
process.exitCode = ready.exit !== 0 ? ready.exit : await follow([process.execPath, `${CHECKOUT}/bin/ringfence.mjs`, "demo", ...process.argv.slice(2)], { env: ready.env });
