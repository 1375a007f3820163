// Programs that start another program named in their own words. The inner command is judged as if it stood alone.

import { addEnvironment } from "../assign.js";
import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
import { compile, type Model } from "../model.js";
import { applyArguments, inFolder, runShellText, runsCode } from "../roles.js";
import { addOpaque, deeper, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { applySetting } from "../settings.js";
import { fork } from "../state.js";
import { dropPrefix, exact, UNKNOWN, type Field } from "../value.js";

/** A wrapper: how many operands come before the command, and its options. */
interface Wrapper {
  readonly before: number;
  readonly model: Model;
  /** `NAME=value` words may precede the command. */
  readonly assignments: boolean;
  /** Without a command it starts a shell that reads standard input. */
  readonly shell: boolean;
  /** Connects to a place of its own. */
  readonly root: boolean;
}

type Row = readonly [names: string, before: number, options?: string, traits?: string];

const ROWS: readonly Row[] = [
  ["nohup", 0, ""],
  ["setsid", 0, "-c --ctty -f --fork -w --wait"],
  ["time gtime ltrace", 0, "-f:t --format:t -o:w --output:w -e:t -p:t -s:t"],
  ["nice", 0, "-n:t --adjustment:t"],
  ["chrt", 1, "-T:t -P:t -D:t"],
  ["ionice", 0, "-c:t --class:t -n:t --classdata:t -p:t -P:t -u:t -T:t -D:t"],
  ["taskset", 1, "-p -c"],
  ["timeout gtimeout", 1, "-k:t --kill-after:t -s:t --signal:t"],
  ["stdbuf", 0, "-i:t --input:t -o:t --output:t -e:t --error:t"],
  ["sudo", 0, "-u:t --user:t -g:t --group:t -h:t --host:t -p:t --prompt:t -C:t --close-from:t -r:t --role:t -t:t --type:t -T:t --command-timeout:t -U:t --other-user:t -D:p --chdir:p -R:t --chroot:t -s!shell -i!shell --shell!shell --login!shell -e!edit --edit!edit", "assignments"],
  ["doas", 0, "-u:t -C:r -a:t -s!shell", "assignments"],
  ["pkexec runuser", 0, "-u:t --user:t -g:t --group:t -c:s --command:s -s:t --shell:t"],
  ["chroot", 1, "--userspec:t --groups:t", "shell root"],
  ["unshare", 0, "-S:t --setuid:t -G:t --setgid:t -R:t --root:t -w:t --wd:t --propagation:t --map-user:t --map-group:t --setgroups:t --boottime:t --monotonic:t", "shell root"],
  ["nsenter", 0, "-t:t --target:t -S:t --setuid:t -G:t --setgid:t", "shell root"],
  ["choom cpulimit uclampset chpst softlimit setuidgid ifne", 0, "-n:t -l:t -m:t -M:t -u:t -U:t -e:t -d:t -o:t -p:t -f:t -c:t -r:t -t:t -s:t -a"],
  ["lckdo setlock envdir", 1, "-w -W:t -s -x -X -n -N -q"],
  ["numactl", 0, "-i:t --interleave:t -p:t --preferred:t -C:t --physcpubind:t -N:t --cpunodebind:t -m:t --membind:t"],
  ["setpriv capsh prlimit setarch linux32 linux64 i386 x86_64 cgexec", 0, "--reuid:t --regid:t --groups:t --inh-caps:t --ambient-caps:t --bounding-set:t --securebits:t --selinux-label:t --apparmor-profile:t --pdeathsig:t -g:t -c:s"],
  ["strace", 0, "-o:w --output:w -e:t --trace:t -p:t --attach:t -s:t -E:v --env:v -u:t -a:t -b:t -I:t -O:t -S:t -U:t -X:t -P:t"],
  ["sg", 1, "-c:s --command:s"],
  ["flock", 1, "-w:t --wait:t --timeout:t -E:t --conflict-exit-code:t -c:s --command:s"],
  ["watch", 0, "-n:t --interval:t -q:t --equexit:t", "text"],
  ["faketime fakeroot fakechroot proot catchsegv eatmydata unbuffer xvfb-run dbus-run-session dbus-launch torsocks proxychains proxychains4 tsocks firejail bwrap rlwrap ccache sccache distcc chronic daemonize caffeinate gdbserver heaptrack valgrind systemd-inhibit aoss padsp", 0, "-r:t -R:t -w:t -b:t -n:t -e:t -s:t -a:t -f:t --bind:t --ro-bind:t"],
  ["systemd-run", 0, "-p:t --property:t -u:t --unit:t --description:t --slice:t -E:v --setenv:v --uid:t --gid:t --on-active:t --on-calendar:t --working-directory:p -M:t --machine:t -H:t --host:t", "daemon"],
  ["start-stop-daemon", 0, "-x:t --exec:t -p:t --pidfile:t -u:t --user:t -c:t --chuid:t -d:p --chdir:p", "daemon"],
  ["busybox toybox", 0, ""],
  ["ld.so ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 ld-linux.so.2 ld-musl-x86_64.so.1 ld-musl-aarch64.so.1", 0, "--library-path:t --preload:x --audit:x --argv0:t --inhibit-rpath:t --glibc-hwcaps-prepend:t"],
  ["entr", 0, ""],
];

const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map(
  ROWS.flatMap(([names, before, options = "", traits = ""]) => {
    const wrapper: Wrapper = {
      before,
      model: compile("t*", options, "stops"),
      assignments: traits.includes("assignments"),
      shell: traits.includes("shell"),
      root: traits.includes("root"),
    };
    return names.split(" ").map((name): [string, Wrapper] => [name, wrapper]);
  }),
);

export const WRAPPER_NAMES: readonly string[] = [...WRAPPERS.keys()];

/** Runs the rest of a wrapper's words as a command, one level deeper. Functions and builtins are not seen by programs. */
export function runInner(call: Call, words: readonly Field[]): Output {
  const inner = deeper(call.run, call.frame, call.from);
  if (inner === null) return UNKNOWN_OUTPUT;
  const state = fork(call.state);
  state.aliases = new Map();
  return call.run.runWords(words, state, inner, call.from, "programs");
}

/** Tells whether a word before the wrapped command may really be several, so that the command cannot be told. */
function hidesCommand(words: readonly Field[]): boolean {
  return words.some((word) => word.many && word.glob === null);
}

/** All wrappers that only need their table row. */
export function runWrapper(call: Call): Output {
  const wrapper = WRAPPERS.get(call.program);
  if (wrapper === undefined) return UNKNOWN_OUTPUT;
  const words = call.words.slice(1);
  const parsed = parseArguments(words, wrapper.model);
  applyArguments(call, wrapper.model, parsed);
  // `strace` and `ltrace` give what they write to a command where the name begins with a bar.
  if (call.program === "strace") for (const { name, value } of parsed.options) if ((name === "-o" || name === "--output") && value?.text != null && /^[|!]/.test(value.text)) runShellText(call, exact(value.text.slice(1)));
  if (hidesCommand(words.slice(0, parsed.firstOperand + wrapper.before))) addOpaque(call.run, `what \`${call.program}\` runs cannot be told`, call.from);
  if (parsed.marks.has("edit")) for (const file of parsed.operands) touch(call, "write", file, false);
  if (parsed.marks.has("edit")) return UNKNOWN_OUTPUT;
  let rest: readonly Field[] = parsed.operands.slice(wrapper.before);
  if (wrapper.before > 0 && call.program === "flock" && parsed.operands[0] !== undefined) touch(call, "create", parsed.operands[0], false);
  if (call.program === "flock" && (rest[0]?.text === "-c" || rest[0]?.text === "--command") && rest[1] !== undefined) {
    runShellText(call, rest[1]);
    return UNKNOWN_OUTPUT;
  }
  rest = skipAssignments(call, rest, wrapper.assignments);
  if (call.program === "sg" && rest[0] !== undefined) {
    runShellText(call, rest[0].text === "-c" ? (rest[1] ?? UNKNOWN) : rest[0]);
    return UNKNOWN_OUTPUT;
  }
  if (call.program === "capsh" && words.some(({ text }) => text === "--" || text === "==")) return runInner(call, [exact("bash"), ...rest]);
  const daemon = call.program === "start-stop-daemon" ? parsed.options.find(({ name }) => name === "-x" || name === "--exec" || name === "-a" || name === "--startas")?.value : null;
  if (daemon != null) return runInner(call, [daemon, ...rest]);
  if (wrapper.root) addOpaqueRoot(call, parsed.operands[0]);
  if (rest.length === 0) {
    if (wrapper.shell || parsed.marks.has("shell")) runsCode(call, "stdin", null);
    return UNKNOWN_OUTPUT;
  }
  if (call.program === "watch") {
    const text = rest.map((word) => word.text);
    runShellText(call, text.includes(null) ? UNKNOWN : exact(text.join(" ")));
    return UNKNOWN_OUTPUT;
  }
  const folder = parsed.options.find((option) => option.role === "p")?.value ?? null;
  if (parsed.uncertain && rest === parsed.operands && rest[0]?.text === null) addOpaque(call.run, `what \`${call.program}\` runs cannot be told`, call.from);
  return runInner(folder === null ? call : inFolder(call, folder), rest);
}

/** Behind another root or namespace a path means another file. */
function addOpaqueRoot(call: Call, root: Field | undefined): void {
  if (call.program === "chroot" && root?.text === "/") return;
  runsCode(call, "program", null);
}

function skipAssignments(call: Call, words: readonly Field[], allowed: boolean): readonly Field[] {
  let i = 0;
  while (allowed && i < words.length) {
    const word = words[i];
    const at = word?.lead.indexOf("=") ?? -1;
    if (word === undefined || at <= 0 || !/^[A-Za-z_]\w*$/.test(word.lead.slice(0, at))) break;
    const value = dropPrefix(word, word.lead.slice(0, at + 1)) ?? UNKNOWN;
    addEnvironment(call.run, word.lead.slice(0, at), value, call.from);
    applySetting(call, word.lead.slice(0, at), value, call.from);
    i += 1;
  }
  return words.slice(i);
}

const ENV = compile("t*", "-u:t --unset:t -C:p --chdir:p -S:t --split-string:t -i -0 --null -v --block-signal?:t --default-signal?:t --ignore-signal?:t -a:t --argv0:t", "stops");

/** `env`: variables, `-C`, `-S`, then a command. */
export function runEnv(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), ENV);
  let operands = parsed.operands;
  for (const option of parsed.options) {
    if (option.name !== "-S" && option.name !== "--split-string") continue;
    const split = option.value?.text ?? null;
    if (split === null || /[\\'"$#]/.test(split)) {
      addOpaque(call.run, "`env -S` with text that cannot be split with certainty", call.from);
      return UNKNOWN_OUTPUT;
    }
    operands = [...split.split(/[ \t\n]+/).filter((word) => word !== "").map(exact), ...operands];
  }
  if (operands !== parsed.operands && operands[0]?.text?.startsWith("-") === true) return runEnv({ ...call, words: [exact("env"), ...operands] });
  const state = fork(call.state);
  const inner: Call = { ...call, state };
  let i = 0;
  for (; i < operands.length; i += 1) {
    const word = operands[i];
    const at = word?.lead.indexOf("=") ?? -1;
    if (word === undefined || at < 0 || word.text === "-") {
      if (word?.text === "-") continue;
      break;
    }
    const name = word.lead.slice(0, at);
    const value = dropPrefix(word, word.lead.slice(0, at + 1)) ?? UNKNOWN;
    addEnvironment(call.run, name, value, call.from);
    applySetting(inner, name, value, call.from);
    state.variables.set(name, { value, list: null, exported: true });
  }
  const rest = operands.slice(i);
  if (rest.length === 0) return UNKNOWN_OUTPUT;
  if (rest[0]?.text === null) addOpaque(call.run, "what `env` runs cannot be told", call.from);
  const folder = parsed.options.find((option) => option.role === "p")?.value ?? null;
  const output = runInner(folder === null ? inner : inFolder(inner, folder), rest);
  return output;
}

const SU = compile("t*", "-c:t --command:t --session-command:t -s:t --shell:t -g:t --group:t -G:t --supp-group:t -w:t -l -m -p", "");

/** `su`: `-c text` in any place. */
export function runSu(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), SU);
  let ran = false;
  for (const option of parsed.options) {
    if (option.name !== "-c" && option.name !== "--command" && option.name !== "--session-command") continue;
    if (option.value !== null) runShellText(call, option.value);
    ran = true;
  }
  if (!ran) runsCode(call, "stdin", null);
  return UNKNOWN_OUTPUT;
}

const SCRIPT = compile("w", "-c:s --command:s -I:w --log-in:w -O:w --log-out:w -B:w --log-io:w -T:w --log-timing:w -t?:t -m:t -E:t -o:t", "");

/** `script -c text file`. */
export function runScriptCommand(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), SCRIPT);
  applyArguments(call, SCRIPT, parsed);
  if (parsed.operands.length === 0) touch(call, "write", exact("typescript"), false);
  if (!parsed.options.some((option) => option.role === "s")) runsCode(call, "stdin", null);
  return UNKNOWN_OUTPUT;
}
