// What the tests of played sessions share: published packages, a picture of a folder, and a session's events read back.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { AuditEvent } from "../../src/core/session/event.js";
import { lines, type Result, type Rig } from "./rig.js";

/** Settings under which npm finds its registry and cache, for a run whose home is another. */
export function npmSettings(): Readonly<Record<string, string>> {
  const given = Object.entries(process.env).filter(([key, value]) => value !== undefined && /^npm_config_|^(?:https?|no)_proxy$/iu.test(key) && !/^npm_config_(?:prefix|local_prefix|global_prefix)$/iu.test(key));
  return { ...(Object.fromEntries(given) as Record<string, string>), npm_config_userconfig: join(homedir(), ".npmrc"), npm_config_cache: process.env["npm_config_cache"] ?? join(homedir(), ".npm") };
}

/** Puts a package as published into a new folder. Runs no script of it. */
export function unpack(name: string, version: string, parent: string): string {
  const folder = join(parent, `${name}-${version}`);
  mkdirSync(folder, { recursive: true });
  const archive = execFileSync("npm", ["pack", `${name}@${version}`, "--silent", "--ignore-scripts", "--pack-destination", parent], { cwd: parent, encoding: "utf8", timeout: 60_000 }).trim();
  execFileSync("tar", ["-xzf", join(parent, archive), "-C", folder, "--strip-components=1"], { timeout: 30_000 });
  return folder;
}

/** Every name below a folder with its kind, mode, owner, times and content, as one digest. */
export function pictureOf(folder: string): string {
  const hash = createHash("sha256");
  const look = (path: string): void => {
    const stats = lstatSync(path, { bigint: true });
    hash.update(JSON.stringify([path, String(stats.mode), String(stats.uid), String(stats.gid), String(stats.mtimeNs), String(stats.ctimeNs), String(stats.ino)]));
    if (stats.isDirectory()) for (const name of readdirSync(path).sort()) look(join(path, name));
    else hash.update(stats.isSymbolicLink() ? readlinkSync(path) : readFileSync(path));
  };
  look(folder);
  return hash.digest("hex");
}

/** Id of the session in the output of a played session. */
export function playedSession({ out, err }: Result): string {
  const id = /session (ses_[a-z0-9]+)/u.exec(out)?.[1] ?? /"session":"(ses_[a-z0-9]+)"/u.exec(out)?.[1];
  if (id === undefined) throw new Error(`no session in: ${out}\n${err}`);
  return id;
}

/** The events of a session, from `show --json`. */
export async function eventsOf(rig: Rig, session: string): Promise<readonly AuditEvent[]> {
  const { code, out, err } = await rig.run(["show", session, "--json"]);
  if (code !== 0) throw new Error(err);
  return lines(out).map((line) => JSON.parse(line) as AuditEvent);
}

/** What became of one call, in a few words. */
export interface Fate {
  readonly outcome: string;
  /** Deciding rules, or those under which its changes were undone. */
  readonly rules: readonly string[];
  readonly threats: readonly string[];
  readonly messages: readonly string[];
}

/** Fates by the label the agent gave its call; a label that comes twice keeps its last. */
export function fatesOf(events: readonly AuditEvent[]): ReadonlyMap<string, Fate> {
  const labels = new Map<string, string>();
  const fates = new Map<string, Fate>();
  const put = (call: string | null, more: Partial<Fate>): void => {
    const label = labels.get(call ?? "");
    if (label !== undefined) fates.set(label, { ...(fates.get(label) ?? { outcome: "", rules: [], threats: [], messages: [] }), ...more });
  };
  for (const event of events) {
    if (event.type === "call.received") labels.set(event.call ?? "", event.data.label);
    if (event.type === "decision.made" && event.data.effect !== "allow") put(event.call, reasonsOf(event.data.reasons.filter((reason) => reason.effect === event.data.effect)));
    if (event.type === "reconciliation.done" && event.data.findings.some((finding) => finding.reverted)) put(event.call, reasonsOf(event.data.findings.filter((finding) => finding.reverted)));
    if (event.type === "call.closed") put(event.call, { outcome: event.data.outcome });
  }
  return fates;
}

function reasonsOf(reasons: readonly { readonly rule: string; readonly threats: readonly string[]; readonly message: string }[]): Partial<Fate> {
  return { rules: [...new Set(reasons.map(({ rule }) => rule))], threats: [...new Set(reasons.flatMap(({ threats }) => threats))], messages: reasons.map(({ message }) => message) };
}

/** Results of the runs of the harness, in order: which copy, and what came out. */
export function harnessRuns(events: readonly AuditEvent[]): readonly (readonly [kind: string, outcome: string])[] {
  const labels = new Map(events.flatMap((event) => (event.type === "call.received" && event.data.tool === "harness" ? [[event.call, event.data.label] as const] : [])));
  return events.flatMap((event) => (event.type === "execution.finished" && labels.has(event.call) ? [[labels.get(event.call) ?? "", event.data.detail ?? ""] as const] : []));
}
