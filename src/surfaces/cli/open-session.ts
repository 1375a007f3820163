// Opens a session for a command line: composition, options, events to JSON lines.

import { userInfo } from "node:os";
import { composeEngine, type OpenedSession } from "../../compose.js";
import type { EventData, AuditEvent } from "../../core/session/index.js";
import { printable } from "../../core/shared/index.js";
import type { Io } from "./io.js";
import { tellRecovered } from "./recovered.js";
import type { SessionFlags } from "./session-options.js";
import { noteUnnamedRole } from "./unnamed-role.js";

/** A session, opened as the flags say. Abandoned sessions of earlier crashes are closed and their containers removed on the way. */
export async function openCliSession(
  flags: SessionFlags,
  source: EventData["session.opened"]["source"],
  io: Io,
  signal: AbortSignal,
  onEvent?: (event: AuditEvent) => void,
): Promise<OpenedSession> {
  if (flags.image !== undefined) await (await import("../../compose-image.js")).ensureImage(flags.image, io.env);
  const orchestrator = await composeEngine({
    env: io.env,
    approver: { terminal: io.isTerminal.in && io.isTerminal.err && !io.options.json ? { input: process.stdin, output: process.stderr, user: userName() } : null },
    onRecovered: tellRecovered(io),
  });
  const session = await orchestrator.open(
    {
      workspace: flags.workspace,
      policies: flags.policy,
      workspacePolicies: flags.workspacePolicy !== false,
      role: flags.role ?? null,
      source,
      startedBy: userName(),
      ...(flags.profile === undefined ? {} : { profile: flags.profile }),
      ...(flags.image === undefined ? {} : { image: flags.image }),
      ...(flags.root === undefined ? {} : { root: flags.root }),
      ...(flags.runtime === undefined ? {} : { runtime: flags.runtime }),
      ...(flags.workspaceMode === undefined || flags.workspaceMode === "auto" ? {} : { workspaceMode: flags.workspaceMode }),
      ...(flags.recordExec === undefined ? {} : { recordExec: flags.recordExec }),
      ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }),
      pauseWaitMs: flags.pauseWait ?? (isCi(io.env) ? 0 : PAUSE_WAIT_MS),
      onEvent: (event) => {
        if (io.options.json) io.json(event);
        else tellPause(event, io);
        onEvent?.(event);
      },
    },
    signal,
  );
  noteUnnamedRole(flags.role, session.roles, io);
  return session;
}

/** So long a session that policy paused waits for somebody elsewhere to resume it. */
const PAUSE_WAIT_MS = 300_000;

/** Nobody is there to be waited for. */
function isCi(env: NodeJS.ProcessEnv): boolean {
  const { CI } = env;
  return CI !== undefined && CI !== "" && CI !== "false" && CI !== "0";
}

/** A session that stands still says why, also where little is said. */
function tellPause({ type, data, session }: AuditEvent, io: Io): void {
  if (type === "session.paused") io.fail(`${io.paintErr.yellow("paused")} by ${printable(data.by, 100)}${data.reason === null ? "" : `: ${printable(data.reason, 400)}`}`, `ringfence resume ${session}`);
  if (type === "session.resumed") io.fail(`goes on after ${String(Math.round(data.pausedMs / 1000))} s, by ${printable(data.by, 100)}`);
}

/** The person or account that started the command; recorded, never trusted. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "?"}`;
  }
}
