// What the probe saw inside this very container, as controls. Pure; claims nothing that the probe did not see.

import { count } from "../../core/shared/index.js";
import type { HelloMessage } from "../../core/channel/index.js";
import type { Control } from "../../core/session/event.js";
import type { RecordSetting } from "../../ports/sandbox.js";

/** A limit above this, in bytes or files, is as good as none. */
const MOST_OF_A_PLACE = 16 * 1024 ** 3;

export interface SelfTest {
  readonly controls: readonly Control[];
  /** Content of the nonce file as read through the workspace mount; null when it was not there. */
  readonly nonce: string | null;
  /** Why the nonce could not be read or taken away; null when both worked. */
  readonly nonceProblem: string | null;
}

type Facts = ReadonlyMap<string, string>;

/** What the sandbox was asked to be. */
export interface Tested {
  readonly uid: number;
  readonly gid: number;
  readonly root: string;
  /** The workspace lies on a disk of the session's own. */
  readonly hasDisk: boolean;
  /** What was asked to be recorded of programs; left out: nothing. */
  readonly record?: RecordSetting;
}

/** Reads the first message of a sandbox. */
export function readSelfTest(hello: HelloMessage, tested: Tested): SelfTest {
  const lines = hello.probe.split("\n").filter((line) => line !== "");
  const facts: Facts = new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]));
  const through = lines.filter((line) => /^guard \d+ ./.test(line));
  const attacked = lines.some((line) => /^guard \d+$/.test(line.trimEnd()));
  const controls = [
    ...rights(tested, facts),
    control("rootfs-read-only", isReadOnly(facts), `root is ${facts.get("rootfs")}, write ${facts.get("rootfs-write")}, runtime write ${facts.get("runtime-write")}, sysctl write ${facts.get("sysctl-write")}`),
    control("no-network", facts.get("network") === "lo", `interfaces that are up: ${facts.get("network")}`),
    control("guard-unreachable", attacked && through.length === 0 && facts.get("setuid") === "refused" && facts.get("done") === "yes", through.length === 0 ? "signals, trace, memory, files and priorities of the guard refused" : through.join("; ")),
    control("processes-limited", hello.tasks !== null, hello.tasks === null ? "no limit on tasks" : `at most ${hello.tasks} tasks`),
    memoryControl(hello.memory),
    control("workspace-copy", facts.has("nonce") && facts.get("workspace-nosuid") === "yes" && facts.get("workspace-nodev") === "yes", workspaceDetail(facts)),
    diskControl(tested, facts),
    ...programsControl(hello, tested, facts),
  ];
  return { controls, nonce: facts.get("nonce") ?? null, nonceProblem: nonceProblem(facts) };
}

/** Controls that one process of the agent can test at any time; the others need what only the start has. */
const ANY_TIME = new Set(["caps-empty", "no-new-privs", "seccomp", "rootfs-read-only", "no-network", "guard-unreachable"]);

/** What the probe saw when it was run again. What it did not come to say does not hold. */
export function readProbeAgain(probe: string, tested: Tested): readonly Control[] {
  return readSelfTest({ type: "hello", version: 0, tasks: null, memory: null, record: "off", programs: 0, writes: 0, probe }, tested).controls.filter(({ id }) => ANY_TIME.has(id));
}

function control(id: string, holds: boolean, detail: string): Control {
  return { id, state: holds ? "attested" : "missing", detail };
}

function rights({ uid, gid }: Tested, facts: Facts): readonly Control[] {
  const sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
  const empty = sets.every((name) => /^0+$/.test(facts.get(name) ?? ""));
  const sameUser = facts.get("Uid") === `${uid} ${uid}` && facts.get("Gid") === `${gid} ${gid}` && facts.get("Groups") === "0";
  return [
    control("caps-empty", empty && sameUser, `${sets.map((name) => `${name} ${facts.get(name)}`).join(", ")}; uid ${facts.get("Uid")}, gid ${facts.get("Gid")}`),
    control("no-new-privs", facts.get("NoNewPrivs") === "1", `NoNewPrivs ${facts.get("NoNewPrivs")}`),
    filterControl(facts),
  ];
}

