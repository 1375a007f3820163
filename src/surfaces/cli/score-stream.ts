// The score over time: of one session while it runs, a line a change, and of the stored sessions one after the other. From the record
// alone; a session that is running is read again when its record has grown.

import { setTimeout as pause } from "node:timers/promises";
import { reduceRisk, replayRisk, riskSummary, type RiskState } from "../../core/risk/index.js";
import type { AuditEvent } from "../../core/session/index.js";
import { count, printable, type SessionId } from "../../core/shared/index.js";
import type { LedgerStore } from "../../ports/ledger.js";
import type { Io } from "./io.js";
import { bandColour } from "./render/score-moves.js";

/** How often a running session's record is looked at, in milliseconds. */
const LOOK_MS = 250;

/** What one line of the stream says. */
interface Moved {
  readonly seq: number;
  readonly time: string;
  readonly event: string;
  readonly score: string;
  readonly band: string;
  readonly exact: string;
  readonly peak: string;
  readonly driver: string;
  /** What policy did about it; left out where nothing. */
  readonly action?: string;
  readonly reason?: string;
}

/** Prints each change from the opening on, until the session is closed or Ctrl-C. Gives the events. */
export async function followScore(store: LedgerStore, id: SessionId, io: Io): Promise<readonly AuditEvent[]> {
  let seen = 0;
  let state: RiskState | null = null;
  let told = "";
  for (;;) {
    const events = await store.read(id);
    for (const event of events.slice(seen)) {
      state = state === null ? startOf(event) : reduceRisk(state, event);
      const line = moved(event, state);
      const now = `${line.exact} ${line.driver}`;
      if (now === told && event.type !== "session.tightened") continue;
      told = now;
      if (io.options.json) io.json(line);
      else io.out(`#${String(line.seq).padEnd(5)} ${bandColour(io.paint, line.band)(`${line.score} ${line.band}`.padEnd(14))} ${line.event} ${io.paint.dim(line.action === undefined ? `by ${line.driver}` : `${line.action}: ${line.reason ?? ""}`)}`);
    }
    seen = events.length;
    const last = events.findLast(({ type }) => type === "session.closed");
    if (last !== undefined) return events;
    await pause(LOOK_MS);
  }
}

function startOf(event: AuditEvent): RiskState {
  return replayRisk([event]);
}

function moved(event: AuditEvent, state: RiskState): Moved {
  const { live, peak } = riskSummary(state);
  const acted = event.type === "session.tightened" && event.data.action !== undefined ? { action: event.data.action, reason: printable(event.data.reason, 300) } : {};
  return { seq: event.seq, time: event.time, event: event.type, score: live.score, band: live.band, exact: live.exact, peak: peak.score, driver: live.driver, ...acted };
}

/** One line a session, oldest first: where it started, its peak, where it ended, and what policy did. Records that do not verify are named. */
export async function trend(store: LedgerStore, limit: number, io: Io): Promise<void> {
  const all = await store.list();
  const listings = [...all].sort((a, b) => (a.openedAt < b.openedAt ? -1 : 1)).slice(Math.max(0, all.length - limit));
  if (all.length === 0 && !io.options.json) io.note("no sessions yet; `ringfence exec -- npm test` makes one");
  for (const { id, openedAt } of listings) {
    const events = await store.read(id).catch(() => null);
    const [first] = events ?? [];
    if (events === null || first === undefined) {
      if (io.options.json) io.json({ session: id, openedAt, invalid: true });
      else io.out(`${io.paint.bold(id)}  ${io.paint.red("the record does not verify")}`);
      continue;
    }
    const [start, end] = [riskSummary(replayRisk([first])), riskSummary(replayRisk(events))];
    const actions = events.flatMap((event) => (event.type === "session.tightened" && event.data.action !== undefined ? [event.data.action] : []));
    if (io.options.json) io.json({ session: id, openedAt, model: end.model, profile: end.profile.id, start: start.live.score, peak: end.peak.score, end: end.live.score, band: end.live.band, findings: end.findings.length, actions });
    else {
      const span = `${start.live.score} → ${end.live.score}`;
      io.out(`${openedAt.slice(0, 19).replace("T", " ")}  ${io.paint.bold(id)}  ${bandColour(io.paint, end.peak.band)(`${span}, peak ${end.peak.score}`.padEnd(22))} ${end.findings.length === 0 ? "no findings" : `${count(end.findings.length, "finding")}`}${actions.length === 0 ? "" : `, ${actions.join(", ")}`}`);
    }
  }
}
