// Malformed answers: each ends in one clear error and the exit code 1, nothing that was done before is lost, and `--keep-going` goes on.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { AuditEvent } from "../../src/core/session/event.js";
import { createRig, lines, whyNotHere, type Result } from "./rig.js";
import { eventsOf, playedSession } from "./kimi-rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

const TARGET = "// one\nlet a = 1;\nlet b = 1;\nlet last = 0;\n";
const edit = (search: string, replace: string, path = "a.js"): string => `### ${path}\n<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE`;
const fenced = (text: string): string => `◁think▷So.◁/think▷\n\`\`\`js\n${text}\n\`\`\``;
const answer = (content: string): string => JSON.stringify({ role: "bugfixer", stage: 2, content });

/** Name, the answer, and the code in its error. */
const BAD: readonly (readonly [name: string, line: string, code: string])[] = [
  ["cut at the token limit", answer("```js\n### a.js\n<<<<<<< SEARCH\nlet a = 1;\n=======\nlet a ="), "KIMI_CUT"],
  ["two blocks for one file", answer(`${fenced(edit("let a = 1;", "let a = 2;"))}\nBetter:\n\`\`\`\n${edit("let a = 1;", "let a = 3;")}\n\`\`\``), "KIMI_TWO_FENCES"],
  ["a path that there is not", JSON.stringify({ role: "bugfixer", stage: 1, content: "```\nsrc/a.js\n```" }), "KIMI_PATH_UNKNOWN"],
  ["a path that leads out", answer(fenced(edit("x", "y", "../a.js"))), "KIMI_PATH_ESCAPE"],
  ["no fence", answer(edit("let a = 1;", "let a = 2;")), "KIMI_NO_FENCE"],
  ["a marker inside a string of several lines", answer(fenced(edit("let a = 1;", "let a = `\n=======\n`;"))), "KIMI_MARKER"],
  ["5 MB", answer(fenced(edit("let a = 1;", `let a = "${"x".repeat(5 * 1024 * 1024)}";`))), "KIMI_TOO_LARGE"],
];

/** Read without an error, but the text does not fit. */
const UNFIT: readonly (readonly [name: string, line: string, says: string])[] = [
  ["a text found twice", answer(fenced(edit(" = 1;", " = 2;"))), "2 times"],
  ["a text not found, between edits that fit", answer(fenced([edit("let a = 1;", "let a = 4;"), edit("let z = 1;", "let z = 2;"), edit("let b = 1;", "let b = 9;")].join("\n\n"))), "not in the file"],
];

const GOOD = answer(fenced(edit("// one", "// first")));
const LAST = answer(fenced(edit("let last = 0;", "let last = 1;")));

async function played(trajectory: readonly string[], ...flags: readonly string[]): Promise<{ readonly result: Result; readonly session: string; readonly events: readonly AuditEvent[]; readonly patch: string }> {
  const workspace = rig.workspace({ "a.js": TARGET });
  const file = join(rig.scratch, "session.kimi-dev.jsonl");
  writeFileSync(file, `${trajectory.join("\n")}\n`);
  const result = await rig.run(["run", "--workspace", workspace, "--trajectory", file, ...flags]);
  const session = playedSession(result);
  return { result, session, events: await eventsOf(rig, session), patch: (await rig.run(["diff", session])).out };
}

/** Code or message of each refusal and each failed call, in order. */
function errorsOf(events: readonly AuditEvent[]): readonly string[] {
  return events.flatMap((event) => {
    if (event.type === "decision.made" && event.data.effect === "deny") return event.data.reasons.slice(0, 1).map(({ subject }) => subject);
    return event.type === "execution.finished" && event.data.exitCode !== 0 ? [event.data.stderr.head] : [];
  });
}

describe.skipIf(missing !== null)("a malformed answer", () => {
  it("of any kind gives one clear error each with `--keep-going`, and what fits before and after is done", async () => {
    const trajectory = [GOOD, ...BAD.map(([, line]) => line), ...UNFIT.map(([, line]) => line), LAST];
    const { result, session, events, patch } = await played(trajectory, "--keep-going");
    expect([result.code, result.err]).toEqual([1, ""]);
    const errors = errorsOf(events);
    expect(errors.slice(0, BAD.length)).toEqual(BAD.map(([, , code]) => code));
    expect(errors.slice(BAD.length)).toEqual(UNFIT.map(([, , says]) => expect.stringContaining(says)));
    for (const [name, , code] of BAD) expect([name, lines(result.out).filter((line) => line.includes(`${code} `)).length]).toEqual([name, 1]);
    expect(result.out).toMatch(/\n {2}calls +\d+: 0 refused, 0 paths undone, 7 lines unreadable, 2 answers with an edit that did not fit;/u);
    // Of the answer with an edit that does not fit, what came before it stands and what came after it was not tried.
    expect(patch.split("\n").filter((line) => /^[+-][^+-]/u.test(line))).toEqual(["-// one", "-let a = 1;", "+// first", "+let a = 4;", "-let last = 0;", "+let last = 1;"]);
    expect((await rig.run(["log", "verify", session])).code).toBe(0);
  });

  it.each([["that cannot be read", BAD[0]], ["whose text is found twice", UNFIT[0]]] as const)("%s stops the run there, in order, with exit code 1, and the edit before it stands", async (_, bad) => {
    const { result, session, events, patch } = await played([GOOD, bad?.[1] ?? "", LAST]);
    expect(result.code).toBe(1);
    expect(result.err).toBe("ringfence: stopped at line 2 of the trajectory; what was done before stands (`--keep-going` goes on after such a line)\n");
    expect(errorsOf(events)).toEqual([expect.stringContaining(bad?.[2] ?? "")]);
    expect(patch.split("\n").filter((line) => /^[+-][^+-]/u.test(line))).toEqual(["-// one", "+// first"]);
    expect(events.at(-1)).toMatchObject({ type: "session.closed", data: { reason: "finished" } });
    expect((await rig.run(["log", "verify", session])).code).toBe(0);
  });

  it("of a file that is no trajectory at all is said before anything runs", async () => {
    const file = join(rig.scratch, "none.jsonl");
    writeFileSync(file, "hello\n");
    const { code, err } = await rig.run(["run", "--workspace", rig.workspace({ "a.js": TARGET }), "--trajectory", file]);
    expect([code, err]).toEqual([expect.any(Number), expect.stringMatching(/^ringfence: the format of .* cannot be seen \(name it with --format: jsonl or kimi-dev\)\n$/u)]);
    expect(code).not.toBe(0);
  });
});
