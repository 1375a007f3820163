// The one table of failures. A decision (deny, rejected) is never an error; see core/policy/decision.

import type { JsonObject } from "./json.js";

/** What a failure means to a caller and which exit code a command line ends with. */
export interface ErrorRow {
  readonly exit: number;
  readonly retry: boolean;
  readonly hint: string;
}

/** Every code a GuardError can carry. Exit codes: 1 finding, 2 usage, 5 log invalid, 6 session stopped by policy, 65 policy invalid, 70 own fault, 75 engine or sandbox not available. */
export const ERRORS = {
  USAGE_INVALID: { exit: 2, retry: false, hint: "see `ringfence --help`" },
  CALL_TOO_LARGE: { exit: 2, retry: false, hint: "split the call into smaller ones" },
  TRAJECTORY_INVALID: { exit: 2, retry: false, hint: "see the trajectory formats in docs/agent-formats.md" },
  WORKSPACE_NOT_FOUND: { exit: 2, retry: false, hint: "name an existing folder with --workspace" },
  WORKSPACE_UNREADABLE: { exit: 2, retry: false, hint: "the folder must be readable and enterable by you" },
  WORKSPACE_REFUSED: { exit: 2, retry: false, hint: "choose a project folder, not `/`, your home or the state folder" },
  STATE_UNUSABLE: { exit: 70, retry: false, hint: "set RINGFENCE_HOME to a folder you own on a local disk" },
  SESSION_NOT_FOUND: { exit: 2, retry: false, hint: "`ringfence sessions` lists them" },
  SESSION_BUSY: { exit: 75, retry: true, hint: "another command works on this session; wait for it" },
  SESSION_STOPPED: { exit: 6, retry: false, hint: "`ringfence score ID --explain` tells why; a forensic copy of the workspace layer is kept with the session" },
  SESSION_ENDED: { exit: 70, retry: false, hint: "open a new session" },
  WORKSPACE_LIMIT: { exit: 75, retry: false, hint: "the session changed more than can be reviewed; discard it" },
  APPLY_FAILED: { exit: 75, retry: true, hint: "the folder was put back as it was; free disk space or mend its permissions" },
  APPLY_CONFLICT: { exit: 1, retry: false, hint: "the folder changed since the session; review with `ringfence diff`" },
  POLICY_INVALID: { exit: 65, retry: false, hint: "mend the file and run `ringfence policy check`" },
  POLICY_NOT_FOUND: { exit: 65, retry: false, hint: "check the path given with --policy" },
  LEDGER_INVALID: { exit: 5, retry: false, hint: "the record was changed; trust nothing after the named line" },
  LEDGER_APPEND_FAILED: { exit: 70, retry: true, hint: "nothing ran; free disk space or mend the state folder" },
  ENGINE_UNAVAILABLE: { exit: 75, retry: true, hint: "run `npm run setup`, or see `ringfence doctor`" },
  ENGINE_REMOTE: { exit: 75, retry: false, hint: "use an engine on this machine: unset DOCKER_HOST or choose another context" },
  ENGINE_UNSUPPORTED: { exit: 75, retry: false, hint: "see `ringfence doctor`" },
  IMAGE_MISSING: { exit: 75, retry: false, hint: "build one of ours with `ringfence image build`, or `docker pull` another" },
  RUNTIME_MISSING: { exit: 75, retry: false, hint: "run `npm run setup` to build the sandbox runtime" },
  SANDBOX_FAILED: { exit: 75, retry: true, hint: "see `ringfence doctor`; the session is marked broken" },
  SANDBOX_BROKEN: { exit: 75, retry: true, hint: "the sandbox ended under the call; what the call did is in doubt" },
  EXPORT_FAILED: { exit: 75, retry: true, hint: "the record is as it was; look at the collector's own log" },
  CANCELLED: { exit: 130, retry: true, hint: "the session keeps what was recorded" },
  INTERNAL_BUG: { exit: 70, retry: false, hint: "please report this with the operator log" },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** An operational failure. `message` is printable; `hint` overrides the table's. */
export class GuardError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly context: JsonObject;

  constructor(code: ErrorCode, message: string, options: { readonly cause?: unknown; readonly hint?: string; readonly context?: JsonObject } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "GuardError";
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
    this.context = options.context ?? {};
  }
}
