// One call of a record judged again: the same way from words to action to decision as for a live call, without anything to look at.
// What the record does not hold stays unknown, and is named.

import { isInside, normalise, type Action, type NormaliseContext, type ToolCall } from "../action/index.js";
import { foldCall, type ImportFormat } from "../import/index.js";
import { decide, type Decision, type DecisionContext, type PolicySet } from "../policy/index.js";
import { evaluateArgv, evaluateShell, sessionEnvironment, simpleWords, type Evaluation, type ShellContext } from "../shell/index.js";

/** What holds for all calls of a session. */
export interface ReplayWorld {
  readonly policy: PolicySet;
  readonly root: string;
  readonly home: string;
  readonly containment: DecisionContext["containment"];
  /** The format the calls are of; null for calls of our own. */
  readonly format: ImportFormat | null;
}

/** Where a call stands: folder, and variables that earlier calls exported. */
export interface ShellPlace {
  readonly cwd: string;
  readonly carried: ReadonlyMap<string, string>;
}

export interface JudgedAgain {
  readonly action: Action;
  readonly decision: Decision;
  /** The folder the action was judged in. */
  readonly cwd: string;
  /** Where the next call stands, if the shell goes on. */
  readonly after: ShellPlace;
  /** Scripts of the workspace that it runs and whose text is not on record. */
  readonly unseen: readonly string[];
}

const MAX_CARRIED = 256;
const NOTHING_KNOWN: ReadonlyMap<string, string> = new Map();

/** Judges a call. Null: it only carries a thought. Never throws. */
export function judgeAgain(call: ToolCall, place: ShellPlace, world: ReplayWorld, history: DecisionContext["history"]): JudgedAgain | null {
  const { policy, root, home, containment, format } = world;
  const isWhole = containment !== "none";
  const unseen: string[] = [];
  const ended: { evaluation: Evaluation | null } = { evaluation: null };
  const shellAt = (cwd: string): ShellContext => ({
    cwd,
    home,
    root,
    environment: isWhole ? sessionEnvironment({ home, cwd }, place.carried) : NOTHING_KNOWN,
    environmentIsWhole: isWhole,
    readText: (path) => {
      if (isInside(path, root) && unseen.length < 16) unseen.push(path);
      return null;
    },
    ...(policy.models === undefined ? {} : { programs: policy.models }),
  });
  const context: NormaliseContext = {
    root,
    home,
    cwd: place.cwd,
    evaluate: {
      shell: (text, at) => (ended.evaluation = evaluateShell(text, shellAt(at.cwd))).effects,
      argv: (words, at) => (ended.evaluation = evaluateArgv(words, shellAt(at.cwd))).effects,
    },
    split: simpleWords,
  };
  const folded = format === null ? { action: normalise(call, context), cwd: place.cwd } : foldCall(call, context);
  if (folded === null) return null;
  const { action, cwd } = folded;
  const decision = decide(policy, action, { role: call.role, root, cwd, home, containment, ...(history === undefined ? {} : { history }) });
  return { action, decision, cwd, after: placeAfter(place, action, ended.evaluation), unseen };
}

/** What cannot be told stays as it was. */
function placeAfter(before: ShellPlace, action: Action, evaluation: Evaluation | null): ShellPlace {
  if (action.kind !== "command" || evaluation === null) return before;
  if (evaluation.cwdAfter === before.cwd && evaluation.environmentAfter.size === 0) return before;
  const carried = new Map(before.carried);
  for (const [name, value] of evaluation.environmentAfter) {
    if (value === null) carried.delete(name);
    else if (carried.size < MAX_CARRIED || carried.has(name)) carried.set(name, value);
  }
  return { cwd: evaluation.cwdAfter ?? before.cwd, carried };
}

/** The home folder that a folder of somebody's suggests; `root`'s own where nothing does. */
export function homeOf(root: string): string {
  return /^\/(?:home|Users)\/[^/]+(?=\/|$)/u.exec(root)?.[0] ?? "/root";
}
