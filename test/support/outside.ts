// Looks at everything outside a sandbox that a program inside it must not reach: the user's folder, files and processes of the
// machine, ports on every address of it, secrets that were planted. Knows nothing of Ringfence: what the guard says of itself
// does not count here.

import { spawn, type ChildProcess } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { snapshot } from "./snapshot.js";

/** Where programs that mean harm write on a real machine. */
const TREES = ["/etc", "/boot", "/var/spool/cron", "/var/spool/mail", "/var/spool/at", "/usr/local/etc"];
/** Folders whose own names are compared: something new or gone there is seen. */
const LISTINGS = ["/", "/usr", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/home", "/opt", "/srv", "/mnt", "/root", "/root/.ssh", "/root/.config"];
const START_FILES = ["/root/.bashrc", "/root/.profile", "/root/.bash_profile", "/root/.ssh/authorized_keys", "/root/.gitconfig", "/root/.npmrc", "/root/.zshrc"];
/** Ports that the corpora's programs send to. */
const PORTS = [21, 22, 25, 53, 80, 443, 1234, 1337, 4444, 5388, 5758, 8000, 8080, 8081, 8443, 9001, 9999, 31337];
const MAX_FILE = 1024 * 1024;

export interface Outside {
  /** What changed or arrived since the last look, in words. Empty: nothing did. */
  look(): readonly string[];
  /** Ports that are listened on; the rest was taken already. */
  readonly ports: readonly string[];
  close(): void;
}

/**
 * Starts to look.
 * @param folder the user's folder, compared byte for byte
 * @param processMark text in the surroundings of a process of the machine
 */
export async function watchOutside(folder: string, processMark: string): Promise<Outside> {
  const place = mkdtempSync(join(tmpdir(), "ringfence-outside-"));
  const beside = mkdtempSync("/var/tmp/ringfence-outside-");
  for (const one of [place, beside]) writeFileSync(join(one, "kept.txt"), "kept\n");
  const contacts: string[] = [];
  const listeners = await listen(contacts);
  const process_ = spawn("sleep", ["100000"], { env: { SECRET: processMark }, stdio: "ignore" });
  const state = (): ReadonlyMap<string, string> => new Map([...userFolder(folder), ...machine(), ...userFolder(place), ...userFolder(beside), ["the process beside", aliveText(process_)]]);
  let last = state();
  return {
    ports: listeners.map(({ name }) => name),
    look: () => {
      const now = state();
      const found = [...new Set([...last.keys(), ...now.keys()])].filter((name) => last.get(name) !== now.get(name)).map((name) => `${!now.has(name) ? "gone" : last.has(name) ? "changed" : "new"}: ${name}`);
      last = now;
      return [...found, ...contacts.splice(0)];
    },
    close: () => {
      for (const listener of listeners) listener.end();
      process_.kill("SIGKILL");
      for (const one of [place, beside]) rmSync(one, { recursive: true, force: true });
    },
  };
}

function aliveText(child: ChildProcess): string {
  return child.exitCode === null && child.signalCode === null ? "alive" : "ended";
}

function userFolder(folder: string): readonly [string, string][] {
  return snapshot(folder).map((line) => [`${folder}/${line.split(" ")[0] ?? ""}`, line]);
}

function machine(): readonly [string, string][] {
  const found: [string, string][] = [];
  for (const tree of TREES) visit(tree, found);
  for (const file of START_FILES) found.push([file, digest(file)]);
  for (const folder of LISTINGS) for (const name of names(folder)) found.push([`${folder === "/" ? "" : folder}/${name} (name)`, "there"]);
  return found;
}

function visit(path: string, found: [string, string][]): void {
  try {
    const stats = lstatSync(path);
    const content = stats.isFile() && stats.size <= MAX_FILE ? digest(path) : stats.isSymbolicLink() ? readlinkSync(path) : "";
    found.push([path, `${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${stats.isDirectory() ? 0 : stats.size} ${content}`]);
    if (stats.isDirectory()) for (const name of names(path)) visit(join(path, name), found);
  } catch {
    // Gone between listing and looking: absence is what is compared.
  }
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function digest(path: string): string {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex");
  } catch {
    return "absent";
  }
}

interface Listener {
  readonly name: string;
  end(): void;
}

/** Listens on every address of the machine, its loopback and the engine's bridge among them. */
async function listen(contacts: string[]): Promise<readonly Listener[]> {
  const opened: Listener[] = [];
  for (const port of PORTS) {
    const server: Server = createServer((socket) => {
      contacts.push(`contact: tcp ${port} from ${socket.remoteAddress ?? "?"}`);
      socket.on("error", () => undefined).destroy();
    });
    if (await begins((yes, no) => void server.once("error", no).listen(port, "0.0.0.0", yes))) opened.push({ name: `tcp ${port}`, end: () => server.close() });
    const datagrams: Socket = createSocket("udp4", (_, from) => void contacts.push(`contact: udp ${port} from ${from.address}`));
    if (await begins((yes, no) => void datagrams.once("error", no).bind(port, "0.0.0.0", yes))) opened.push({ name: `udp ${port}`, end: () => datagrams.close() });
  }
  return opened;
}

function begins(start: (yes: () => void, no: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => start(() => resolve(true), () => resolve(false)));
}

/** A plain text back to front. */
export function reversed(text: string): string {
  return Array.from(text, (_, index) => text[text.length - 1 - index]).join("");
}

/** Tells whether a secret is in some bytes: plain, reversed, in hexadecimal or base64. */
export function isIn(bytes: Uint8Array, secret: string): boolean {
  const text = Buffer.from(bytes).toString("latin1");
  const raw = Buffer.from(secret, "latin1");
  const coded = [0, 1, 2].map((pad) => Buffer.concat([Buffer.alloc(pad), raw]).toString("base64").slice(pad === 0 ? 0 : 4, -4));
  return [secret, reversed(secret), raw.toString("hex"), raw.toString("hex").toUpperCase(), ...coded].some((form) => text.includes(form));
}
