// Programs that a call really runs: judged by the same rules, on record, and a finding where one is refused or should have been asked about.

import { describe, expect, it } from "vitest";
import { programTree } from "../../src/core/replay/index.js";
import type { RunRequest } from "../../src/ports/sandbox.js";
import { kimiDevPolicy } from "../support/policy.js";
import { bash, createRig, never, only, typesOf } from "../support/rig.js";

async function ran(executes: readonly (readonly string[])[], command = "make test", role: string | null = null, gate: "on" | "off" = "on") {
  const rig = createRig({ policy: await kimiDevPolicy(), programs: { [command]: { executes } }, ...(gate === "off" ? { gate } : {}) });
  const session = await rig.open();
  const observation = await session.call(bash(command, role), {}, never);
  await session.close("finished");
  return { observation, events: await rig.events(session), requests: rig.sandboxes.opened[0]?.requests ?? [] };
}

describe("programs of a call", () => {
  it("are on record, in one event, between the end and the comparison", async () => {
    const { observation, events } = await ran([["cc", "-o", "a", "a.c"], ["./a"]]);
    expect(observation).toMatchObject({ outcome: "completed", findings: [] });
    const types = typesOf(events);
    expect(types.indexOf("programs.recorded")).toBe(types.indexOf("execution.finished") + 1);
    const { record, programs, dropped } = only(events, "programs.recorded");
    expect({ record, dropped }).toEqual({ record: "exec", dropped: { programs: 0, writes: 0 } });
    expect(programs.map(({ number, parent, argv, exit }) => ({ number, parent, argv: argv.at(-1), exit }))).toEqual([
      { number: 1, parent: 0, argv: "make test", exit: 0 },
      { number: 2, parent: 1, argv: "a.c", exit: 0 },
      { number: 3, parent: 1, argv: "./a", exit: 0 },
    ]);
  });

  it("that a rule forbids end the call, with rule and threat in a finding that counts as blocked", async () => {
    const { observation, events } = await ran([["ls"], ["sudo", "id"], ["touch", "later"]]);
    expect(observation).toMatchObject({ outcome: "failed", ended: "refused", findings: [{ rule: "L6.privilege", about: "program", reverted: true }] });
    expect(observation.message).toContain("ended: refused");
    expect(observation.message).toContain("L6.privilege");
    expect(only(events, "execution.finished")).toMatchObject({ ended: "refused", detail: expect.stringContaining("sudo by L6.privilege") as unknown });
    expect(only(events, "programs.recorded").programs.map(({ against }) => against ?? null)).toEqual([null, null, { rule: "L6.privilege", effect: "deny" }]);
    const scored = events.filter(({ type }) => type === "risk.updated");
    expect(JSON.stringify(scored.at(-1)?.data)).toContain("L6.privilege");
  });

  it.each([
    ["below a shell's text", ["sh", "-c", "cd / && rm -rf /etc"]],
    ["through a wrapper", ["env", "X=1", "timeout", "5", "sudo", "id"]],
    ["under the name of the file that runs", ["/lib64/ld-linux-x86-64.so.2", "/usr/bin/sudo", "id"]],
    ["on the path of a file", ["cp", "x", ".github/workflows/x.yml"]],
  ])("are seen through %s", async (_what, argv) => {
    expect((await ran([argv])).observation.ended).toBe("refused");
  });

  it("that only no rule allows, and words that cannot be told, go on: the call was allowed to run code", async () => {
    const { observation } = await ran([["/opt/own/tool", "--all"], ["sh", "-c", 'rm -rf "$BUILD"'], ["frobnicate", "/etc/passwd"], ["node", "-e", "1"]]);
    expect(observation).toMatchObject({ outcome: "completed", findings: [] });
  });

  it("that would have been asked about are a finding that stands, unless the call was approved for it", async () => {
    const { observation, events } = await ran([["git", "reset", "--hard"]]);
    expect(only(events, "programs.recorded").programs[1]?.against).toEqual({ rule: "L2.discard-work", effect: "ask" });
    expect(observation).toMatchObject({ outcome: "completed", findings: [{ rule: "L2.discard-work", about: "program", reverted: false }] });
  });

  it("that were refused are not told as having run too, where another rule would have asked", async () => {
    const { observation } = await ran([["git", "push", "origin", "main"]]);
    expect(observation.findings.map(({ rule, reverted }) => [rule, reverted])).toEqual([["kimi-dev.network", true]]);
    const both = await ran([["git", "reset", "--hard"], ["git", "push", "origin", "main"]]);
    expect(both.observation.findings.map(({ rule }) => rule).toSorted()).toEqual(["L2.discard-work", "kimi-dev.network"]);
  });

  it("that nobody held back are told by the rule that would have asked, whatever else is against them", async () => {
    const { observation } = await ran([["git", "push", "origin", "main"]], "make test", null, "off");
    expect(observation.findings.filter(({ about }) => about === "program")).toEqual([expect.objectContaining({ reverted: false, message: expect.stringContaining("nobody was asked") as unknown })]);
  });

  it("are judged under the role of the call, and answers hold only for it", async () => {
    const { requests } = await ran([["ls"]], "make test", "testwriter");
    const other = await ran([["ls"]]);
    const keyOf = (list: readonly RunRequest[]): string | undefined => list.at(-1)?.judge?.key;
    expect(keyOf(requests)).not.toBe(keyOf(other.requests));
  });

  it("have secrets taken out of their arguments", async () => {
    const token = `ghp_${"q7Rz2Kf9Lw4Xc8Tn1Vb6"}${"Yh3Jd5Mp0Sg8Ae2U"}`;
    const { events } = await ran([["deploy", `--token=${token}`]]);
    expect(JSON.stringify(events)).not.toContain(token);
  });

  it("stand as a tree, with what became of each, and what is not in it counted", () => {
    const program = (number: number, parent: number, argv: string[], rest: object = {}) => ({ number, parent, image: `/usr/bin/${argv[0] ?? ""}`, argv, cwd: "/", startedMs: 0, durationMs: 12, exit: 0, ...rest });
    const tree = programTree({ record: "full", programs: [program(1, 0, ["make"], { exit: "replaced" }), program(2, 1, ["sh", "-c", "a b"], { exit: "SIGKILL", cwd: "/sub\n", against: { rule: "own.no\u001b", effect: "deny" } }), program(3, 2, ["x\u001b"], { image: "/memfd:m (deleted)", cut: true }), program(4, 1, ["ls"]), program(9, 8, ["stray"])], writes: [{ program: 2, path: "/f" }, { program: 3, path: "/f" }], dropped: { programs: 2, writes: 0 } }, 4);
    const nothing = { cwd: null, against: null };
    expect(tree).toEqual({
      cwd: "/",
      lines: [
        { depth: 0, text: "make", end: "became another, 12 ms", ...nothing },
        { depth: 1, text: 'sh -c "a b"', end: "SIGKILL, 12 ms", cwd: "/sub\\n", against: "forbidden: own.no\\x1b" },
        { depth: 2, text: '/memfd:m (deleted): "x\\u001b" …', end: "exit 0, 12 ms", cwd: "/", against: null },
        { depth: 1, text: "ls", end: "exit 0, 12 ms", ...nothing },
      ],
      more: 3,
      written: ["/f"],
    });
  });
});
