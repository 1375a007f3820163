// Where the state may lie. Refusals come at once: some places answer a request to make a folder never.

import { describe, expect, it } from "vitest";
import { openStateDir, resolveStateDir } from "../../src/adapters/system/state-dir.js";

describe("the state folder", () => {
  it.each(["/proc/x/y", "/sys/x", "/proc/self/root/tmp/x", "/tmp/../proc/x"])("is refused in a folder of the kernel: %s", (path) => {
    expect(() => openStateDir(path)).toThrow(expect.objectContaining({ code: "STATE_UNUSABLE" }));
  });

  it("is refused when it is not absolute", () => {
    expect(() => resolveStateDir({ RINGFENCE_HOME: "state" })).toThrow(expect.objectContaining({ code: "STATE_UNUSABLE" }));
  });
});
