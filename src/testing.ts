// In-memory twins of the ports, so that users test what they build on Ringfence without an engine.

export { createScriptedApprover } from "./adapters/memory/approver.js";
export { createCountingIds, createRecordingTelemetry, createSteppingClock } from "./adapters/memory/system.js";
