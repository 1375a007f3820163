// Dangerous programs of others with nothing refused: only the container and the comparison hold them.

import { dangerSuite } from "../../support/danger-suite.js";

export const suite = dangerSuite("dangerous-contained", "off", "with nothing refused a dangerous program changes, reaches and reads nothing outside its own copy");
