// What the value of a variable makes other programs do: a command that they start when they show or edit something, a file that they
// write or read besides. Which program comes by does not matter: the variable stays for all that are started with it.

import { touch } from "./files.js";
import { deeper, type Call } from "./run.js";
import { fork } from "./state.js";
import { exact, type Field } from "./value.js";

/** Variables whose value is a command line, as git, less, man and others take it. */
const COMMANDS = new Set([
  "PAGER", "GIT_PAGER", "MANPAGER", "SYSTEMD_PAGER", "BAT_PAGER", "DELTA_PAGER", "GH_PAGER", "AWS_PAGER", "PSQL_PAGER", "EDITOR", "VISUAL", "FCEDIT", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR",
  "SVN_EDITOR", "HGEDITOR", "SUDO_EDITOR", "KUBE_EDITOR", "BROWSER", "GIT_SSH_COMMAND", "GIT_ASKPASS", "SSH_ASKPASS", "SUDO_ASKPASS", "GIT_EXTERNAL_DIFF", "RSYNC_RSH", "CVS_RSH",
]);
/** `less` runs these over each file; a bar in front says that their output is read. */
const FILTERS = new Set(["LESSOPEN", "LESSCLOSE"]);
/** Variables that name a file which is written; git takes an absolute path alone, and a number is a descriptor. */
const TRACES = /^GIT_TRACE2?(?:_[A-Z]+)*$/;
const WRITES = new Set(["NODE_REDIRECT_WARNINGS", "NODE_REPL_HISTORY", "NODE_V8_COVERAGE", "LESSHISTFILE", "SSLKEYLOGFILE", "PSQL_HISTORY", "SQLITE_HISTORY", "PYTHON_HISTORY", "MYSQL_HISTFILE"]);

/** Adds the effects that a variable's value has through the programs that look at it. */
export function applySetting({ run, state, frame }: Pick<Call, "run" | "state" | "frame">, name: string, value: Field | null, from: string): void {
  if (value === null || value.text === null || value.text === "") return;
  const call: Call = { run, state, frame, program: name, words: [], from };
  if (COMMANDS.has(name)) follow(call, value.text);
  else if (FILTERS.has(name)) follow(call, value.text.replace(/^\|{0,2}-?/, "").replace(/%[s%]/g, " "));
  else if (TRACES.test(name)) {
    if (value.text.startsWith("/")) touch(call, "write", value, false);
  } else if (WRITES.has(name)) {
    if (value.text !== "-" && value.text !== "/dev/null") touch(call, "write", value, name === "NODE_V8_COVERAGE");
  } else if (name === "NODE_OPTIONS") for (const [, file = ""] of value.text.matchAll(/--env-file(?:-if-exists)?[= ]\s*([^\s"]+)/g)) touch(call, "read", exact(file), false);
}

/** Evaluates a command line that is run later, in a shell of its own. */
function follow(call: Call, text: string): void {
  const inner = deeper(call.run, call.frame, call.from);
  if (inner !== null) call.run.runText(text, { ...fork(call.state), traps: [], ended: false }, { ...inner, leaving: null, loop: false, body: false, plain: true });
}
