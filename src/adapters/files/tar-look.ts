// What a session changed in a workspace that only its sandbox sees: the names there compared with what was sent. A name whose
// stamp is unchanged keeps its entry; what changed is fetched, so that it can be reviewed when the sandbox is gone.

import type { Change, Entry } from "../../core/reconcile/change.js";
import { changeBetween } from "../../core/reconcile/entries.js";
import { comparePaths } from "../../core/reconcile/names.js";
import { GuardError, LIMITS, count, printable, type Digest } from "../../core/shared/index.js";
import { digestOf } from "./entry.js";
import type { LookedName, Looker } from "./look.js";
import { parentRaw, pathOfRaw, rawBytes, rawFromPath, type Raw } from "./raw-path.js";
import type { PlacedName } from "./tar-pack.js";
import type { ContentStore } from "./tar-store.js";

/** The state of a session's workspace, as far as it was looked at. */
export interface TarState {
  /** Sorted by path. */
  readonly changes: readonly Change[];
  /** When a changed name was last modified, in milliseconds, by its path. */
  readonly times: ReadonlyMap<string, number>;
}

export interface TarScanner {
  /** Checks that what lies there is what was sent. Once, before anything ran. Throws SANDBOX_FAILED. */
  begin(signal: AbortSignal): Promise<void>;
  /** The very same state while nothing changes. */
  look(signal: AbortSignal): Promise<TarState>;
}

interface Known {
  readonly stamp: string;
  readonly settled: boolean;
  readonly entry: Entry;
}

const NOTHING: TarState = { changes: Object.freeze([]), times: new Map() };

export interface TarScanInput {
  readonly looker: Looker;
  /** The user's names as they were sent. */
  readonly sent: ReadonlyMap<Raw, Entry>;
  /** What lies there besides. */
  readonly placed: readonly PlacedName[];
  readonly store: ContentStore;
  /** What the session may add. */
  readonly most: { readonly bytes: number; readonly files: number };
}

