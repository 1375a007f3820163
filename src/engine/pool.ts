// Sandboxes that stand ready before a session asks for them. Each is made for one folder under one policy, whole and tested inside, is
// given to one session and never taken back. What is handed out is looked at again: the folder's names as the kernel told them, the
// folder itself, the image, and the controls. Anything that differs, or cannot be told, is thrown away and a new one made.

import { GuardError, LIMITS, printable } from "../core/shared/index.js";
import type { EngineDeps } from "./deps.js";
import type { SessionOptions } from "./live.js";
import { prepareSession, takeDown, type Prepared } from "./prepare.js";

/** A prepared sandbox, for the session that takes it. */
export interface Claimed {
  readonly prepared: Prepared;
  /** The options it was made with: the same policy, compiled. */
  readonly options: SessionOptions;
  /** How long it had stood ready, in milliseconds. */
  readonly readyMs: number;
}

export interface SandboxPool {
  /** Keeps `size` ready for sessions like this one; settles when they are, and when what is more than that is gone. Rejects with the first failure, and keeps what was made. 0: none any more. */
  keep(options: SessionOptions, size: number, signal: AbortSignal): Promise<void>;
  /** One that is ready and still what it was made as, or null. Never rejects. */
  claim(options: SessionOptions, signal: AbortSignal): Promise<Claimed | null>;
  /** Makes anew what was taken. Never rejects; what fails is told to the operator and tried again at the next claim. */
  refill(options: SessionOptions): Promise<void>;
  /** How many stand ready for sessions like this one. */
  ready(options: SessionOptions): number;
  /** Ends everything that was not taken, and makes no more. Idempotent. Never rejects. */
  drain(): Promise<void>;
}

interface Slot {
  readonly prepared: Prepared;
  readonly options: SessionOptions;
  readonly imageId: string;
  readonly since: number;
  /** Its sandbox ended by itself. */
  isOver: boolean;
}

interface Shelf {
  size: number;
  readonly slots: Slot[];
  /** What is being made; settles when that is done, or failed. */
  making: Promise<unknown> | null;
}

