// An engine wired of the in-memory twins, with a journal of every call of a port and faults on order.

import { createScriptedApprover, type ScriptedApprover } from "../../src/adapters/memory/approver.js";
import { createMemoryLedgerStore, type MemoryLedgerStore } from "../../src/adapters/memory/ledger.js";
import { createMemorySandboxProvider, type MemorySandbox, type MemorySandboxProvider, type ScriptedRun } from "../../src/adapters/memory/sandbox.js";
import type { ScriptedProcess } from "../../src/adapters/memory/process.js";
import { createCountingIds, createRecordingTelemetry, createSteppingClock, type RecordedLine } from "../../src/adapters/memory/system.js";
import { createMemoryWorkspaceProvider, type MemoryNode, type MemoryTree, type MemoryWorkspaceProvider } from "../../src/adapters/memory/workspace.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { createRedactor } from "../../src/adapters/system/redactor.js";
import type { ToolCall } from "../../src/core/action/index.js";
import type { PolicySet } from "../../src/core/policy/index.js";
import { KIMI_DEV } from "../../src/core/risk/index.js";
import type { AuditEvent, Control, EventData, EventDraft, EventType } from "../../src/core/session/event.js";
import type { JsonObject, SessionId } from "../../src/core/shared/index.js";
import type { Deadlines } from "../../src/engine/deadline.js";
import type { EngineDeps, Preimages } from "../../src/engine/deps.js";
import type { SessionOptions } from "../../src/engine/live.js";
import { openSession, type Session } from "../../src/engine/session.js";
import type { ApprovalOutcome, Approver } from "../../src/ports/approver.js";
import type { Ledger } from "../../src/ports/ledger.js";
import type { ProcessRequest } from "../../src/ports/process.js";
import type { RunRequest, Sandbox, SandboxProvider } from "../../src/ports/sandbox.js";
import type { WorkspaceObserver, WorkspaceProvider } from "../../src/ports/workspace.js";
import { createFaults, type Faults } from "./faults.js";
import { testPolicy } from "./policy.js";

/** What a program does, by its shell text or its words joined by blanks. */
export type Programs = Readonly<Record<string, ScriptedRun | ((request: RunRequest) => ScriptedRun)>>;

export interface RigOptions {
  readonly policy?: PolicySet;
  /** The user's files by path. */
  readonly files?: Readonly<Record<string, string | MemoryNode>>;
  readonly programs?: Programs;
  readonly answers?: readonly ApprovalOutcome["outcome"][];
  readonly approver?: Approver;
  readonly role?: string | null;
  readonly defaults?: Partial<SessionOptions["defaults"]>;
  readonly deadlines?: Partial<Deadlines>;
  readonly controls?: readonly Control[];
  /** What a test of the controls sees while the session runs; left out: nothing can be tested again. */
  readonly attested?: () => readonly Control[] | Promise<readonly Control[]>;
  /** What outlives its call; left out: nothing can. */
  readonly processes?: (request: ProcessRequest) => ScriptedProcess | null;
  /** A call that runs can be frozen. */
  readonly pausable?: boolean;
  readonly profile?: string | null;
  readonly gate?: "off";
  readonly onEvent?: (event: AuditEvent) => void;
}

export interface Rig {
  readonly deps: EngineDeps;
  readonly options: SessionOptions;
  readonly faults: Faults;
  /** Calls of ports in order, as `sandbox.run`; an append also says, once it is durable, which types it made so. */
  readonly journal: string[];
  readonly store: MemoryLedgerStore;
  readonly sandboxes: MemorySandboxProvider;
  readonly workspaces: MemoryWorkspaceProvider;
  readonly approver: ScriptedApprover;
  readonly lines: readonly RecordedLine[];
  /** Sessions marked open. */
  readonly marks: Set<string>;
  /** Marks whose process is gone. */
  readonly abandoned: string[];
  readonly programs: Map<string, ScriptedRun | ((request: RunRequest) => ScriptedRun)>;
  open(signal?: AbortSignal): Promise<Session>;
  events(session: { readonly id: string }): Promise<readonly AuditEvent[]>;
  /** What the session's workspace looks like now. */
  view(session: { readonly id: string }): MemoryTree;
  /** Content of a file in the session's view; null when there is none. */
  content(session: { readonly id: string }, path: string): string | null;
}

