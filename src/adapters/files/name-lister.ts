// rf-list of this installation: folders of the user's listed beside this process, while it takes a watch on the next ones. Gives the same
// names as name-index, but for plain files that policy cannot be about and no link may lead to: those are only counted.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { IndexedName, PlanFilter } from "../../core/policy/enforce.js";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import { packageFile } from "../system/package-root.js";
import { LONGEST_PATH } from "./name-index.js";
import { joinRaw, pathOfRaw, rawBytes, type Raw } from "./raw-path.js";

export interface ListedNames {
  /** Parents first. */
  readonly names: readonly IndexedName[];
  /** All there are, those left out too. */
  readonly total: number;
}

/** The rf-list program of this installation, or null when it was not built. */
export function findListProgram(): string | null {
  const program = packageFile("dist", "runtime", "bin", "rf-list");
  return existsSync(program) ? program : null;
}

const KINDS: Readonly<Record<string, IndexedName["kind"]>> = { d: "directory", f: "file", l: "symlink", o: "other" };

interface Folder {
  readonly raw: Raw;
  readonly isHot: boolean;
  /** Plain files left out, by name. */
  readonly cold: Raw[];
}

/**
 * Names below `root`; `onFolder` hears of a folder before it is listed. Null when the program failed: then nothing is known. Throws
 * WORKSPACE_LIMIT past `LIMITS.protectNames` and for paths too long, WORKSPACE_UNREADABLE, CANCELLED.
 */
export function listRelevant(program: string, root: Raw, filter: PlanFilter, signal: AbortSignal, onFolder: (path: string) => void): Promise<ListedNames | null> {
  const names: IndexedName[] = [];
  const folders: Folder[] = [];
  const targets = new Set<Raw>();
  const state = { total: 0, done: 0, rest: "" };
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new GuardError("CANCELLED", "looking through the workspace was cancelled"));
    const child = spawn(program, [rawBytes(root).toString("utf8")], { stdio: ["pipe", "pipe", "ignore"], env: {} });
    const stop = (): void => {
      signal.removeEventListener("abort", cancel);
      child.kill("SIGKILL");
    };
    const fail = (error: unknown): void => {
      stop();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const cancel = (): void => fail(new GuardError("CANCELLED", "looking through the workspace was cancelled"));
    signal.addEventListener("abort", cancel, { once: true });
    const ask = (raw: Raw, isHot: boolean): void => {
      if (root.length + raw.length > LONGEST_PATH) throw new GuardError("WORKSPACE_LIMIT", `a path is too long to be looked at: \`${printable(pathOfRaw(raw), 80)}\``);
      onFolder(pathOfRaw(raw));
      folders.push({ raw, isHot, cold: [] });
      child.stdin.write(rawBytes(`${raw}\0`));
    };
    const take = (letter: string, name: Raw, target: Raw): void => {
      const folder = folders[state.done];
      const kind = KINDS[letter];
      if (folder === undefined || kind === undefined) throw new Error("rf-list told what nobody asked");
      state.total += 1;
      if (state.total > LIMITS.protectNames) throw new GuardError("WORKSPACE_LIMIT", `the folder holds more than ${LIMITS.protectNames} names`, { hint: "choose a smaller folder: not every name could be looked at" });
      const isHot = folder.isHot || filter.all || filter.isHot(pathOfRaw(name));
      if (kind === "file" && !isHot && !filter.isPlace(pathOfRaw(name))) return void folder.cold.push(name);
      const raw = joinRaw(folder.raw, name);
      const path = pathOfRaw(raw);
      names.push(kind === "symlink" ? { path, kind, target: pathOfRaw(target) } : { path, kind });
      if (kind === "symlink") targets.add(target.slice(target.lastIndexOf("/") + 1));
      if (kind === "directory") ask(raw, isHot);
    };
    const end = (status: string): void => {
      const folder = folders[state.done];
      if (status !== "k" && status !== "m") throw new GuardError("WORKSPACE_UNREADABLE", `cannot list \`${printable(pathOfRaw(folder?.raw ?? ""))}\`: error ${status.slice(1)}`);
      state.done += 1;
      if (state.done < folders.length) return;
      stop();
      addLed(names, folders, targets);
      resolve({ names, total: state.total });
    };
    child.stdout.on("data", (chunk: Buffer) => {
      try {
        state.rest = records(state.rest + chunk.toString("latin1"), take, end);
      } catch (error) {
        fail(error);
      }
    });
    child.stdin.on("error", () => undefined);
    child.once("error", () => resolve(null));
    child.once("close", () => {
      signal.removeEventListener("abort", cancel);
      resolve(null);
    });
    try {
      ask("", false);
    } catch (error) {
      fail(error);
    }
  });
}

/** Hands on every whole record; gives what is left over. */
function records(text: string, take: (letter: string, name: Raw, target: Raw) => void, end: (status: string) => void): string {
  let at = 0;
  for (;;) {
    const stop = text.indexOf("\0", at);
    if (stop < 0) return text.slice(at);
    const letter = text.charAt(at);
    if (letter === "l") {
      const second = text.indexOf("\0", stop + 1);
      if (second < 0) return text.slice(at);
      take(letter, text.slice(at + 1, stop), text.slice(stop + 1, second));
      at = second + 1;
      continue;
    }
    if (letter === ".") end(text.slice(at + 1, stop));
    else take(letter, text.slice(at + 1, stop), "");
    at = stop + 1;
  }
}

/**
 * Adds the files that links may lead to: by the last name that a link spells out, and all below a folder of that name, for what lies
 * there is also reached by the link's own. A link that ends in no name may lead anywhere.
 */
function addLed(names: IndexedName[], folders: readonly Folder[], targets: ReadonlySet<Raw>): void {
  if (targets.size === 0) return;
  const anywhere = ["", ".", ".."].some((name) => targets.has(name));
  const led = new Set<Raw>();
  for (const { raw, cold } of folders) {
    const slash = raw.lastIndexOf("/");
    const isLed = anywhere || (raw !== "" && (targets.has(raw.slice(slash + 1)) || led.has(slash < 0 ? "" : raw.slice(0, slash))));
    if (isLed) led.add(raw);
    for (const name of cold) if (isLed || targets.has(name)) names.push({ path: pathOfRaw(joinRaw(raw, name)), kind: "file" });
  }
}
