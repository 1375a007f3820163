// Orders to sessions of other processes, for surfaces.

export { createSessionControl } from "./adapters/system/session-control.js";
