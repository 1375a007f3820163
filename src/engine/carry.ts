// What a command leaves to the next: its text tells where it went, and a look at the folders it named tells whether it got there.

import type { CommandAction } from "../core/action/action.js";
import { isInside } from "../core/action/index.js";
import { evaluateArgv, evaluateShell, type Evaluation, type PathKind } from "../core/shell/index.js";
import { within } from "./deadline.js";
import type { LiveSession } from "./live.js";
import { inWorkspace } from "./perform.js";
import { carryOn, judgedEnvironment, type Surroundings } from "./surroundings.js";

/** Folders of the sandbox that no program can take away or replace: something is mounted there. */
const ALWAYS = ["/", "/tmp", "/var/tmp"];
/** Most folders looked at after one command. */
const LOOKS = 8;

type ReadText = (path: string) => string | null;

/**
 * Surroundings of the next call. Call after the changes of the command are settled. A `cd` counts where the folder is there
 * and no link; whatever cannot be told stays as it was before the command.
 */
export async function surroundingsAfter(live: LiveSession, action: CommandAction, evaluation: Evaluation, readText: ReadText): Promise<Surroundings> {
  const before = live.surroundings;
  if (evaluation.cwdAfter !== null || evaluation.opaque) return carryOn(before, evaluation);
  const named = new Set<string>();
  evaluate(live, action, readText, (path) => {
    named.add(path);
    return "unknown";
  });
  const kinds = new Map<string, PathKind>([live.options.defaults.root, live.options.defaults.home, ...ALWAYS].map((path) => [path, "directory"]));
  for (const path of [...named].filter((name) => !kinds.has(name)).slice(0, LOOKS)) kinds.set(path, await kindOf(live, path));
  return carryOn(before, evaluate(live, action, readText, (path) => kinds.get(path) ?? "unknown"));
}

function evaluate(live: LiveSession, { form }: CommandAction, readText: ReadText, exists: (path: string) => PathKind): Evaluation {
  const { root, home } = live.options.defaults;
  const { cwd } = live.surroundings;
  const { models } = live.options.policy;
  const context = { cwd, home, root, environment: judgedEnvironment(live.surroundings, live.options.defaults), environmentIsWhole: true, readText, exists, ...(models === undefined ? {} : { programs: models }) };
  return "shell" in form ? evaluateShell(form.shell, context) : evaluateArgv(form.argv, context);
}

async function kindOf(live: LiveSession, path: string): Promise<PathKind> {
  const { root } = live.options.defaults;
  const { filesMs } = live.deadlines;
  if (!isInside(path, root)) return "unknown";
  const read = await within(live.sandbox.readFile(inWorkspace(root, path), 0, AbortSignal.timeout(filesMs)), filesMs, "looking at a folder");
  if (read.ok || read.reason === "too-large") return "file";
  if (read.reason === "not-a-file") return "directory";
  return read.reason === "missing" ? "missing" : "unknown";
}