/** @param nowMs a clock that only goes forward, in milliseconds */
export function createPool(deps: EngineDeps, nowMs: () => number): SandboxPool {
  const shelves = new Map<string, Shelf>();
  const leaving = new Set<Promise<void>>();
  const ending = new AbortController();

  const shelfOf = (options: SessionOptions): Shelf => {
    const key = keyOf(options);
    const shelf = shelves.get(key) ?? { size: 0, slots: [], making: null };
    shelves.set(key, shelf);
    return shelf;
  };
  const discard = (slot: Slot, why: string): Promise<void> => {
    deps.telemetry.info("a prepared sandbox is not used", { session: slot.prepared.id, why: printable(why) });
    const done = takeDown(deps, slot.prepared.id, slot.prepared.undo, false).finally(() => leaving.delete(done));
    leaving.add(done);
    return done;
  };
  const make = async (shelf: Shelf, options: SessionOptions, signal: AbortSignal): Promise<void> => {
    const prepared = await prepareSession(deps, options, AbortSignal.any([signal, ending.signal]), true);
    const { sandbox, enforced } = prepared.grounds;
    const slot: Slot = { prepared, options, imageId: sandbox.imageId, since: nowMs(), isOver: false };
    if (enforced === null || enforced.watch?.untouched === undefined) {
      void discard(slot, "the folder is not watched");
      throw new GuardError("ENGINE_UNSUPPORTED", "nothing can be kept ready for this folder: it is sent to the engine, or not watched", { hint: "open sessions without keeping any ready" });
    }
    if (ending.signal.aborted) return discard(slot, "the pool is being ended");
    if (shelf.slots.length >= shelf.size) return discard(slot, "fewer are to be kept");
    shelf.slots.push(slot);
    void sandbox.ended.then(() => {
      slot.isOver = true;
      const at = shelf.slots.indexOf(slot);
      if (at < 0) return;
      shelf.slots.splice(at, 1);
      void discard(slot, "its sandbox ended");
    });
  };
  /** One after the other: an engine makes no two faster than one. */
  const fill = async (shelf: Shelf, options: SessionOptions, signal: AbortSignal): Promise<void> => {
    while (!ending.signal.aborted && shelf.slots.length < shelf.size) {
      // Whoever else is making one is waited for; if that fails it is tried here.
      if (shelf.making !== null) {
        await shelf.making;
        continue;
      }
      const one = make(shelf, options, signal);
      shelf.making = one.then(
        () => (shelf.making = null),
        () => (shelf.making = null),
      );
      await one;
    }
  };

  return {
    keep: async (options, size, signal) => {
      if (ending.signal.aborted) throw new GuardError("SESSION_ENDED", "the pool was ended");
      if (!Number.isInteger(size) || size < 0 || size > LIMITS.pooledSandboxes) throw new GuardError("USAGE_INVALID", `between 0 and ${LIMITS.pooledSandboxes} sandboxes can be kept ready`);
      const shelf = shelfOf(options);
      shelf.size = size;
      const gone = shelf.slots.splice(size).map((slot) => discard(slot, "fewer are to be kept"));
      await fill(shelf, options, signal);
      // One that is being made beyond them is taken down when it is done.
      await shelf.making;
      await Promise.all(gone);
    },
    claim: async (options, signal) => {
      const shelf = shelves.get(keyOf(options));
      for (let slot = shelf?.slots.shift(); slot !== undefined; slot = shelf?.slots.shift()) {
        const why = await whyStale(deps, slot, signal).catch((error: unknown) => String(error));
        if (why === null && !slot.isOver) return { prepared: slot.prepared, options: slot.options, readyMs: Math.round(nowMs() - slot.since) };
        void discard(slot, why ?? "its sandbox ended");
      }
      return null;
    },
    refill: async (options) => {
      const shelf = shelves.get(keyOf(options));
      if (shelf === undefined) return;
      await fill(shelf, options, ending.signal).catch((error: unknown) => deps.telemetry.warn("a sandbox could not be made ready", { cause: printable(String(error)) }));
    },
    ready: (options) => shelves.get(keyOf(options))?.slots.length ?? 0,
    drain: async () => {
      ending.abort();
      for (const shelf of shelves.values()) for (const slot of shelf.slots.splice(0)) void discard(slot, "the pool is being ended");
      await Promise.all([...shelves.values()].map(({ making }) => making));
      await Promise.all(leaving);
    },
  };
}

/** Everything that a sandbox is made from. What concerns a session alone (who opens it, its risk profile, its time-outs) is not in it. */
function keyOf({ workspace, image, policy, role, defaults, enforce, gate }: SessionOptions): string {
  const { timeoutMs: _call, approvalTimeoutMs: _approval, pauseWaitMs: _wait, outputBytes: _output, ...made } = defaults;
  return JSON.stringify([workspace, image, policy.digest, role, Object.entries(made).sort(([a], [b]) => (a < b ? -1 : 1)), enforce ?? null, gate ?? null]);
}

/** Why a prepared sandbox may not be what a new one would be; null when it is. */
async function whyStale({ sandboxes }: EngineDeps, { prepared, options, imageId }: Slot, signal: AbortSignal): Promise<string | null> {
  const { workspace, sandbox, enforced } = prepared.grounds;
  if (workspace.isSame?.() !== true) return "the folder is another, or belongs to somebody else";
  const [isUntouched, image, controls] = await Promise.all([enforced?.watch?.untouched?.() ?? false, sandboxes.imageId?.(options.image, signal) ?? null, sandbox.attest?.(signal) ?? []]);
  if (!isUntouched) return "names in the folder came or went";
  if (image !== imageId) return "the image is another";
  const lost = controls.find((now) => now.state !== "attested" && sandbox.controls.some((before) => before.id === now.id && before.state === "attested"));
  if (controls.length === 0 || lost !== undefined) return lost === undefined ? "its controls cannot be tested" : `${lost.id} does not hold any more`;
  return null;
}