/** The filter is ours: what the engine's own would let through is refused, foreign tables of calls included. */
function filterControl(facts: Facts): Control {
  const open = facts.get("syscalls-open");
  const through = open === "." ? "nothing" : (open?.replace(/ ?\.$/, "") ?? "unknown");
  return control("seccomp", facts.get("Seccomp") === "2" && facts.get("unshare") === "refused" && open === ".", `Seccomp ${facts.get("Seccomp")}; of the calls it must refuse, got through: ${through}`);
}

/**
 * Every place the agent may write, the workspace too, is limited in bytes and files by the kernel, and files in size. Where only
 * the workspace is not, what it grows by is watched from outside: then this is no more than configured.
 */
function diskControl({ root, hasDisk }: Tested, facts: Facts): Control {
  const places = [...facts].filter(([key]) => key.startsWith("place:")).map(([key, value]) => ({ path: key.slice("place:".length), value }));
  const open = places.filter(({ value }) => !value.split(" ").every((text) => Number(text) > 0 && Number(text) <= MOST_OF_A_PLACE)).map(({ path }) => path);
  const probed = places.some(({ path }) => path === root) && facts.has("limit:size") && facts.get("dev-write") === "refused" && facts.get("done") === "yes";
  if (!probed || open.some((path) => path !== root)) return { id: "disk-limited", state: "missing", detail: `without a limit: ${open.join(", ") || "file size or /dev"}` };
  const size = `one file at most ${facts.get("limit:size")} bytes`;
  // A small disk of the user's looks the same from inside as one of the session's own, and limits the host instead of the agent.
  if (open.length > 0 || !hasDisk) return { id: "disk-limited", state: "configured", detail: `memory folders limited in bytes and files, ${size}; the workspace is watched from outside, not limited by the kernel` };
  const [bytes = "", files = ""] = places.find(({ path }) => path === root)?.value.split(" ") ?? [];
  return { id: "disk-limited", state: "attested", detail: `every writable place limited in bytes and files by the kernel, the workspace to ${count(Number(bytes), "byte")} and ${count(Number(files), "file")}, ${size}` };
}

/** The probe, and the program that a child of it starts. */
const PROBE_PROGRAMS = 2;

/** The start of the probe and of a child's program was heard of from the kernel, with `full` also what it opened, and it could not follow anybody itself. */
function programsControl({ record: recorded, programs, writes }: HelloMessage, { record = "off" }: Tested, facts: Facts): readonly Control[] {
  if (record === "off") return [];
  const holds = recorded === record && programs >= PROBE_PROGRAMS && (record === "exec" || writes > 0) && facts.get("trace-self") === "refused";
  const what = record === "full" ? "programs and openings for writing" : "programs";
  return [control("programs-recorded", holds, holds ? `${what} are told by the kernel; the agent can neither follow nor shake off` : `${record} was asked for, ${recorded} is there: saw ${count(programs, "program")} and ${count(writes, "opening")} of the probe`)];
}

function isReadOnly(facts: Facts): boolean {
  return facts.get("rootfs") === "read-only" && ["rootfs-write", "runtime-write", "sysctl-write"].every((name) => facts.get(name) === "refused");
}

function workspaceDetail(facts: Facts): string {
  return `nonce ${facts.has("nonce") ? "read through the mount" : "not seen"}, nosuid ${facts.get("workspace-nosuid")}, nodev ${facts.get("workspace-nodev")}`;
}

function nonceProblem(facts: Facts): string | null {
  if (facts.get("done") !== "yes") return "the probe did not end";
  return facts.get("nonce-missing") ?? facts.get("nonce-stays") ?? null;
}

function memoryControl(limit: number | null): Control {
  const holds = limit !== null && limit < Number.MAX_SAFE_INTEGER;
  return control("memory-limited", holds, holds ? `at most ${limit} bytes` : "no limit on memory");
}
