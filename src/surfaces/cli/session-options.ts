// Options that every command which opens a session shares.

import { InvalidArgumentError, type Command } from "commander";
import { isImageReference } from "../../core/image/index.js";

export interface SessionFlags {
  readonly workspace: string;
  readonly policy: readonly string[];
  /** False with `--no-workspace-policy`. */
  readonly workspacePolicy?: boolean;
  /** Built-in profile of the agent by its id, or a file. */
  readonly profile?: string;
  readonly role?: string;
  readonly image?: string;
  readonly root?: string;
  readonly runtime?: string;
  readonly timeout?: number;
  readonly pauseWait?: number;
  readonly workspaceMode?: "auto" | "overlay" | "tar";
  readonly recordExec?: "off" | "exec" | "full";
}

/** Adds them to a command. */
export function addSessionOptions(command: Command): Command {
  return command
    .option("-w, --workspace <dir>", "folder the agent works on a copy of", parseFolder, ".")
    .option("-p, --policy <file>", "policy file, in place of the built-in kimi-dev profile (may be repeated)", collect, [])
    .option("--no-workspace-policy", "leave out policies found in the workspace (.ringfence/*.policy.yaml), which can only make it stricter")
    .option("--profile <id|file>", "risk profile of the agent that the score starts from: kimi-dev (default), rubric, or a *.profile.yaml")
    .option("--role <role>", "role the calls are judged under: bugfixer, testwriter", parseRole)
    .option("--image <reference>", "sandbox image: base, kimi-dev (default), python, node (built when first asked for), or any the engine has", parseImage)
    .option("--root <path>", "where the workspace is mounted inside", parseRoot)
    .option("--runtime <name>", "the engine's name of what runs containers: runc, runsc, kata", parseRuntime)
    .option("--workspace-mode <mode>", "how the folder comes to the engine: auto, overlay (a view of it), tar (sent to an engine that does not see it)", parseMode)
    .option("--record-exec <what>", "what is recorded, and judged, of the programs that calls run: exec (each program, the default), full (also files opened for writing), off", parseRecord)
    .option("--timeout <seconds>", "longest time of one call", parseSeconds)
    .option("--pause-wait <seconds>", "how long a session that policy paused waits for `ringfence resume` where nobody can be asked here, before it is stopped (default 300; 0 where CI is set)", parseWait);
}

/** Collects a repeated option. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** A count of things to list. */
export function parseCount(text: string): number {
  if (!/^[0-9]{1,9}$/u.test(text)) throw new InvalidArgumentError("give a whole number");
  return Number(text);
}

/** An unset variable in a script must not become the current folder. */
function parseFolder(text: string): string {
  if (text === "") throw new InvalidArgumentError("give a folder");
  return text;
}

/** A time in seconds, as milliseconds. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds <= 0 || seconds > 86_400) throw new InvalidArgumentError("give seconds, more than 0 and at most 86400");
  return Math.ceil(seconds * 1000);
}

/** The same, and 0 for not at all. */
function parseWait(text: string): number {
  return /^0+$/u.test(text) ? 0 : parseSeconds(text);
}

/** An image by one of our short names, or by any name that an engine has for one. */
export function parseImage(text: string): string {
  if (!isImageReference(text)) throw new InvalidArgumentError("give the name of an image: python, my/image:2, sha256:…");
  return text;
}

function parseRole(text: string): string {
  if (!/^[a-z][a-z0-9-]{0,31}$/u.test(text)) throw new InvalidArgumentError("a role is lower-case letters, digits and dashes");
  return text;
}

/** `auto` is the same as not naming it. */
function parseMode(text: string): "auto" | "overlay" | "tar" {
  if (text === "auto" || text === "overlay" || text === "tar") return text;
  throw new InvalidArgumentError("a workspace mode is auto, overlay or tar");
}

function parseRecord(text: string): "off" | "exec" | "full" {
  if (text === "off" || text === "exec" || text === "full") return text;
  throw new InvalidArgumentError("what is recorded of programs is off, exec or full");
}

function parseRuntime(text: string): string {
  if (!/^[A-Za-z0-9][\w.-]{0,127}$/u.test(text)) throw new InvalidArgumentError("a container runtime is named by letters, digits, dots and dashes");
  return text;
}

function parseRoot(text: string): string {
  if (!/^\/[\w./-]+$/u.test(text) || text.includes("..") || /^\/(?:proc|sys|dev|etc|usr|bin|sbin|lib|lib64|boot|run|tmp|\.ringfence)(?:\/|$)/u.test(text)) {
    throw new InvalidArgumentError("give an absolute path of plain characters that no system folder lies on");
  }
  return text.replace(/\/+$/u, "");
}
