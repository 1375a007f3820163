// The roles of a Kimi-Dev session. A role is a label that rules can ask for; it grants nothing by itself.

/** Finds the faulty files and fixes them. */
export const ROLE_BUGFIXER = "bugfixer";
/** Writes the test that fails before the fix and passes after it. */
export const ROLE_TESTWRITER = "testwriter";
/** Runs the tests; chosen by the program around the model, never by the model. */
export const ROLE_HARNESS = "harness";

/** Roles under which a model speaks in the two-stage framework. */
export const MODEL_ROLES: readonly string[] = [ROLE_BUGFIXER, ROLE_TESTWRITER];
