// What a person is told of a process, out of the message that the agent gets.

import { describe, expect, it } from "vitest";
import { processNote } from "../../../src/surfaces/cli/render/outcome.js";

describe("the note on a process", () => {
  it("is the last line of the message, also where what was asked could not be done", () => {
    expect(processNote("ready\n\n[process py: it lives]")).toBe("[process py: it lives]");
    expect(processNote("[exit code 1; process py: ended, exit code 0]")).toBe("[process py: ended, exit code 0]");
    expect(processNote("[exit code 1; the process py has no terminal that keys could be pressed on]")).toBe("[the process py has no terminal that keys could be pressed on]");
  });

  it("is none where nothing is said of one", () => {
    expect(processNote("hello\n[exit code 1]")).toBeNull();
    expect(processNote("")).toBeNull();
  });
});
