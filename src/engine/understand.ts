// Step 2 of a call: from the tool call to the action that policy judges. A script of the workspace that a command runs is read
// and followed; what is judged is what lies there while no process of the agent is alive.

import type { Action, ToolCall } from "../core/action/action.js";
import { isInside, normalise } from "../core/action/index.js";
import { LIMITS, printable } from "../core/shared/index.js";
import { evaluateArgv, evaluateInput, evaluateShell, simpleWords, type Evaluation, type ShellContext } from "../core/shell/index.js";
import type { PolicySet } from "../core/policy/index.js";
import { breakSession, faultOf } from "./break-off.js";
import { within } from "./deadline.js";
import type { LiveSession } from "./live.js";
import { inWorkspace } from "./perform.js";
import { judgedEnvironment } from "./surroundings.js";

export interface Understood {
  readonly action: Action;
  /** What the command does to working directory and variables; null for other actions. */
  readonly evaluation: Evaluation | null;
  /** The text of a script that was followed; null for any other. */
  readonly readText: (path: string) => string | null;
}

/** Scripts that run scripts are followed so deep. */
const ROUNDS = 4;

/** The programs that a policy models, for evaluating commands under it. */
export function modelledBy(policy: PolicySet): Partial<Pick<ShellContext, "programs">> {
  return policy.models === undefined ? {} : { programs: policy.models };
}

/**
 * The action of a call. One past a limit is opaque. A command is evaluated for its effects and for what it carries on, once, and
 * again with the text of the scripts that it turns out to run. Throws GuardError, and breaks the session, when the sandbox fails.
 */
export async function understand(live: LiveSession, call: ToolCall, tooBig: string | null): Promise<Understood> {
  if (tooBig !== null) {
    const effects = [{ kind: "opaque-text", why: tooBig, from: printable(call.tool) }] as const;
    return { action: { kind: "opaque", tool: call.tool, why: tooBig, effects }, evaluation: null, readText: () => null };
  }
  const texts = new Map<string, string | null>();
  for (let round = 1; ; round += 1) {
    const asked = new Set<string>();
    const understood = evaluate(live, call, (path) => {
      asked.add(path);
      return texts.get(path) ?? null;
    });
    const unread = [...asked].filter((path) => !texts.has(path) && isInside(path, live.options.defaults.root)).slice(0, LIMITS.scripts - texts.size);
    if (round > ROUNDS || unread.length === 0) return { ...understood, readText: (path) => texts.get(path) ?? null };
    for (const path of unread) texts.set(path, await scriptText(live, path));
  }
}

function evaluate(live: LiveSession, call: ToolCall, readText: (path: string) => string | null): Pick<Understood, "action" | "evaluation"> {
  const { root, home } = live.options.defaults;
  const { cwd } = live.surroundings;
  const shell = shellOf(live, readText);
  let evaluation: Evaluation | null = null;
  const action = normalise(call, {
    root,
    home,
    cwd,
    evaluate: {
      shell: (text) => (evaluation = evaluateShell(text, shell)).effects,
      argv: (words) => (evaluation = evaluateArgv(words, shell)).effects,
      input: (name, text) => {
        const process = live.processes.all.get(name);
        // Nobody reads it: the call tells so. None can begin before the turn of this call is over.
        return process === undefined || process.end !== null ? [] : evaluateInput(process, text, { ...shell, cwd: process.cwd, environment: process.environment });
      },
    },
    split: simpleWords,
  });
  return { action, evaluation };
}

/** The surroundings that a command of a session is evaluated in. */
export function shellOf(live: LiveSession, readText: (path: string) => string | null): ShellContext {
  const { root, home } = live.options.defaults;
  return { cwd: live.surroundings.cwd, home, root, environment: judgedEnvironment(live.surroundings, live.options.defaults), environmentIsWhole: true, readText, ...modelledBy(live.options.policy) };
}

/** The text of a file of the workspace; null where there is none that could be followed. */
export async function scriptText(live: LiveSession, path: string): Promise<string | null> {
  const { filesMs, graceMs } = live.deadlines;
  try {
    const work = live.sandbox.readFile(inWorkspace(live.options.defaults.root, path), LIMITS.scriptBytes, AbortSignal.timeout(filesMs));
    const read = await within(work, filesMs + graceMs, "looking at a script");
    return read.ok ? new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(read.content) : null;
  } catch (error) {
    const fault = faultOf(error, "a script could not be looked at");
    await breakSession(live, fault.message);
    throw fault;
  }
}
