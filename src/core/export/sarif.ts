// SARIF 2.1.0 (OASIS): a session's refusals, questions and findings for tools that show results beside code.

import { count, printable, type Hasher } from "../shared/index.js";
import { titleOf, type Timeline } from "../replay/timeline.js";
import { reportedOf, type Reported } from "./finding-list.js";

/** Most results in one run; services take no more. */
const RESULTS = 5_000;
const TEXT = 1_000;
const LINE = /^line (\d{1,9})$/u;

/** The log as JSON text. */
export function sarifOf(timeline: Timeline, { version, hash }: { readonly version: string; readonly hash: Hasher }): string {
  const { state } = timeline;
  const all = reportedOf(timeline);
  const shown = all.slice(0, RESULTS);
  const rules = [...new Map(shown.map((one) => [one.rule, one]))];
  const index = new Map(rules.map(([rule], at) => [rule, at]));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "Ringfence", semanticVersion: version, rules: rules.map(([, one]) => ruleOf(one)) } },
        automationDetails: { id: `ringfence/${state.id}` },
        invocations: [{ executionSuccessful: true, ...(all.length > RESULTS ? { toolExecutionNotifications: [{ level: "warning", message: { text: `${count(all.length - RESULTS, "more result")} left out` } }] } : {}) }],
        results: shown.map((one) => resultOf(one, timeline, index.get(one.rule) ?? 0, hash)),
        properties: { session: state.id, policy: state.opened.policy.digest, witnessed: state.opened.imported === undefined, score: timeline.risk.live.score, band: timeline.risk.live.band },
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf({ rule, message, layer, threats, level }: Reported): object {
  return {
    id: printable(rule, 120),
    shortDescription: { text: printable(message, TEXT) },
    defaultConfiguration: { level },
    properties: { tags: ["security", ...(layer === null ? [] : [`maestro-layer/${layer}`]), ...threats.slice(0, 8).map((threat) => printable(threat, 120))] },
  };
}

function resultOf(one: Reported, timeline: Timeline, ruleIndex: number, hash: Hasher): object {
  const { step, rule, level } = one;
  const title = printable(titleOf(step), TEXT);
  return {
    ruleId: printable(rule, 120),
    ruleIndex,
    level,
    message: { text: `${printable(one.message, TEXT)}: ${title}${one.subject === "" ? "" : ` (${printable(one.subject, TEXT)})`}` },
    locations: [{ physicalLocation: placeOf(one, timeline), logicalLocations: [{ fullyQualifiedName: `${timeline.state.id}/${step.call.id}`, kind: "function" }] }],
    partialFingerprints: { "ringfenceCall/v1": hash(`${rule}\n${step.call.summary}\n${one.subject}`).slice("sha256:".length) },
    properties: { call: step.call.id, tool: printable(step.call.tool, 120), step: step.number, ...(step.after === null ? {} : { score: step.after.score }) },
  };
}

/** A file of the workspace; else the line of the imported file; else the record itself. */
function placeOf({ path, step }: Reported, { state }: Timeline): object {
  if (path !== null) return { artifactLocation: { uri: uriOf(path), uriBaseId: "%SRCROOT%" }, region: { startLine: 1 } };
  const { imported } = state.opened;
  if (imported === undefined) return { artifactLocation: { uri: `ringfence/${state.id}.jsonl` }, region: { startLine: 1 } };
  const line = Number(LINE.exec(step.call.claimed?.call.place ?? "")?.[1] ?? 1);
  return { artifactLocation: { uri: uriOf(imported.file.slice(imported.file.lastIndexOf("/") + 1)) }, region: { startLine: Math.max(1, line) } };
}

/** A relative reference: every sign that means something in an address is escaped, so that it stays a path below. */
export function uriOf(path: string): string {
  return printable(path, 4_096).split("/").filter((part) => part !== "" && part !== "." && part !== "..").map((part) => encodeURIComponent(part)).join("/");
}
