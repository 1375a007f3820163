// Clients whose words tell whether they reach for another machine: version control beside git, name look-ups, `tftp`.

import { parseArguments } from "../arguments.js";
import { asksHelp, asksVersion } from "../asks.js";
import { touch } from "../files.js";
import { compile, type Model } from "../model.js";
import { MODELS } from "../models/index.js";
import { addConnect, connectTo, hostOf, isRemote } from "../net.js";
import { applyArguments, runsCode } from "../roles.js";
import { UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { exact, type Field } from "../value.js";

/** Version control: verbs that speak to a repository, and whether one that is named by a path of this machine keeps them here. */
interface Control {
  readonly verbs: ReadonlySet<string>;
  readonly model: Model;
}

const CONTROLS: ReadonlyMap<string, Control> = new Map(
  (
    [
      ["svn", "checkout co update up commit ci import switch sw relocate log list ls cat blame praise annotate ann lock unlock merge mergeinfo", "-r:t --revision:t -m:t --message:t -F:r --file:r --username:t --password:t --depth:t --set-depth:t --targets:r --config-dir:R --config-option:t -c:t --change:t --changelist:t --cl:t -l:t --limit:t"],
      ["hg", "clone pull push incoming in outgoing out fetch", "-R:R --repository:R --cwd:p -r:t --rev:t -b:t --branch:t -u:t --config:t -e:s --ssh:s --remotecmd:t -B:t"],
      ["bzr brz", "branch checkout co pull push update up missing send merge commit", "-r:t --revision:t -d:R --directory:R -m:t"],
      ["cvs", "checkout co update up commit ci login import export rdiff rlog history log annotate", "-d:t -r:t -D:t -m:t -z:t -e:s"],
      ["fossil", "clone sync pull push update remote-url", "-R:R --repository:R"],
      ["darcs", "clone get pull push send fetch", "--repodir:R"],
    ] as const
  ).flatMap(([names, verbs, options]) => {
    const control: Control = { verbs: new Set(verbs.split(" ")), model: compile("t*", options, "") };
    return names.split(" ").map((name): [string, Control] => [name, control]);
  }),
);

export const CONTROL_NAMES: readonly string[] = [...CONTROLS.keys()];

/** `svn`, `hg` and their kin: what is not told of them runs as code, as of any program. */
export function runControl(call: Call): Output {
  const control = CONTROLS.get(call.program);
  if (control === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), control.model);
  applyArguments(call, control.model, { ...parsed, uncertain: false });
  if (asksVersion(call.words) || asksHelp(call.words)) return UNKNOWN_OUTPUT;
  runsCode(call, "program", null);
  const [verb, ...places] = parsed.operands;
  const remote = places.filter((place) => isRemote(place) || place.text === null);
  for (const place of remote) {
    if (place.text !== null && !/^[a-z][a-z+.-]*:\/\//i.test(place.text)) connectTo(call, null, place.text);
    else addConnect(call, place);
  }
  // A path is another repository to those that have one in each folder; to `svn` and `cvs` it is a working copy of one elsewhere.
  const isHere = (call.program === "svn" || call.program === "cvs" ? /^file:\/\// : /^(?:\.{0,2}\/|file:\/\/|[\w.-]+\/[\w./-]*$)/).test(places[0]?.lead ?? "");
  if (remote.length === 0 && !isHere && verb !== undefined && (verb.text === null || control.verbs.has(verb.text))) connectTo(call, null, null);
  return UNKNOWN_OUTPUT;
}

/** `masscan`: of more than a thousand million addresses it wants an exclusion as a confirmation, and ends without one. */
export function runMasscan(call: Call): Output {
  const model = MODELS.get("masscan");
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  const names = parsed.options.map(({ name }) => name);
  const isConfirmed = names.some((name) => name.startsWith("--exclude") || name === "-c" || name === "--conf" || name === "--resume");
  if (!isConfirmed && !parsed.uncertain && parsed.operands.some(({ text }) => text !== null && /^\d+\.\d+\.\d+\.\d+\/[0-2]$/.test(text))) return UNKNOWN_OUTPUT;
  applyArguments(call, model, parsed);
  return UNKNOWN_OUTPUT;
}

/** `mail`, `mutt`: without an address they read a mailbox; on their input they take orders. */
export function runMail(call: Call): Output {
  const model = MODELS.get(call.program);
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  applyArguments(call, model, parsed);
  if (asksVersion(call.words) || asksHelp(call.words)) return UNKNOWN_OUTPUT;
  runsCode(call, "program", null);
  const { stdin } = call.frame;
  const given = stdin.text !== null || stdin.file !== null || stdin.upstream.length > 0;
  const isElsewhere = (value: Field | null): boolean => value !== null && (value.text === null || value.text.includes("://"));
  if (parsed.operands.length > 0 || parsed.uncertain || given || parsed.options.some(({ value }) => isElsewhere(value))) connectTo(call, null, null);
  return UNKNOWN_OUTPUT;
}

const GETENT = compile("t*", "-s:t --service:t -i --no-idn -A --no-addrconfig", "");

/** `getent hosts name` asks the resolver; its other lists lie here. */
export function runGetent(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), GETENT);
  const [list, ...names] = parsed.operands;
  if (list?.text === "shadow" || list?.text === "gshadow") touch(call, "read", exact(`/etc/${list.text}`), false);
  if (list === undefined || (list.text !== null && !/^(?:hosts|ahosts|ahostsv4|ahostsv6|networks)$/.test(list.text))) return UNKNOWN_OUTPUT;
  for (const name of names) connectTo(call, name.text === null ? null : hostOf(name.text, true), name.text);
  return UNKNOWN_OUTPUT;
}

/** `sshfs host:folder place`, `hydra host service`: without the second word they end before they connect. `hydra` also takes both in one, hosts from a file, or goes on. */
export function runTwoWords(call: Call): Output {
  const model = MODELS.get(call.program);
  if (model === undefined) return UNKNOWN_OUTPUT;
  const parsed = parseArguments(call.words.slice(1), model);
  applyArguments(call, model, parsed);
  runsCode(call, "program", null);
  const [target] = parsed.operands;
  const isOne = call.program === "hydra" && (target?.text?.includes("://") === true || parsed.options.some(({ name }) => name === "-M" || name === "-R"));
  if (parsed.operands.length > 1 || parsed.uncertain || isOne) connectTo(call, null, target?.text ?? null);
  return UNKNOWN_OUTPUT;
}

const TFTP = compile("t*", "-c:t!told -m:t -R:t -v -4 -6 -l", "stops");
/** What `tftp` sends something for. */
const TRANSFERS = new Set(["get", "put", "atftp"]);

/** `tftp host`: it only opens a prompt, and sends nothing before it is told to get or to put. */
export function runTftp(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), TFTP);
  const { stdin } = call.frame;
  const given = stdin.text !== null || stdin.file !== null || stdin.upstream.length > 0;
  const words = call.words.map(({ text }) => text);
  const at = words.indexOf("-c");
  const told = at >= 0 ? words[at + 1] : undefined;
  if (at >= 0 ? told === null || TRANSFERS.has(told ?? "") || told === "mode" : given || parsed.uncertain) {
    const [host] = parsed.operands;
    connectTo(call, host?.text == null ? null : hostOf(host.text, true), host?.text ?? null);
  }
  return UNKNOWN_OUTPUT;
}
