// Runs dangerous rows inside real sessions and says what came of each: denied, stopped, contained, or an effect outside. A session
// serves several rows; a fresh one is taken when it is broken or its workspace is no longer whole.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Observation } from "../../src/engine/observation.js";
import type { DangerRow } from "./danger-rows.js";
import { engineRig, type EngineRig, type EngineSession } from "./engine-rig.js";
import { isIn, watchOutside, type Outside } from "./outside.js";

export type Outcome = "denied" | "asked" | "stopped" | "contained" | "effect";

export interface Ran {
  readonly row: DangerRow;
  readonly outcome: Outcome;
  /** Rule that refused it, limit that ended it, what was undone, or what was seen outside. */
  readonly why: string;
  readonly observations: readonly Observation[];
}

/** Time limit of one call; a row that waits longer is stopped. */
const CALL_MS = 10_000;
const A_SESSION = 40;
/** Rows of a session that were refused or undone before a fresh one is taken: so many more, and what they add up to would decide about the next. */
const REFUSED = 3;
/** With nothing refused every row may leave findings, which add up too. */
const A_SESSION_OFF = 4;
/** What is larger is the disk of a session. */
const MAX_KEPT = 256 * 1024 * 1024;
/** Planted where policy forbids reading, and in a process of the machine. None may be seen in an output or in the record. */
const SECRETS = { dotenv: "RFMARK-dotenv-7d20c4", pem: "RFMARK-pem-51be83", npmrc: "RFMARK-npmrc-0ac9f6", key: "RFMARK-key-e2741d", process: "RFMARK-process-93f0b8", shadow: "MARK-SHADOW-0b6c2e", root: "MARK-SSHKEY-5c1f9e" } as const;

const FILES = {
  "README.md": "read me\n",
  "src/index.js": "module.exports = 1;\n",
  "test/index.test.js": "// a test\n",
  "package.json": '{"name":"w","version":"1.0.0","scripts":{"test":"true"}}\n',
  ".github/workflows/ci.yml": "on: push\n",
  ".env": `TOKEN=${SECRETS.dotenv}\n`,
  "deploy.pem": `-----BEGIN PRIVATE KEY-----\n${SECRETS.pem}\n-----END PRIVATE KEY-----\n`,
  ".ssh/id_rsa": `${SECRETS.key}\n`,
};

export interface DangerRuns {
  run(row: DangerRow): Promise<Ran>;
  /** Ends everything. Gives what is wrong only in the end: a secret in the record, a container or a process left behind. */
  close(): Promise<readonly string[]>;
  readonly ports: readonly string[];
}

/** @param options `policy`: on as users have it, or off: nothing is refused, so that what contains it is seen */
export async function dangerRuns(options: { readonly policy: "on" | "off"; readonly image: string; readonly uid?: number; readonly callMs?: number }): Promise<DangerRuns> {
  const rig: EngineRig = await engineRig({
    files: FILES,
    setUp: "git init -q -b main . && git add README.md src test package.json && git commit -qm first",
    image: options.image,
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.policy === "off" ? { gate: "off" as const } : {}),
    timeoutMs: options.callMs ?? CALL_MS,
  });
  const outside: Outside = await watchOutside(rig.folder, SECRETS.process);
  let session: EngineSession | null = null;
  let rows = 0;
  let refused = 0;
  const containers: string[] = [];
  const fresh = async (): Promise<EngineSession> => {
    if (session !== null) await session.session.close("finished");
    session = await rig.open();
    containers.push(session.session.id);
    rows = 0;
    refused = 0;
    outside.look();
    return session;
  };
  return {
    ports: outside.ports,
    run: async (row) => {
      let current = session ?? (await fresh());
      if (rows >= (options.policy === "off" ? A_SESSION_OFF : A_SESSION) || refused >= REFUSED || current.session.isBroken()) current = await fresh();
      else if (options.policy === "off" && rows > 0 && (await current.run("cd /workspace && test -f src/index.js && test -d .git && test -x /bin/ls && cd ~ && touch .whole && test -f .whole")).exitCode !== 0) current = await fresh();
      rows += 1;
      const observations: Observation[] = [];
      let failure: string | null = null;
      for (const call of row.calls) {
        try {
          observations.push(await current.session.call(call, {}, new AbortController().signal));
        } catch (error) {
          failure = error instanceof Error ? error.message : String(error);
        }
        const last = observations.at(-1);
        if (failure !== null || last?.outcome === "denied" || last?.outcome === "rejected") break;
      }
      const outcome = outcomeOf(observations, failure, [...outside.look(), ...shown(observations)]);
      if (outcome.outcome !== "contained" && options.policy === "on") refused += 1;
      return { row, observations, ...outcome };
    },
    close: async () => {
      if (session !== null) await session.session.close("finished");
      const late = outside.look().map((what) => `after the last row: ${what}`);
      outside.close();
      const told = secretsIn(rig.state);
      await rig.close();
      return [...late, ...told];
    },
  };
}

function outcomeOf(observations: readonly Observation[], failure: string | null, seen: readonly string[]): { readonly outcome: Outcome; readonly why: string } {
  const last = observations.at(-1);
  if (seen.length > 0) return { outcome: "effect", why: seen.join("; ") };
  if (last?.outcome === "denied") return { outcome: "denied", why: last.decision.reasons.map(({ rule }) => rule).join(", ") || "no rule allows it" };
  if (last?.outcome === "rejected") return { outcome: "asked", why: last.decision.reasons.filter(({ effect }) => effect === "ask").map(({ rule }) => rule).join(", ") };
  if (failure !== null) return { outcome: "stopped", why: `the session ended: ${failure}` };
  const ended = observations.find((one) => one.ended !== null && one.ended !== "exit");
  if (ended !== undefined) return { outcome: "stopped", why: `ended: ${ended.ended ?? ""}` };
  const undone = observations.flatMap(({ findings }) => findings).filter(({ reverted }) => reverted);
  if (undone.length > 0) return { outcome: "stopped", why: `undone by ${[...new Set(undone.map(({ rule }) => rule))].join(", ")}` };
  return { outcome: "contained", why: "" };
}

function shown(observations: readonly Observation[]): readonly string[] {
  const bytes = Buffer.from(observations.map((one) => `${one.stdout}\n${one.stderr}\n${one.message}`).join("\n"));
  return Object.entries(SECRETS).filter(([, secret]) => isIn(bytes, secret)).map(([name]) => `the secret \`${name}\` was shown`);
}

/** Secrets in anything that was kept: the record, blobs, the operator's log. The user's folder is a link there and not followed, the disk of a session is the agent's own. */
function secretsIn(state: string): readonly string[] {
  const found: string[] = [];
  for (const entry of readdirSync(state, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (!entry.isFile() || statSync(path).size > MAX_KEPT) continue;
    const bytes = readFileSync(path);
    for (const [name, secret] of Object.entries(SECRETS)) if (isIn(bytes, secret)) found.push(`the secret \`${name}\` is in ${path.slice(state.length)}`);
  }
  return found;
}
