// What benchmarks of guarded calls share: a state folder and a workspace of their own, sessions on them, and a bare start to hold a call
// against. All of it is taken away at the end, after Ctrl-C and SIGTERM too: a session's disk is mounted as long as the session is open.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { composeEngine } from "../../dist/lib/index.js";

const INTERRUPTED = 130;
const SETTLE_MS = 300;
const LEAD = 20;

/** Runs a benchmark. `open` opens a session on the workspace, `close` ends one; what is left open is closed. */
export async function withSessions(work) {
  const state = mkdtempSync(join(tmpdir(), "ringfence-bench-"));
  const workspace = mkdtempSync(join(tmpdir(), "ringfence-bench-work-"));
  writeFileSync(join(workspace, "README.md"), "bench\n");
  const ending = new AbortController();
  const { signal } = ending;
  // Each of them, however often it comes: one that is passed on comes twice.
  for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => ending.abort());
  const opened = new Set();
  try {
    const orchestrator = await composeEngine({ env: { ...process.env, RINGFENCE_HOME: state }, approver: { terminal: null } });
    const open = async (options = {}) => {
      const session = await orchestrator.open({ workspace, ...options }, signal);
      opened.add(session);
      return session;
    };
    const close = async (session) => {
      opened.delete(session);
      await session.close("finished");
    };
    await work({ open, close, signal });
  } catch (error) {
    // What a signal ended may fail before the signal itself is told.
    await new Promise((resolve) => void setImmediate(resolve));
    if (!signal.aborted) throw error;
    process.exitCode = INTERRUPTED;
  } finally {
    for (const session of opened) await session.close("cancelled").catch((error) => void process.stderr.write(`${error.message}\n`));
    rmSync(state, { recursive: true, force: true });
    rmSync(workspace, { recursive: true, force: true });
  }
}

/** One guarded call that must end with 0. */
export async function call(session, command, signal) {
  const observation = await session.call({ id: "bench", role: null, tool: "bash", arguments: { command } }, {}, signal);
  if (observation.exitCode !== 0) throw new Error(`\`${command}\` ended with ${observation.exitCode}: ${observation.message.slice(-2000)}`);
  return observation;
}

/** The container of a session. */
export async function containerOf(session) {
  const [container] = await new Docker().listContainers({ filters: { label: [`dev.ringfence.session=${session.id}`] } });
  if (container === undefined) throw new Error("the session's container is not found by its label");
  return container.Id;
}

/** Who the agent is in the container, for a process beside the guard: one that the guard starts is followed, and what it starts is slower by that. */
export async function agentOf(session, container, signal) {
  const { stdout } = await call(session, "id -u; id -g; pwd; env", signal);
  const [uid, gid, folder, ...variables] = stdout.trim().split("\n");
  return ["exec", "--user", `${uid}:${gid}`, "--workdir", folder, ...variables.flatMap((variable) => ["--env", variable]), container];
}

/** A resident process in the same container, as the same user, spawns `bash -c true` and waits for it, so often, each time after a rest. */
export function spawnLoop(agent, count, restMs = 0) {
  return numbersOf(execFileSync("docker", [...agent, "python3", "-c", spawnProgram(count, restMs)], { encoding: "utf8" }));
}

/** Calls that are not counted, after the engine had time to clear up behind an exec: what ran before has taken the processor's caches. */
export async function leadIn(session, signal) {
  await new Promise((resolve) => void setTimeout(resolve, SETTLE_MS));
  for (let i = 0; i < LEAD; i += 1) await call(session, "true", signal);
}

/** A resident Python program that spawns `bash -c true` so often, waits for each, and prints how long each took, in milliseconds. */
export function spawnProgram(count, restMs = 0) {
  return [
    "import os, time, sys",
    "env = dict(os.environ)",
    `for _ in range(${count}):`,
    ...(restMs === 0 ? [] : [`    time.sleep(${restMs / 1000})`]),
    "    t = time.perf_counter()",
    "    pid = os.posix_spawn('/bin/bash', ['bash', '--noprofile', '--norc', '-c', 'true'], env)",
    "    os.waitpid(pid, 0)",
    "    print((time.perf_counter() - t) * 1000)",
  ].join("\n");
}

/** What such a program printed. */
export function numbersOf(text) {
  return text.trim().split("\n").map(Number);
}

export async function timed(work) {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
