// Sessions side by side in one orchestrator, each with a folder, a token and real commands of its own: none may see anything of
// another, in output, in files or in its record, and nothing of them is left.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { composeEngine, type Orchestrator } from "../../../src/compose.js";
import type { ToolCall } from "../../../src/core/action/index.js";
import { leftInTheEnd, whyNotHere } from "../../e2e/rig.js";
import { snapshot } from "../../support/snapshot.js";
import { createRandom } from "../random.js";
import type { Suite, Task } from "../suite.js";

export const suite: Suite = {
  name: "parallel",
  law: "sessions side by side run their commands without an error and see nothing of each other, and nothing of them is left",
  unit: "sessions at once",
  needs: "engine",
  full: 100,
  sample: 6,
  run,
};

const NEVER = new AbortController().signal;
/** Containers that are being made at one moment. Made sessions all stay open. */
const STARTS_AT_ONCE = 4;
/** Every place that is written, and every place where another session's token could lie. */
const WRITES = (token: string): string => `echo ${token} > mine.txt; echo ${token} > /tmp/shared-name; echo ${token} > ~/shared-name; export TOKEN=${token}; (sleep 0.05; echo ${token} > /tmp/late) & wait`;
const COMPUTES = (token: string): string => `python3 -c 'import hashlib,sys; h=b"${token}"\nfor _ in range(20000): h=hashlib.sha256(h).digest()\nprint(h.hex())'`;
const LOOKS = "cat mine.txt /tmp/shared-name ~/shared-name /tmp/late given.txt; echo $TOKEN; ls -A /tmp | wc -l; ps -eo args= | grep -c '[s]leep' ; hostname; true";

interface One {
  readonly token: string;
  readonly folder: string;
  readonly before: string;
  readonly session: Awaited<ReturnType<Orchestrator["open"]>>;
}

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const missing = whyNotHere();
  if (missing !== null) throw new Error(missing);
  const random = createRandom(seed);
  const base = mkdtempSync(join(tmpdir(), "ringfence-parallel-"));
  const state = join(base, "state");
  const orchestrator = await composeEngine({ env: { ...process.env, RINGFENCE_HOME: state }, approver: { terminal: null } });
  const open: One[] = [];
  try {
    const residentBefore = process.memoryUsage().rss;
    const begun = performance.now();
    await lanes(count, STARTS_AT_ONCE, signal, async (index) => {
      const token = `token-${String(index)}-${Math.floor(random.fork(String(index)).next() * 2 ** 40).toString(36)}`;
      open.push(await start(orchestrator, base, index, token));
    });
    report.figure("ms until all were open", Math.round(performance.now() - begun));
    report.figure("orchestrator, KiB a session", Math.round((process.memoryUsage().rss - residentBefore) / 1024 / count));
    const tokens = open.map(({ token }) => token);
    const atWork = performance.now();
    // All at once: every session has a call under way.
    await Promise.all(open.map(async (one) => report_(report, one, await work(one, tokens, AbortSignal.any([signal])))));
    report.figure("ms for all to do their work", Math.round(performance.now() - atWork));
    report.figure("sandboxes, KiB a session", Math.round(containerBytes(open) / 1024 / count));
    await lanes(open.length, STARTS_AT_ONCE, NEVER, async (index) => open[index]?.session.close("finished"));
    for (const one of open) {
      const record = readFileSync(join(state, "sessions", one.session.id, "ledger.jsonl"), "utf8");
      const foreign = tokens.find((token) => token !== one.token && record.includes(token));
      if (foreign !== undefined) report.fail(one.session.id, `its record holds ${foreign}`);
      if (snapshot(one.folder).join("\n") !== one.before) report.fail(one.session.id, "the user's folder is not what it was");
    }
    const left = await leftInTheEnd(open.map(({ session }) => session.id), state);
    if (left.length > 0) report.fail("after all were closed", left.join("\n"));
  } finally {
    await Promise.all(open.map(({ session }) => session.close("finished").catch(() => undefined)));
    rmSync(base, { recursive: true, force: true });
  }
}

async function start(orchestrator: Orchestrator, base: string, index: number, token: string): Promise<One> {
  const folder = join(base, "folders", String(index));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "given.txt"), `${token}\n`);
  return { token, folder, before: snapshot(folder).join("\n"), session: await orchestrator.open({ workspace: folder }, NEVER) };
}

/** What was wrong with one session, in words. */
async function work({ session, token }: One, tokens: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const wrong: string[] = [];
  const call = async (command: string): Promise<string> => {
    const bash: ToolCall = { id: "1", role: null, tool: "bash", arguments: { command } };
    const { exitCode, stdout, stderr, message } = await session.call(bash, {}, signal);
    if (exitCode !== 0) wrong.push(`\`${command.slice(0, 40)}\` ended with ${String(exitCode)}: ${message.slice(0, 300)}`);
    const foreign = tokens.find((other) => other !== token && `${stdout}${stderr}`.includes(other));
    if (foreign !== undefined) wrong.push(`saw ${foreign}`);
    return stdout;
  };
  await call(WRITES(token));
  const digest = await call(COMPUTES(token));
  if (!/^[0-9a-f]{64}\n$/u.test(digest)) wrong.push(`computed ${digest.slice(0, 80)}`);
  const seen = (await call(LOOKS)).split("\n");
  if (seen.slice(0, 6).some((line) => line !== token)) wrong.push(`has ${seen.slice(0, 6).join(", ")} and not its own token`);
  if (seen[6] !== "2") wrong.push(`${seen[6] ?? "?"} names in /tmp`);
  if (seen[7] !== "0") wrong.push(`${seen[7] ?? "?"} processes of others`);
  return wrong;
}

function report_(report: Task["report"], { session, token }: One, wrong: readonly string[]): void {
  for (const text of wrong) report.fail(`${session.id} (${token})`, text);
  report.done();
}

/** Memory that the kernel counts for the containers, without what it keeps of files. */
function containerBytes(open: readonly One[]): number {
  const ids = open.flatMap(({ session }) => execFileSync("docker", ["ps", "--quiet", "--no-trunc", "--filter", `label=dev.ringfence.session=${session.id}`], { encoding: "utf8" }).split("\n").filter((id) => id !== ""));
  return ids.map(rssOf).reduce((sum, bytes) => sum + bytes, 0);
}

function rssOf(id: string): number {
  for (const [file, pattern] of [[`/sys/fs/cgroup/memory/docker/${id}/memory.stat`, /^total_rss (\d+)$/mu], [`/sys/fs/cgroup/docker/${id}/memory.stat`, /^anon (\d+)$/mu], [`/sys/fs/cgroup/system.slice/docker-${id}.scope/memory.stat`, /^anon (\d+)$/mu]] as const) {
    try {
      return Number(pattern.exec(readFileSync(file, "utf8"))?.[1] ?? 0);
    } catch {
      // Another engine puts it elsewhere.
    }
  }
  return 0;
}

async function lanes(count: number, wide: number, signal: AbortSignal, one: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count && !signal.aborted) await one(next++);
  };
  await Promise.all(Array.from({ length: wide }, lane));
}
