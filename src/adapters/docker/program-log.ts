// What a call's programs are, put together from what sandboxd tells, and the answer to each that waits for one. Bounded: what is past a
// limit is counted, and judged all the same.

import { createProgramReader, encodeVerdict, type ProgramRecord, type StartedRecord } from "../../core/channel/index.js";
import { decodeName } from "../../core/reconcile/index.js";
import { LIMITS } from "../../core/shared/index.js";
import { signalName } from "./signal-name.js";
import type { ProgramEnd, ProgramLog, RecordSetting, RunRequest, StartedProgram } from "../../ports/sandbox.js";

export interface ProgramLogger {
  /** Takes bytes of the records; false when they are malformed, which ends the channel. `answer` gets what sandboxd waits for. */
  readonly take: (bytes: Uint8Array, answer: (payload: Uint8Array) => void) => boolean;
  readonly log: () => ProgramLog;
}

interface Kept {
  readonly program: StartedProgram;
  end: ProgramEnd | null;
}

/** The log of one call. */
export function createProgramLog(record: RecordSetting, judge: RunRequest["judge"]): ProgramLogger {
  const reader = createProgramReader();
  const programs = new Map<number, Kept>();
  const writes: { program: number; path: string }[] = [];
  const dropped = { programs: 0, writes: 0 };
  const state: { asked: StartedRecord | null; bytes: number } = { asked: null, bytes: 0 };

  const keep = (one: StartedRecord): void => {
    const kept = keptArguments(one, LIMITS.programArgumentBytes);
    state.bytes += one.image.length + one.cwd.length + kept.argv.reduce((sum, word) => sum + word.length, 0);
    if (programs.size >= LIMITS.programs || state.bytes > LIMITS.programBytes) dropped.programs += 1;
    else programs.set(one.number, { program: startedOf(one, kept), end: null });
  };

  const takeOne = (one: ProgramRecord, answer: (payload: Uint8Array) => void): boolean => {
    switch (one.kind) {
      case "started":
        state.asked = one;
        keep(one);
        return true;
      case "ended": {
        const kept = programs.get(one.number);
        if (kept !== undefined) kept.end = endOf(one);
        return true;
      }
      case "wrote":
        if (writes.length >= LIMITS.programWrites) dropped.writes += 1;
        else writes.push({ program: one.number, path: decodeName(one.path) });
        return true;
      case "lost":
        dropped.programs += one.programs;
        dropped.writes += one.writes;
        return true;
      case "ask": {
        // Asked right behind its own record, by a guard that is honest.
        const { asked } = state;
        if (asked?.number !== one.number || judge === undefined) return false;
        answer(encodeVerdict(one.number, one.pid, !asked.cut && judge.allows(startedOf(asked, keptArguments(asked, LIMITS.commandChars)))));
        return true;
      }
    }
  };

  return {
    take: (bytes, answer) => {
      const records = reader.push(bytes);
      if (records === null) return false;
      for (const one of records) if (!takeOne(one, answer)) return false;
      return true;
    },
    log: () => ({ record, programs: [...programs.values()].map(({ program, end }) => ({ ...program, end })), writes, dropped }),
  };
}

function startedOf({ number, parent, replaced, atMicros, image, cwd }: StartedRecord, { argv, cut }: KeptArguments): StartedProgram {
  return { number, parent, replaced, atMs: atMicros / 1000, image: decodeName(image), cwd: decodeName(cwd), argv: argv.map(decodeName), cut };
}

interface KeptArguments {
  readonly argv: readonly Uint8Array[];
  readonly cut: boolean;
}

/** The first arguments, up to so many bytes, a word that does not fit cut there. */
function keptArguments({ argv, cut }: StartedRecord, bytes: number): KeptArguments {
  const kept: Uint8Array[] = [];
  let room = bytes;
  for (const word of argv) {
    if (room <= 0) return { argv: kept, cut: true };
    // A copy: the record is a view into what was received.
    kept.push(word.slice(0, room));
    room -= word.length + 1;
  }
  return { argv: kept, cut: cut || room < -1 };
}

function endOf({ atMicros, status, replaced }: Extract<ProgramRecord, { kind: "ended" }>): ProgramEnd {
  const signal = status & 0x7f;
  const atMs = atMicros / 1000;
  if (replaced) return { atMs, exitCode: null, signal: null, replaced };
  return signal === 0 ? { atMs, exitCode: (status >> 8) & 0xff, signal: null, replaced } : { atMs, exitCode: null, signal: signalName(signal), replaced };
}