export const WORKSPACE = "/home/user/project";
export const never: AbortSignal = new AbortController().signal;

/** Short enough to wait for, long enough not to fire by chance where nothing hangs. */
const DEADLINES: Deadlines = { filesMs: 5_000, settleMs: 5_000, closeMs: 5_000, watchMs: 5_000, graceMs: 5_000 };

export function createRig(given: RigOptions = {}): Rig {
  const journal: string[] = [];
  const faults = createFaults(journal);
  const clock = createSteppingClock();
  const lines: RecordedLine[] = [];
  const files = new Map<string, MemoryNode>();
  for (const [path, node] of Object.entries(given.files ?? { "src/a.js": "one\n", "README.md": "read me\n", "protected/keep.txt": "keep\n" })) {
    files.set(path, typeof node === "string" ? { kind: "file", content: node } : node);
  }
  const workspaces = createMemoryWorkspaceProvider({ folders: new Map([[WORKSPACE, files]]), hasher: sha256 });
  const programs = new Map(Object.entries(given.programs ?? {}));
  const sandboxes = createMemorySandboxProvider({
    treeOf: (spec) => workspaces.workspaceOf(spec.sessionId).view,
    script: (request) => {
      const text = request.argv[0] === "bash" ? (request.argv.at(-1) ?? "") : request.argv.join(" ");
      const program = programs.get(text) ?? null;
      return typeof program === "function" ? program(request) : program;
    },
    ...(given.controls === undefined ? {} : { controls: given.controls }),
    ...(given.pausable === true ? { pausable: true } : {}),
    ...(given.processes === undefined ? {} : { processes: given.processes }),
    ...(given.attested === undefined ? {} : { attested: given.attested }),
  });
  const store = createMemoryLedgerStore({ clock, hasher: sha256 });
  const approver = createScriptedApprover(given.answers ?? []);
  const marks = new Set<string>();
  const abandoned: string[] = [];
  const keyed = (text: string): string => sha256(`key ${text}`).slice("sha256:".length);
  const wrap = faults.wrap;

  const deps: EngineDeps = {
    store: wrap("store", store, (made) => (isLedger(made) ? wrap("ledger", made) : made)),
    sandboxes: wrap("sandboxes", { open: (...args) => sandboxes.open(...args) } satisfies SandboxProvider, (sandbox) => wrap("sandbox", portOf(sandbox as MemorySandbox))),
    workspaces: wrap("workspaces", { create: (...args) => workspaces.create(...args), reopen: (id) => workspaces.reopen(id), remove: (id) => workspaces.remove(id) } satisfies WorkspaceProvider, (workspace) => (workspace === undefined ? undefined : wrap("workspace", workspace as object))),
    observer: wrap("observer", stillObserver(), (watch) => wrap("watch", watch as object)),
    preimages: () => wrap("preimages", memoryPreimages()),
    openSessions: wrap("openSessions", {
      mark: async (id: string) => void marks.add(id),
      clear: async (id: string) => void marks.delete(id),
      abandoned: async () => [...abandoned],
    }),
    approver: wrap("approver", { request: (...args) => (given.approver ?? approver).request(...args) } satisfies Approver),
    clock: wrap("clock", clock),
    ids: wrap("ids", createCountingIds("test")),
    telemetry: wrap("telemetry", createRecordingTelemetry(lines)),
    hasher: sha256,
    keyedDigest: (text) => `sha256:${keyed(text)}`,
    redactor: wrap("redactor", createRedactor(keyed)),
    product: "ringfence 0.0.0-test",
    deadlines: { ...DEADLINES, ...given.deadlines },
  };
  const options: SessionOptions = {
    workspace: WORKSPACE,
    image: "test/image:1",
    policy: given.policy ?? testPolicy(),
    profile: given.profile ?? null,
    risk: KIMI_DEV,
    role: given.role ?? null,
    source: "library",
    startedBy: "tester",
    agent: { name: null, model: null, endpoint: null, version: null, sampling: null },
    defaults: {
      root: "/workspace",
      home: "/home/agent",
      timeoutMs: 5_000,
      approvalTimeoutMs: 5_000,
      outputBytes: 64 * 1024,
      sandbox: { memoryBytes: 1, processes: 1, cpus: 1, tmpBytes: 1 },
      ...given.defaults,
    },
    ...(given.gate === undefined ? {} : { gate: given.gate }),
    ...(given.onEvent === undefined ? {} : { onEvent: given.onEvent }),
  };
  const view = (session: { readonly id: string }): MemoryTree => workspaces.workspaceOf(session.id).view;
  return {
    deps,
    options,
    faults,
    journal,
    store,
    sandboxes,
    workspaces,
    approver,
    lines,
    marks,
    abandoned,
    programs,
    open: (signal = never) => openSession(deps, options, signal),
    events: (session) => store.read(session.id as SessionId),
    view,
    content: (session, path) => {
      const node = view(session).get(path);
      return node?.kind === "file" ? (typeof node.content === "string" ? node.content : new TextDecoder().decode(node.content)) : null;
    },
  };
}

