// A session on the engine of this machine with everything real, for tests that look at what the kernel holds: a workspace, a
// state folder and a home of its own, all removed afterwards. Nothing here asks a person.

import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { composeDeps } from "../../src/compose.js";
import { loadPolicy } from "../../src/compose-policy.js";
import { DEFAULTS } from "../../src/config/defaults.js";
import type { PolicySet } from "../../src/core/policy/index.js";
import { KIMI_DEV } from "../../src/core/risk/index.js";
import type { AuditEvent, EventData } from "../../src/core/session/event.js";
import type { SessionId } from "../../src/core/shared/index.js";
import type { EngineDeps } from "../../src/engine/deps.js";
import type { SessionOptions } from "../../src/engine/live.js";
import type { Observation } from "../../src/engine/observation.js";
import { openSession, type Session } from "../../src/engine/session.js";
import type { SandboxLimits, WorkspaceMode } from "../../src/ports/sandbox.js";
import { plainBash } from "./plain-bash.js";

const never = new AbortController().signal;

export interface EngineRigOptions {
  /** The user's files; a name that ends in a slash is a folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Run with bash in the user's folder before the session. */
  readonly setUp?: string;
  readonly role?: string | null;
  readonly gate?: "off";
  readonly enforce?: false;
  readonly policy?: PolicySet;
  readonly uid?: number;
  readonly image?: string;
  readonly limits?: Partial<SandboxLimits>;
  /** Variables besides PATH, HOME and RINGFENCE_HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /** Parent of everything; the temporary folder when left out. */
  readonly parent?: string;
  /** Time limit of one call. */
  readonly timeoutMs?: number;
  /** How the folder comes to the engine; left out: as the engine allows. */
  readonly mode?: WorkspaceMode;
}

export interface EngineRig {
  readonly folder: string;
  /** The state folder. */
  readonly state: string;
  readonly deps: EngineDeps;
  readonly options: SessionOptions;
  open(): Promise<EngineSession>;
  asUser(script: string): string;
  close(): Promise<void>;
}

export interface EngineSession {
  readonly session: Session;
  readonly opened: EventData["session.opened"];
  run(command: string): Promise<Observation>;
  events(): Promise<readonly AuditEvent[]>;
}

/** The built-in policy, compiled once a process: from sources nothing keeps it, and a rig with a home of its own has no other. */
const builtIn = new Map<"policy", Promise<PolicySet>>();

function policyOf(given: EngineRigOptions, env: NodeJS.ProcessEnv): Promise<PolicySet> {
  if (given.policy !== undefined) return Promise.resolve(given.policy);
  if (given.env !== undefined) return loadPolicy([], env);
  const policy = builtIn.get("policy") ?? loadPolicy([], env);
  builtIn.set("policy", policy);
  return policy;
}

/** Everything but the session, which is opened by `open`. */
export async function engineRig(given: EngineRigOptions = {}): Promise<EngineRig> {
  const base = realpathSync(mkdtempSync(join(given.parent ?? tmpdir(), "ringfence-engine-")));
  const folder = join(base, "project");
  const uid = given.uid ?? 1000;
  for (const path of [folder, join(base, "home")]) mkdirSync(path);
  const asUser = (script: string): string => plainBash(folder, script, { HOME: join(base, "home"), GIT_AUTHOR_NAME: "u", GIT_AUTHOR_EMAIL: "u@x.test", GIT_COMMITTER_NAME: "u", GIT_COMMITTER_EMAIL: "u@x.test" });
  for (const [path, content] of Object.entries(given.files ?? {})) {
    const full = join(folder, path);
    mkdirSync(path.endsWith("/") ? full : dirname(full), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(full, content);
  }
  plainBash(folder, "chmod -R u=rwX,go=rX .");
  if (given.setUp !== undefined) asUser(given.setUp);
  chownSync(folder, uid, uid);
  execFileSync("chown", ["-R", "--no-dereference", `${uid}:${uid}`, folder]);
  const env = { PATH: process.env["PATH"] ?? "", HOME: join(base, "home"), RINGFENCE_HOME: join(base, "state"), ...given.env };
  const { deps } = await composeDeps({ env, approver: { terminal: null } });
  const options: SessionOptions = {
    workspace: folder,
    image: given.image ?? "ringfence/kimi-dev:latest",
    policy: await policyOf(given, env),
    profile: null,
    risk: KIMI_DEV,
    role: given.role ?? null,
    source: "library",
    startedBy: "tester",
    agent: { name: null, model: null, endpoint: null, version: null, sampling: null },
    defaults: { ...DEFAULTS, ...(given.mode === undefined ? {} : { workspaceMode: given.mode }), timeoutMs: given.timeoutMs ?? 60_000, sandbox: { ...DEFAULTS.sandbox, ...given.limits } },
    ...(given.gate === undefined ? {} : { gate: given.gate }),
    ...(given.enforce === undefined ? {} : { enforce: given.enforce }),
  };
  const sessions: Session[] = [];
  return {
    folder,
    state: join(base, "state"),
    deps,
    options,
    asUser,
    open: async () => {
      const session = await openSession(deps, options, never);
      sessions.push(session);
      const events = (): Promise<readonly AuditEvent[]> => deps.store.read(session.id as SessionId);
      const first = (await events())[0];
      if (first?.type !== "session.opened") throw new Error("a session without a beginning");
      let count = 0;
      return {
        session,
        opened: first.data,
        events,
        run: (command) => {
          count += 1;
          return session.call({ id: `c${count}`, role: null, tool: "bash", arguments: { command } }, {}, never);
        },
      };
    },
    close: async () => {
      for (const session of sessions) await session.close("finished").catch(() => undefined);
      rmSync(base, { recursive: true, force: true });
    },
  };
}
