// Dangerous programs of others under the policy as users have it.

import { dangerSuite } from "../../support/danger-suite.js";

export const suite = dangerSuite("dangerous-programs", "on", "a dangerous program is denied, stopped or contained under the policy; none has an effect outside its copy");
