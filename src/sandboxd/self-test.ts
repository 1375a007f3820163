// Tests this very container from inside, by an ordinary process of the agent, and says what holds. Claims nothing it did not see.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { STREAM_WINDOW_BYTES, type HelloMessage, type TestedControl } from "../core/channel/index.js";
import { PROTOCOL_VERSION } from "../core/channel/index.js";
import { RUNTIME_DIR } from "./paths.js";
import type { Spawner } from "./spawner.js";
import type { Tasks } from "./tasks.js";

/** Most output of the probe that is read, in bytes. */
const PROBE_BYTES = 64 * 1024;
/** A limit above this, in bytes or files, is as good as none. */
const MOST_OF_A_PLACE = 16 * 1024 ** 3;

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly root: string;
  readonly nonceName: string;
}

type Facts = ReadonlyMap<string, string>;

/** Runs the probe and makes the first message of the channel from it. */
export async function selfTest(identity: Identity, spawner: Spawner, tasks: Tasks): Promise<HelloMessage> {
  const text = await probe(identity, spawner);
  const lines = text.split("\n").filter((line) => line !== "");
  const facts: Facts = new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]));
  const through = lines.filter((line) => /^guard \d+ ./.test(line));
  const controls = [
    ...rights(identity, facts),
    control("rootfs-read-only", isReadOnly(facts), `root is ${facts.get("rootfs")}, write ${facts.get("rootfs-write")}, runtime write ${facts.get("runtime-write")}, sysctl write ${facts.get("sysctl-write")}`),
    control("no-network", facts.get("network") === "lo", `interfaces that are up: ${facts.get("network")}`),
    control("guard-unreachable", through.length === 0 && facts.get("setuid") === "refused" && facts.get("done") === "yes", through.length === 0 ? "signals, trace, memory, files and priorities of the guard refused" : through.join("; ")),
    control("processes-limited", tasks.limit !== null, tasks.limit === null ? "no limit on tasks" : `at most ${tasks.limit} tasks`),
    memoryControl(),
    control("workspace-copy", facts.has("nonce") && facts.get("workspace-nosuid") === "yes" && facts.get("workspace-nodev") === "yes", workspaceDetail(facts)),
    diskControl(identity, facts),
  ];
  const nonce = facts.get("nonce") ?? null;
  return { type: "hello", version: PROTOCOL_VERSION, controls, nonce, nonceProblem: nonceProblem(facts) };
}

function control(id: string, holds: boolean, detail: string): TestedControl {
  return { id, state: holds ? "attested" : "missing", detail };
}

function rights({ uid, gid }: Identity, facts: Facts): readonly TestedControl[] {
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
function filterControl(facts: Facts): TestedControl {
  const open = facts.get("syscalls-open");
  const through = open === "." ? "nothing" : (open?.replace(/ ?\.$/, "") ?? "unknown");
  return control("seccomp", facts.get("Seccomp") === "2" && facts.get("unshare") === "refused" && open === ".", `Seccomp ${facts.get("Seccomp")}; of the calls it must refuse, got through: ${through}`);
}

/**
 * Every place the agent may write, the workspace too, is limited in bytes and files by the kernel, and files in size. Where only
 * the workspace is not, what it grows by is watched from outside: then this is no more than configured.
 */
function diskControl({ root }: Identity, facts: Facts): TestedControl {
  const places = [...facts].filter(([key]) => key.startsWith("place:")).map(([key, value]) => ({ path: key.slice("place:".length), value }));
  const open = places.filter(({ value }) => !value.split(" ").every((text) => Number(text) > 0 && Number(text) <= MOST_OF_A_PLACE)).map(({ path }) => path);
  const probed = places.some(({ path }) => path === root) && facts.has("limit:size") && facts.get("dev-write") === "refused" && facts.get("done") === "yes";
  if (!probed || open.some((path) => path !== root)) return { id: "disk-limited", state: "missing", detail: `without a limit: ${open.join(", ") || "file size or /dev"}` };
  const size = `one file at most ${facts.get("limit:size")} bytes`;
  if (open.length > 0) return { id: "disk-limited", state: "configured", detail: `memory folders limited in bytes and files, ${size}; the workspace is watched from outside, not limited by the kernel` };
  const [bytes = "", files = ""] = places.find(({ path }) => path === root)?.value.split(" ") ?? [];
  return { id: "disk-limited", state: "attested", detail: `every writable place limited in bytes and files by the kernel, the workspace to ${bytes} bytes and ${files} files, ${size}` };
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

function memoryControl(): TestedControl {
  const path = ["/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"].find((name) => existsSync(name));
  const limit = path === undefined ? Number.NaN : Number.parseInt(readFileSync(path, "latin1"), 10);
  const holds = Number.isFinite(limit) && limit < Number.MAX_SAFE_INTEGER;
  return control("memory-limited", holds, holds ? `at most ${limit} bytes` : "no limit on memory");
}

/** Before any process of the agent lived, all there are belong to the guard. */
function guardPids(): readonly string[] {
  return readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
}

function probe(identity: Identity, spawner: Spawner): Promise<string> {
  const parts: Buffer[] = [];
  const argv = [`${RUNTIME_DIR}/bin/rf-probe`, identity.root, identity.nonceName, ...guardPids()];
  return new Promise((resolve) => {
    spawner.start(
      0,
      { argv, cwd: "/", environment: [], hasStdin: false, windowBytes: Math.min(PROBE_BYTES, STREAM_WINDOW_BYTES) },
      {
        onOutput: (of, bytes) => (of === "stdout" ? parts.push(Buffer.from(bytes)) : process.stderr.write(bytes)),
        onInputTaken: () => undefined,
        onExit: () => resolve(Buffer.concat(parts).toString("latin1")),
      },
    );
  });
}
