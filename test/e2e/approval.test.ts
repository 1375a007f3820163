// A rule that asks: without a terminal it is rejected and recorded; on one a person sees what would run and decides.

import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { createRig, lines, sessionFolders, sessionOf, whyNotHere, type Running } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

const folder = rig.workspace({ "a.txt": "one\n" });
const PROGRAM = "echo '*.js filter=x' > .gitattributes && echo it-ran";
const ASKS = ["exec", "--workspace", folder, "--shell", PROGRAM];
const DOWN = "\u001b[B";

const events = (session: string): readonly { readonly type: string; readonly data: Record<string, unknown> }[] => lines(readFileSync(rig.ledger(session), "utf8")).map((line) => JSON.parse(line) as { readonly type: string; readonly data: Record<string, unknown> });
const newest = (): string => {
  const asked = sessionFolders(rig.state).filter((id) => events(id).some(({ type }) => type === "approval.requested"));
  return asked.sort((a, b) => opened(b) - opened(a))[0] ?? "";
};
const opened = (id: string): number => Date.parse((JSON.parse(lines(readFileSync(rig.ledger(id), "utf8"))[0] ?? "{}") as { readonly time: string }).time);

async function asked(): Promise<Running> {
  const process = rig.startOnTerminal(ASKS);
  await process.until("the question", () => process.out().includes("Run this?"));
  return process;
}

describe.skipIf(missing !== null)("a command that needs a person", () => {
  it("is rejected without a terminal, with 126, the rule and the reason, and nothing ran", async () => {
    const result = await rig.run(ASKS);
    expect([result.code, result.out]).toEqual([126, ""]);
    expect(result.err).toMatch(/^ringfence: needs approval \(unavailable\) X\.git-attributes \[maestro:X\/.+\] .+\(.+\.gitattributes\)$/mu);
    const recorded = events(sessionOf(result));
    expect(recorded.filter(({ type }) => type.startsWith("execution"))).toEqual([]);
    expect(recorded.find(({ type }) => type === "approval.resolved")?.data).toMatchObject({ outcome: "unavailable", by: "nobody" });
  });

  it("is shown whole to a person at the terminal, and runs after a yes", async () => {
    const process = await asked();
    expect(process.out()).toContain(PROGRAM);
    expect(process.out()).toContain("X.git-attributes");
    process.stdin.write(DOWN);
    await process.until("the yes is chosen", () => /● Yes|> Yes/u.test(process.out()));
    process.stdin.write("\r");
    const { code, out } = await process.ended;
    expect([code, out.slice(out.lastIndexOf("Yes, run it once"))]).toEqual([0, expect.stringContaining("it-ran\r\n")]);
    expect(events(newest()).find(({ type }) => type === "approval.resolved")?.data).toMatchObject({ outcome: "approved" });
    const { out: stat } = await rig.run(["diff", "--stat", newest()]);
    expect(stat).toBe("A .gitattributes  runs later\n");
  });

  it("does not run after a no, nor after Ctrl-C at the question", async () => {
    for (const key of ["\r", "\u0003"]) {
      const process = await asked();
      process.stdin.write(key);
      const { code, out } = await process.ended;
      expect([key, code]).toEqual([key, 126]);
      expect(out).toContain("needs approval (rejected)");
      expect(out).not.toContain("it-ran\r\nringfence");
      const recorded = events(newest());
      expect(recorded.filter(({ type }) => type.startsWith("execution"))).toEqual([]);
      expect(recorded.find(({ type }) => type === "approval.resolved")?.data).toMatchObject({ outcome: "rejected" });
    }
  });
});
