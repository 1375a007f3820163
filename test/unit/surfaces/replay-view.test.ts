// Keys of the view of a session, and what it prints of a hostile one.

import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { breakLine } from "../../../src/surfaces/cli/render/layout.js";
import { timelineHeadOf } from "../../../src/core/replay/index.js";
import { stepLines, timelineHead } from "../../../src/surfaces/cli/render/timeline.js";
import { press, type Place } from "../../../src/surfaces/cli/replay-view.js";
import { hostileTimeline } from "../../support/hostile-timeline.js";

const timeline = hostileTimeline();
const steps = timeline.steps.map((step, index) => ({ ...step, isFinding: index % 5 === 2 }));

function after(keys: readonly string[], from: number = 0): Place {
  const place: Place = { at: from, top: 0, isOpen: false, diff: false, workspace: false, search: "", typing: null, said: "" };
  for (const key of keys) press(place, steps, key.length === 1 ? key : "", { sequence: key, name: key.length === 1 ? key.toLowerCase() : key, ctrl: false, meta: false, shift: false });
  return place;
}

describe("the view of a session", () => {
  it("steps, jumps to findings and to the ends, and stays inside", () => {
    expect([after(["j", "j"]).at, after(["k"]).at, after(["G"]).at, after(["G", "j"]).at, after(["g"], 4).at, after(["n"]).at, after(["n", "n"]).at, after(["N"], 10).at]).toEqual([2, 0, steps.length - 1, steps.length - 1, 0, 2, 7, 7]);
    expect(after(["N"])).toMatchObject({ at: 0, said: "no finding before this one" });
    expect(after(["o"]).isOpen).toBe(true);
  });

  it("searches with words typed, mended with backspace, left with escape", () => {
    expect(after(["/", ..."iframe", "return"]).at).toBe(steps.findIndex((step) => step.call.summary.includes("<iframe")));
    expect(after(["/", ..."nowherex", "return"]).said).toContain("no call after this one");
    expect(after(["/", "a", "b", "backspace"]).typing).toBe("a");
    expect(after(["/", "a", "escape"]).typing).toBeNull();
  });

  it("ends with q and with Ctrl-C", () => {
    const place = after([]);
    expect(press(place, steps, "q", { name: "q" })).toBe("quit");
    const before = process.exitCode;
    expect(press(place, steps, "\u0003", { name: "c", ctrl: true })).toBe("quit");
    process.exitCode = before;
  });

  it("prints nothing that steers a terminal, with and without colours", () => {
    for (const paint of [pc.createColors(false), pc.createColors(true)]) {
      const lines = [...timelineHead(timelineHeadOf(timeline), paint), ...timeline.steps.flatMap((step) => stepLines(step, { arguments: null, output: step.call.label, cut: 0 }, { width: 100, outputLines: 20, total: steps.length }, paint))];
      const text = lines.join("").replace(/\u001b\[\d{1,2}m/gu, "");
      expect(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u.exec(text)).toBeNull();
    }
  });

  it("breaks a line at the width of the terminal, colours and wide signs counted as they show", () => {
    expect(breakLine("\u001b[31mabcdef\u001b[39mgh", 3)).toEqual(["\u001b[31mabc", "def\u001b[39m", "gh"]);
    expect(breakLine("漢字漢", 4)).toEqual(["漢字", "漢"]);
    expect(breakLine("", 4)).toEqual([""]);
  });
});
