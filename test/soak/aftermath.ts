// What must be true after any fault and one later command: nothing of the session is on the machine, every record is intact and
// says how its session ended, what was acknowledged is in it, and the user's folder is what it was.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { leftInTheEnd, lines, sessionFolders, type Rig } from "../e2e/rig.js";

export interface Event {
  readonly seq: number;
  readonly session: string;
  readonly call: string | null;
  readonly type: string;
  readonly data: { readonly reason?: string; readonly detail?: string | null; readonly outcome?: string; readonly paths?: readonly string[] };
}

/** Events of whole lines; what a killed process wrote last may be torn. */
export function eventsIn(text: string): readonly Event[] {
  return lines(text.slice(0, text.lastIndexOf("\n") + 1)).filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Event);
}

export function recordOf(rig: Rig, session: string): readonly Event[] {
  return existsSync(rig.ledger(session)) ? eventsIn(readFileSync(rig.ledger(session), "utf8")) : [];
}

/** How a session stands in the words of `ringfence sessions`, told from its record alone. */
export function standingOf(events: readonly Event[]): string {
  const of = (type: string): readonly Event[] => events.filter((event) => event.type === type);
  if (of("session.discarded").length > 0) return "discarded";
  if (of("session.applied").length > 0) return "applied";
  const closed = new Map(of("call.closed").map((event) => [event.call, event.data.outcome]));
  const inDoubt = of("execution.started").some(({ call }) => !closed.has(call)) || [...closed.values()].includes("in-doubt");
  const end = of("session.closed").at(-1);
  return end === undefined ? "open" : inDoubt ? "in doubt" : (end.data.reason ?? "");
}

/** Words for everything that is not as it must be; empty when all is well. Looks at the state folder, the engine, mounts, loop devices and processes. */
export async function leftBehind(rig: Rig, sessions: readonly string[] = sessionFolders(rig.state)): Promise<readonly string[]> {
  const names = (folder: string): readonly string[] => (existsSync(join(rig.state, folder)) ? readdirSync(join(rig.state, folder)) : []);
  const left = await leftInTheEnd(sessions, rig.state, (...args) => rig.docker(...args));
  return [
    ...left,
    ...names("open").map((name) => `mark ${name}`),
    ...sessions.flatMap((session) => names(join("sessions", session)).filter((name) => name === "lock" || name.startsWith(".")).map((name) => `file ${session}/${name}`)),
    ...[...processesInside(rig.state)].map(([pid, words]) => `process ${pid} (${words}) lives on in a sandbox`),
  ];
}

/** Processes inside a sandbox of a state folder: they see its layers at the root of the workspace. By number, with their words. */
export function processesInside(state: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync("/proc")) {
    if (!/^[0-9]+$/u.test(name)) continue;
    try {
      const inside = lines(readFileSync(`/proc/${name}/mountinfo`, "latin1")).some((line) => line.split(" ")[4] === "/workspace" && line.includes(`${state}/`));
      if (inside) found.set(Number(name), readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ").trim());
    } catch {
      // it ended meanwhile
    }
  }
  return found;
}

/** The fields that are printed: the record has its chain besides. */
function only({ seq, session, call, type, data }: Event): Event {
  return { seq, session, call, type, data };
}

/** Words for every session whose record, status or `show` does not tell the truth; `printed` are events that were acknowledged. */
export async function untruths(rig: Rig, printed: readonly Event[], sessions: readonly string[] = sessionFolders(rig.state)): Promise<readonly string[]> {
  const wrong: string[] = [];
  const listed = new Map((await rig.sessions()).map(({ id, status }) => [id, status]));
  for (const session of sessions) {
    const record = recordOf(rig, session);
    // Layers of a session that never had a record may not stay either.
    if (record.length === 0) {
      wrong.push(`${session} has a folder and no record`);
      continue;
    }
    const verified = await rig.run(["log", "verify", session]);
    if (verified.code !== 0 || !verified.out.startsWith("intact")) wrong.push(`${session}: log verify ${verified.code}: ${verified.out}${verified.err}`);
    const standing = standingOf(record);
    if (standing === "open") wrong.push(`${session} is still open on record`);
    if (listed.get(session) !== standing) wrong.push(`${session}: \`sessions\` says ${listed.get(session) ?? "nothing"}, the record ${standing}`);
    const shown = await rig.run(["show", session]);
    if (shown.code !== 0 || !shown.out.includes(`${session}  ${standing}`)) wrong.push(`${session}: show ${shown.code} does not say ${standing}: ${shown.out.slice(0, 200)}`);
  }
  for (const event of printed) {
    const kept = recordOf(rig, event.session)[event.seq];
    if (kept === undefined || !isDeepStrictEqual({ ...event, ...only(kept) }, event)) wrong.push(`${event.session}: event ${event.seq} (${event.type}) was acknowledged and is not on record as it was`);
  }
  return wrong;
}