/** Content by digest, in memory. */
export function memoryPreimages(): Preimages {
  const kept = new Map<string, Uint8Array>();
  return {
    remember: async (workspace, changes) => {
      for (const { path, after } of changes) {
        if (after?.kind !== "file" || after.digest === null) continue;
        const found = await workspace.readChanged(path, Number.MAX_SAFE_INTEGER);
        if (found !== null) kept.set(after.digest, found.content);
      }
      return [];
    },
    load: async (digest) => kept.get(digest) ?? null,
  };
}

/** The port without what the twin has besides. */
function portOf(twin: MemorySandbox): Sandbox {
  const { imageId, engine, controls, ended } = twin;
  return { imageId, engine, controls, ended, run: (...args) => twin.run(...args), readFile: (...args) => twin.readFile(...args), apply: (...args) => twin.apply(...args), close: () => twin.close(), ...(twin.pause === undefined ? {} : { pause: () => twin.pause?.() ?? Promise.resolve(), resume: () => twin.resume?.() ?? Promise.resolve() }), ...(twin.openProcess === undefined ? {} : { openProcess: (...args) => twin.openProcess?.(...args) ?? Promise.reject(new Error("no processes")) }), ...(twin.attest === undefined ? {} : { attest: (signal: AbortSignal) => twin.attest?.(signal) ?? Promise.resolve([]) }) };
}

function isLedger(made: unknown): made is Ledger {
  return typeof made === "object" && made !== null && "append" in made;
}

function stillObserver(): WorkspaceObserver {
  return { start: async () => ({ stop: async () => undefined }) };
}

let labels = 0;
/** A tool call with a label of its own. */
export function toolCall(tool: string, args: JsonObject, role: string | null = null): ToolCall {
  labels += 1;
  return { id: `label-${labels}`, role, tool, arguments: args };
}

/** A shell command. */
export function bash(command: string, role: string | null = null): ToolCall {
  return toolCall("bash", { command }, role);
}

/** An edit that creates a file. */
export function create(path: string, text: string, role: string | null = null): ToolCall {
  return toolCall("str_replace_editor", { command: "create", path: `/workspace/${path}`, file_text: text }, role);
}

/** A replacement in a file. */
export function replace(path: string, from: string, to: string, role: string | null = null): ToolCall {
  return toolCall("str_replace_editor", { command: "str_replace", path: `/workspace/${path}`, old_str: from, new_str: to }, role);
}

/** Types of events, with the call they belong to left out. */
export function typesOf(events: readonly { readonly type: EventDraft["type"] }[]): readonly string[] {
  return events.map((event) => event.type);
}

/** The data of the only event of a type. */
export function only<T extends EventType>(events: readonly AuditEvent[], type: T): EventData[T] {
  const found = events.filter((event) => event.type === type);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} events of type ${type} in ${typesOf(events).join(", ")}`);
  return found[0].data as EventData[T];
}

const QUIET = /^(?:telemetry|redactor|clock|ids)\./u;

/** The journal from its `from`th entry on, without what only reads the time, takes out secrets or tells the operator. */
export function steps(rig: Rig, from = 0): readonly string[] {
  return rig.journal.slice(from).filter((entry) => !QUIET.test(entry));
}
