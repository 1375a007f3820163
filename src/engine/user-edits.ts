// What the user does to the folder while a session works on it. A name that policy hides is hidden as soon as it is noticed; until
// that is done no call starts, and where it cannot be done the session takes none any more. What came while a call ran is told:
// it may have been read.

import { secretNames, type SecretNames } from "../core/policy/index.js";
import type { Finding } from "../core/reconcile/change.js";
import type { Control } from "../core/session/event.js";
import { LIMITS, count, printable, type Role } from "../core/shared/index.js";
import type { HideResult, Sandbox } from "../ports/sandbox.js";
import type { NewName, UserFolderWatch, Workspace } from "../ports/workspace.js";
import type { Enforced } from "./enforcement.js";
import type { SessionOptions } from "./live.js";

export interface UserEdits {
  /** What was seen of the watch when it began. */
  readonly control: Control;
  /** Waits until all that the user did before is hidden. Gives why nothing may run any more, or null. Never rejects. */
  settle(): Promise<string | null>;
  /** A call begins: what was noticed until now it cannot have read. */
  begin(): void;
  /** Findings on what came to be since they were taken last. */
  take(): readonly Finding[];
  stop(): void;
}

export interface UserEditsInput {
  readonly watch: UserFolderWatch;
  readonly options: SessionOptions;
  readonly role: Role | null;
  readonly enforced: Enforced;
  readonly workspace: Workspace;
  readonly sandbox: Sandbox;
}

interface Seen {
  readonly path: string;
  readonly rule: string;
  state: "waiting" | "hidden" | "failed";
}

/** Begins to listen. Call once the sandbox is there. */
export function followUserEdits({ watch, options, role, enforced, workspace, sandbox }: UserEditsInput): UserEdits {
  const { root, home } = options.defaults;
  const secrets: SecretNames = secretNames(options.policy, { role, root, home });
  const known = new Set([...enforced.protection.masked, ...enforced.plan.premasked]);
  const seen = new Map<string, Seen>();
  const fresh: { readonly path: string; readonly rule: string; readonly message: string; isHarmless: boolean }[] = [];
  const state: { lost: string | null; work: Promise<void> } = { lost: null, work: Promise.resolve() };

  const onName = (name: NewName): void => {
    if (isKnown(name.path, known)) return;
    const rule = name.secret === undefined ? secrets(name.path, name.kind) : "enforce.same-file";
    if (rule === null || seen.has(name.path)) return;
    if (seen.size >= LIMITS.userEdits) return onLost(`more than ${LIMITS.userEdits} names to hide came to be`);
    seen.set(name.path, { path: name.path, rule, state: "waiting" });
    workspace.conceal?.([name.path]);
    fresh.push({ path: name.path, rule, message: "a name that policy hides came to be in your folder while the call ran; it is hidden now, and may have been read before", isHarmless: false });
    hideWaiting();
  };
  const onLost = (why: string): void => {
    if (state.lost !== null) return;
    state.lost = why;
    fresh.push({ path: "", rule: "enforce.user-edits-unseen", message: `your folder is no longer watched for new secrets: ${why}`, isHarmless: false });
  };
  const hideWaiting = (): void => {
    state.work = state.work.then(async () => {
      const waiting = [...seen.values()].filter((one) => one.state === "waiting");
      if (waiting.length === 0) return;
      const results = sandbox.hide === undefined ? [] : await sandbox.hide(waiting.map(({ path }) => path)).catch((): readonly HideResult[] => []);
      // No answer for a name counts as failed.
      waiting.forEach((one, index) => {
        // A name that is not there inside may come into sight later, so it goes on waiting.
        const result = results[index] ?? "failed";
        if (result !== "absent") one.state = result;
      });
    });
  };

  const folders = watch.listen({ onName, onLost }, enforced.protection.masked);
  const detail = state.lost === null ? `${count(folders, "folder")} watched for names that policy hides` : `your folder is not watched for new secrets: ${printable(state.lost)}`;
  if (state.lost !== null) fresh.length = 0;
  return {
    control: { id: "user-edits-watched", state: state.lost === null ? "configured" : "missing", detail },
    settle: async () => {
      await watch.settled();
      if ([...seen.values()].some((one) => one.state === "waiting")) hideWaiting();
      await state.work;
      const failed = [...seen.values()].find((one) => one.state === "failed");
      return failed === undefined ? null : `\`${printable(failed.path)}\` came to be in your folder, ${failed.rule} hides it, and it cannot be hidden from a sandbox that runs; start a new session`;
    },
    begin: () => {
      for (const one of fresh) one.isHarmless = one.path !== "";
    },
    take: () => fresh.splice(0).map(findingOf),
    stop: () => watch.stop(),
  };
}

/** Hidden from the start, or in a folder that is. */
function isKnown(path: string, known: ReadonlySet<string>): boolean {
  if (known.has(path)) return true;
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) if (known.has(path.slice(0, slash))) return true;
  return false;
}

function findingOf({ path, rule, message, isHarmless }: { readonly path: string; readonly rule: string; readonly message: string; readonly isHarmless: boolean }): Finding {
  const common = { rule, layer: "L2", path, operation: "create", reverted: false } as const;
  if (isHarmless) return { ...common, threats: [], message: "a name that policy hides came to be in your folder and was hidden before the call", risk: null };
  return { ...common, threats: ["maestro:L2/data-exfiltration"], message, risk: { severity: "medium", cvss: null, factors: {} } };
}
