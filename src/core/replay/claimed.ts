// An imported session made again: its calls as calls of our own, and what came of each held against what the file claims. Pure. What a file
// does not tell is not compared, and said.

import { isInside, normalisePath } from "../action/index.js";
import { keepsShell, printedOutput, sameCall, shownOutput, type Again, type ImportFormat } from "../import/index.js";
import type { AuditEvent, EventData } from "../session/index.js";
import { printable, type CallId, type JsonObject } from "../shared/index.js";
import type { CallFacts, CallTexts, Divergence } from "./diverge.js";
import type { Repeat } from "./repeat.js";
import { settleText } from "./settle-text.js";

const REDACTED = "[redacted:";
const MOVES = /(?:^|[\s;&|(])(?:cd|pushd|popd)(?:\s|$)/u;

/** What the file says came of a call; null where it has no result. */
export type Claim = EventData["execution.imported"] | null;

/**
 * The calls of an imported session, in order. Each stands in the folder that the file tells or that followed: where ours would stand
 * elsewhere, it is gone to first.
 */
export function repeatImported(events: readonly AuditEvent[], format: ImportFormat, root: string, argumentsOf: (received: EventData["call.received"]) => JsonObject | null): readonly Repeat[] {
  const summaries = new Map<CallId, string>();
  const claims = claimsOf(events);
  for (const event of events) if (event.type === "decision.made" && event.call !== null) summaries.set(event.call, event.data.action.summary);
  const out: Repeat[] = [];
  // By words of its own; by ours, after which no shell stands where the file says without them.
  let hasMoved = false;
  let hasGone = false;
  for (const event of events) {
    if (event.type !== "call.received" || event.call === null) continue;
    const { call: id, data } = event;
    const summary = summaries.get(id) ?? printable(data.tool, 60);
    const unrepeatable = (why: string): Repeat => ({ what: "unrepeatable", id, summary, why });
    const values = data.argumentsBlob === undefined ? data.arguments : argumentsOf(data);
    if (values === null) out.push(unrepeatable("its arguments are not on record"));
    else if (claims.get(id)?.ran === false) out.push(unrepeatable("the file says that it did not run"));
    else if (JSON.stringify(values).includes(REDACTED)) out.push(unrepeatable("a secret was taken out of its arguments"));
    else {
      const same = sameCall({ tool: data.tool, arguments: values });
      if (!same.ok) {
        out.push(unrepeatable(same.why));
        continue;
      }
      const { path } = same.arguments;
      if (same.tool === "str_replace_editor" && typeof path === "string" && !isInside(normalisePath(path, root) ?? "/", root)) {
        out.push(unrepeatable(`its file is outside \`${printable(root, 100)}\`, where the editor here does not go`));
        continue;
      }
      const text = textOf(same);
      const cwd = data.claimed?.cwd ?? root;
      const goesFirst: boolean = text !== null && (cwd !== root || hasGone || (hasMoved && !keepsShell(format)));
      hasGone ||= goesFirst;
      hasMoved ||= same.tool === "bash" && text !== null && MOVES.test(text);
      const [tool, args] = goesFirst ? ["bash", { command: `cd -- ${quoted(cwd)} || exit 1\n${text}` }] : [same.tool, same.arguments];
      out.push({ what: "call", id, summary, call: { id: data.label, role: data.role, tool }, received: { ...data, arguments: args } });
    }
  }
  return out;
}

/** A command as text of a shell; null for a call that is none. */
function textOf({ tool, arguments: values }: Extract<Again, { ok: true }>): string | null {
  const { command, argv } = values;
  if (tool === "bash") return typeof command === "string" ? command : null;
  return tool === "exec" && Array.isArray(argv) ? argv.map((word) => quoted(String(word))).join(" ") : null;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What the file claims, by call. */
export function claimsOf(events: readonly AuditEvent[]): ReadonlyMap<CallId, EventData["execution.imported"]> {
  return new Map(events.flatMap((event) => (event.type === "execution.imported" && event.call !== null ? [[event.call, event.data] as const] : [])));
}

/** What of a call was held against the file. */
export interface ClaimCompared {
  readonly divergence: Divergence | null;
  readonly compared: readonly ("decision" | "exit" | "output")[];
}

const SHOWN = 200;

/**
 * Holds a call against what the file claims of it. Files that it changed are not in the file.
 * @param output the claimed output in full; null where the two tools do not print the same, as editors do not
 */
export function claimDivergence(recorded: CallFacts, claim: Claim, output: string | null, rerun: { readonly format: ImportFormat; readonly facts: CallFacts; readonly texts: CallTexts }): ClaimCompared {
  const { format, facts, texts } = rerun;
  const found = (compared: ClaimCompared["compared"], divergence: Divergence | null): ClaimCompared => ({ compared, divergence });
  const isRefused = facts.outcome === "denied" || facts.outcome === "rejected";
  if (isRefused && claim !== null) return found(["decision"], { kind: "decision", why: "it ran there, as the file claims, and policy does not let it run here", recorded: "it ran", rerun: word(facts) });
  if (recorded.effect !== facts.effect) return found(["decision"], { kind: "decision", why: "policy says otherwise", recorded: word(recorded), rerun: word(facts) });
  const { execution } = facts;
  if (claim === null) return found(["decision"], { kind: "unknown", why: "the file has no result of it", recorded: null, rerun: null });
  if (execution === null) {
    const hasFailed = facts.outcome === "failed";
    if (claim.failed === null || facts.outcome === null) return found(["decision"], null);
    return found(["decision", "exit"], claim.failed === hasFailed ? null : { kind: "exit", why: "the call ended otherwise", recorded: claim.failed ? "a failure" : "success", rerun: hasFailed ? "a failure" : "success" });
  }
  const code = execution.ended === "exit" ? execution.exitCode : null;
  const ended = execution.ended === "exit" ? `exit ${String(execution.exitCode ?? printable(execution.signal ?? "?", 20))}` : execution.ended;
  if (claim.exitCode !== null && claim.exitCode !== code) return found(["decision", "exit"], { kind: "exit", why: "the command ended otherwise", recorded: `exit ${claim.exitCode}`, rerun: ended });
  if (claim.exitCode === null && claim.failed !== null && claim.failed !== (code !== 0)) return found(["decision", "exit"], { kind: "exit", why: "the command ended otherwise", recorded: claim.failed ? "a failure" : "success", rerun: ended });
  const exit = claim.exitCode !== null || claim.failed !== null ? (["decision", "exit"] as const) : (["decision"] as const);
  const printed = output === null || claim.output.dropped > 0 || isPart(output) ? null : printedOutput(format, output);
  if (printed === null) return found(exit, null);
  const differs = outputDiffers(shownOutput(format, printed), shownOutput(format, texts.stdout), texts.stderr);
  return found([...exit, "output"], differs);
}

/** Agents cut what is long, each in its own words. */
function isPart(output: string): boolean {
  return output.length >= 2_000 && /\b(?:elided|truncated|omitted|too long)\b/iu.test(output);
}

function word({ effect, rules }: CallFacts): string {
  return printable(`${effect ?? "no decision"}${rules.length === 0 || effect === "allow" ? "" : ` by ${rules.join(", ")}`}`, SHOWN);
}

/** A file has one text for both streams. Where both said something, their order is not known, and the lines are compared without it. */
function outputDiffers(claimed: string, stdout: string, stderr: string): Divergence | null {
  const linesOf = (text: string): readonly string[] => settleText(text).split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const isMixed = stdout !== "" && stderr !== "";
  const order = (lines: readonly string[]): readonly string[] => (isMixed ? [...lines].sort() : lines);
  const [left, right] = [order(linesOf(claimed)), order(linesOf(`${stdout}${stdout === "" || stdout.endsWith("\n") ? "" : "\n"}${stderr}`))];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    if (left[at] === right[at]) continue;
    const shown = (line: string | undefined): string | null => (line === undefined ? null : printable(line, SHOWN));
    return { kind: "output", why: `${isMixed ? "a line" : `line ${at + 1}`} of the output differs, blank ones not counted`, recorded: shown(left[at]), rerun: shown(right[at]) };
  }
  return null;
}
