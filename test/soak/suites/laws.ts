// Every law that is a test by itself (properties, differential, corpora), with its full number of inputs.

import { markedFiles, runMarked } from "../marked-files.js";
import type { Suite } from "../suite.js";

/** Folders whose tests need no engine. */
const files = markedFiles(["property", "unit", "engine", "integration", "differential", "adversarial", "contract"]);

export const suite: Suite = {
  name: "laws",
  law: "the laws that are tests of their own hold on their full number of inputs",
  unit: "test files",
  needs: "nothing",
  full: files.length,
  sample: 0,
  run: (task) => runMarked(files, task),
};
