// Every law that is a test by itself and needs a sandbox, with all of its cases: the ways round that are tried by the agent's user and by
// user 0, reviews killed at a hundred moments.

import { markedFiles, runMarked } from "../marked-files.js";
import type { Suite } from "../suite.js";

const files = markedFiles(["docker", "e2e"]);

export const suite: Suite = {
  name: "laws-engine",
  law: "the laws about sandboxes that are tests of their own hold in all of their cases",
  unit: "test files",
  needs: "engine",
  full: files.length,
  sample: 0,
  run: (task) => runMarked(files, task),
};
