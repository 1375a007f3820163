// Which module holds which command. A module is read when its command is named; all of them for help and completion.

import type { Command } from "commander";
import type { CliContext } from "./main.js";

/** Adds the commands of one module to the program. */
export type Register = (program: Command, context: CliContext) => void;

interface CommandModule {
  /** The words that name its commands. */
  readonly names: readonly string[];
  readonly load: () => Promise<Register>;
}

/** In the order in which help lists them. */
const MODULES: readonly CommandModule[] = [
  { names: ["exec"], load: async () => (await import("./commands/exec.js")).registerExec },
  { names: ["shell"], load: async () => (await import("./commands/shell.js")).registerShell },
  { names: ["run"], load: async () => (await import("./commands/run.js")).registerRun },
  { names: ["demo"], load: async () => (await import("./commands/demo.js")).registerDemo },
  { names: ["sessions", "show"], load: async () => (await import("./commands/sessions.js")).registerSessions },
  { names: ["pause", "resume"], load: async () => (await import("./commands/pause.js")).registerPause },
  { names: ["process"], load: async () => (await import("./commands/process.js")).registerProcess },
  { names: ["diff", "apply", "undo", "discard"], load: async () => (await import("./commands/review.js")).registerReview },
  { names: ["import"], load: async () => (await import("./commands/import.js")).registerImport },
  { names: ["replay"], load: async () => (await import("./commands/replay.js")).registerReplay },
  { names: ["export"], load: async () => (await import("./commands/export.js")).registerExport },
  { names: ["bundle"], load: async () => (await import("./commands/bundle.js")).registerBundle },
  { names: ["policy"], load: async () => (await import("./commands/policy.js")).registerPolicy },
  { names: ["log"], load: async () => (await import("./commands/log.js")).registerLog },
  { names: ["score"], load: async () => (await import("./commands/score.js")).registerScore },
  { names: ["aivss"], load: async () => (await import("./commands/aivss.js")).registerAivss },
  { names: ["sandbox"], load: async () => (await import("./commands/sandbox.js")).registerSandbox },
  { names: ["image"], load: async () => (await import("./commands/image.js")).registerImage },
  { names: ["doctor"], load: async () => (await import("./commands/doctor.js")).registerDoctor },
  { names: ["completion"], load: async () => (await import("./commands/completion.js")).registerCompletion },
];

/** Headings in help, and the commands below each. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  "Run, guarded:": ["exec", "shell", "run", "demo"],
  "What runs and ran:": ["sessions", "show", "pause", "resume", "process"],
  "What it changed:": ["diff", "apply", "undo", "discard"],
  "Evidence:": ["log", "replay", "import", "export", "bundle"],
  "Policy and risk:": ["policy", "score", "aivss", "sandbox"],
  "Installation:": ["image", "doctor", "completion", "help"],
};

/** Commands that describe all the others. */
const WHOLE: ReadonlySet<string> = new Set(["completion"]);

/**
 * What the words of a command line need: the module of the command they name, or all when they name none that is known, so that
 * help, suggestions and refusals know every command. Options before the name take no value.
 */
export async function registersFor(words: readonly string[]): Promise<readonly Register[]> {
  const at = words.findIndex((word) => !word.startsWith("-"));
  const named = words[at];
  const helpFirst = words.slice(0, at).some((word) => word === "--help" || word === "-h");
  const one = named === undefined || helpFirst || WHOLE.has(named) ? undefined : MODULES.find(({ names }) => names.includes(named));
  return Promise.all((one === undefined ? MODULES : [one]).map(({ load }) => load()));
}