export function createTarScanner({ looker, sent, placed, store, most }: TarScanInput): TarScanner {
  const places = new Map<Raw, Entry>(placed.map(({ raw, content }) => [raw, placeEntry(content)]));
  let known = new Map<Raw, Known>();
  let last = NOTHING;
  return {
    begin: async (signal) => {
      const names = await looker.list(signal);
      const there = new Set(names.map(({ raw }) => raw));
      for (const raw of [...sent.keys(), ...places.keys()]) if (!there.has(raw)) throw unlike(raw, "is not there");
      for (const name of names) {
        const entry = sent.get(name.raw) ?? places.get(name.raw);
        if (entry === undefined) throw unlike(name.raw, "was not sent");
        if (!isAlike(name, entry)) throw unlike(name.raw, `is a ${name.kind} of ${count(name.bytes, "byte")}, mode ${name.mode.toString(8)}`);
        // It was unpacked before anything ran, by the engine: what was sent is what lies there.
        known.set(name.raw, { stamp: name.stamp, settled: true, entry });
      }
    },
    look: async (signal) => {
      const names = await looker.list(signal);
      if (names.length === known.size && names.every(({ raw, stamp }) => known.get(raw)?.stamp === stamp && known.get(raw)?.settled === true)) return last;
      const now = await entriesOf(names, signal);
      const changes = compare(now);
      await fetch(changes, signal);
      known = now;
      const isEqual = changes.length === last.changes.length && changes.every((change, index) => isSameChange(change, last.changes[index]));
      const modified = new Map(names.map(({ raw, modifiedMs }) => [pathOfRaw(raw), modifiedMs]));
      const times = new Map(changes.flatMap(({ path, after }) => (after === null ? [] : [[path, modified.get(path) ?? 0] as const])));
      const isUntouched = isEqual && [...times].every(([path, time]) => last.times.get(path) === time);
      if (!isUntouched) last = { changes: isEqual ? last.changes : Object.freeze(changes), times };
      return last;
    },
  };

  /** Every name's entry; only files that were touched are hashed again. */
  async function entriesOf(names: readonly LookedName[], signal: AbortSignal): Promise<Map<Raw, Known>> {
    const now = new Map<Raw, Known>();
    const asked: LookedName[] = [];
    for (const name of names) {
      const before = known.get(name.raw);
      if (before !== undefined && before.settled && before.stamp === name.stamp) now.set(name.raw, before);
      else if (name.kind === "file" && name.bytes <= LIMITS.digestBytes) asked.push(name);
      else now.set(name.raw, { stamp: name.stamp, settled: true, entry: entryOf(name, null) });
    }
    if (asked.reduce((sum, name) => sum + name.bytes, 0) > LIMITS.scanBytes) throw new GuardError("WORKSPACE_LIMIT", `the session changed more than ${LIMITS.scanBytes} bytes`);
    const digests = await looker.digests(asked, signal);
    asked.forEach((name, index) => {
      const found = digests[index] ?? null;
      const entry = entryOf(name, found?.digest ?? null);
      const before = known.get(name.raw)?.entry;
      now.set(name.raw, { stamp: name.stamp, settled: found?.settled === true, entry: before !== undefined && isSameThing(before, entry) ? before : entry });
    });
    return now;
  }

  function compare(now: ReadonlyMap<Raw, Known>): Change[] {
    const inUse = usedPlaces(now);
    const changes: Change[] = [];
    const added = { bytes: 0, files: 0 };
    const add = (raw: Raw, after: Entry | null): void => {
      const change = changeBetween(pathOfRaw(raw), sent.get(raw) ?? null, after);
      if (change === null) return;
      changes.push(change);
      added.bytes += change.operation === "metadata" ? 0 : (after?.bytes ?? 0);
      added.files += change.operation === "create" ? 1 : 0;
      if (added.bytes > most.bytes || added.files > most.files) throw new GuardError("WORKSPACE_LIMIT", `the session added more than ${most.bytes} bytes or ${most.files} files to its workspace`);
      if (changes.length > LIMITS.changes) throw new GuardError("WORKSPACE_LIMIT", `the session changed more than ${LIMITS.changes} names`);
    };
    for (const [raw, { entry }] of now) {
      const place = sent.has(raw) ? undefined : places.get(raw);
      if (place === undefined || inUse.has(raw) || !isSameThing(place, entry)) add(raw, entry);
    }
    for (const raw of sent.keys()) if (!now.has(raw)) add(raw, null);
    return changes.sort((a, b) => comparePaths(a.path, b.path));
  }

  /** Folders of ours that now hold something that is not ours: they are the agent's making too. */
  function usedPlaces(now: ReadonlyMap<Raw, Known>): ReadonlySet<Raw> {
    const used = new Set<Raw>();
    if (places.size === 0) return used;
    for (const [raw, { entry }] of now) {
      const place = places.get(raw);
      if (sent.has(raw) || (place !== undefined && isSameThing(place, entry))) continue;
      for (let parent = parentRaw(raw); parent !== "" && places.has(parent); parent = parentRaw(parent)) used.add(parent);
    }
    return used;
  }

  /** Brings the content of changed files here. */
  async function fetch(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    const wanted = new Map<Digest, string>();
    for (const { path, after } of changes) if (after?.kind === "file" && after.digest !== null && !wanted.has(after.digest)) wanted.set(after.digest, path);
    const missing = [...wanted].filter(([digest]) => !store.has(digest));
    if (missing.length === 0) return;
    const sinks = missing.map(([digest]) => () => store.receive(digest));
    let open: { readonly index: number; readonly sink: ReturnType<ContentStore["receive"]> } | null = null;
    await looker.contents(
      missing.map(([, path]) => rawFromPath(path)),
      most.bytes,
      (index) => {
        if (open?.index !== index) open = { index, sink: (sinks[index] ?? INTERNAL)() };
        return open.sink;
      },
      signal,
    );
  }
}

const INTERNAL = (): never => {
  throw new GuardError("INTERNAL_BUG", "content that was not asked for");
};

function entryOf(name: LookedName, digest: Digest | null): Entry {
  const { kind, mode, bytes } = name;
  if (kind === "symlink") {
    const target = rawBytes(name.target);
    return { kind, mode: 0o777, bytes: target.length, digest: digestOf(target), target: pathOfRaw(name.target) };
  }
  return { kind, mode, bytes: kind === "file" ? bytes : 0, digest: kind === "file" ? digest : null, target: null };
}

function placeEntry(content: Uint8Array | null): Entry {
  if (content === null) return { kind: "directory", mode: 0o755, bytes: 0, digest: null, target: null };
  return { kind: "file", mode: 0o644, bytes: content.length, digest: digestOf(content), target: null };
}

function isAlike(name: LookedName, entry: Entry): boolean {
  if (name.kind !== entry.kind || (name.kind !== "symlink" && name.mode !== entry.mode)) return false;
  return name.kind === "symlink" ? pathOfRaw(name.target) === entry.target : name.bytes === entry.bytes;
}

/** The same kind, mode and content. A file without a digest is never the same. */
function isSameThing(a: Entry, b: Entry): boolean {
  return a.kind === b.kind && a.mode === b.mode && a.bytes === b.bytes && a.target === b.target && a.digest === b.digest && (a.kind !== "file" || a.digest !== null);
}

function isSameChange(a: Change, b: Change | undefined): boolean {
  if (b === undefined || a.path !== b.path || a.operation !== b.operation || a.before !== b.before) return false;
  return a.after === b.after || (a.after !== null && b.after !== null && isSameThing(a.after, b.after));
}

function unlike(raw: Raw, why: string): GuardError {
  return new GuardError("SANDBOX_FAILED", `the engine did not unpack the workspace as it was sent: \`${printable(pathOfRaw(raw))}\` ${why}`);
}
