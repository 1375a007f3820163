// Exports of a session in which every text is hostile: each is well formed, says what the record says, and carries no text that acts.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/adapters/system/hasher.js";
import { reportedOf } from "../../../src/core/export/finding-list.js";
import { exportSession, EXPORT_FORMATS, type ExportFormat } from "../../../src/core/export/index.js";
import { epochMs } from "../../../src/core/export/epoch.js";
import { markdownText } from "../../../src/core/export/markdown.js";
import { uriOf } from "../../../src/core/export/sarif.js";
import type { Finding } from "../../../src/core/reconcile/index.js";
import type { JsonValue } from "../../../src/core/shared/index.js";
import { hostileTimeline } from "../../support/hostile-timeline.js";
import { addsUp, readAs } from "../../support/imports.js";

const timeline = hostileTimeline();
const count = timeline.steps.length;
const write = (format: ExportFormat): string => exportSession(timeline, format, { hash: sha256, version: "1.2.3", textsOf: ({ call }) => ({ arguments: null, output: `${call.label}\nsecond`, cut: 0 }) });
const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string }; readonly region: { readonly startLine: number } } }[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
}

describe("exports of a hostile session", () => {
  it("SARIF has what 2.1.0 requires of a log, a run, a rule and a result", () => {
    const log = JSON.parse(write("sarif")) as { readonly version: string; readonly $schema: string; readonly runs: readonly { readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] } }; readonly results: readonly SarifResult[]; readonly properties: { readonly witnessed: boolean } }[] };
    const [run] = log.runs;
    const rules = run?.tool.driver.rules ?? [];
    expect([log.version, log.runs.length, run?.tool.driver.name, run?.results.length, run?.properties.witnessed, new Set(rules.map(({ id }) => id)).size]).toEqual(["2.1.0", 1, "Ringfence", count, false, rules.length]);
    for (const result of run?.results ?? []) {
      expect(rules[result.ruleIndex]?.id).toBe(result.ruleId);
      expect(["error", "warning", "note", "none"]).toContain(result.level);
      expect(result.message.text).not.toBe("");
      const [place] = result.locations;
      // A relative reference of RFC 3986: no scheme, no host, no way up.
      expect(place?.physicalLocation.artifactLocation.uri).toMatch(/^(?!\/)(?:[\w.!~*'()-]|%[0-9A-F]{2}|\/)+$/u);
      expect(place?.physicalLocation.region.startLine).toBeGreaterThan(0);
      expect(Object.values(result.partialFingerprints)[0]).toMatch(/^[0-9a-f]{64}$/u);
    }
    expect(uriOf("../../etc//a b/ü?.js#x")).toBe("etc/a%20b/%C3%BC%3F.js%23x");
  });

  it("a finding says its fate: what held an attempt and who tells of it, and no place outside of the workspace", () => {
    const [step] = timeline.steps;
    if (step === undefined) throw new Error("a timeline without steps");
    const finding = { rule: "X.git-hooks", layer: "X", threats: [], message: "git runs the file", path: ".git/hooks/x", operation: "modify", reverted: true, risk: null } as const;
    const findings: readonly Finding[] = [{ ...finding, about: "attempt", held: { by: "read-only-mount", name: ".git/hooks", told: ["program"], error: "EROFS" } }, { ...finding, path: "/home/agent/.bashrc" }];
    const told = reportedOf({ ...timeline, steps: [{ ...step, decision: null, call: { ...step.call, findings } }] });
    expect(told.map(({ message, path, level }) => [message, path, level])).toEqual([
      ["git runs the file (change of .git/hooks/x: held by a read-only mount; only the program reported EROFS)", ".git/hooks/x", "warning"],
      ["git runs the file (undone)", null, "warning"],
    ]);
  });

  it("Markdown makes no tag, link, image, mention or column of a text", () => {
    const text = write("markdown");
    expect(text).not.toMatch(/<(?!\/?code)/u);
    expect(text.replace(/\\./gu, "")).not.toMatch(/[[\]@]|:\/\/|www\./u);
    const rows = text.split("\n").filter((line) => line.startsWith("|") && !line.includes("---"));
    expect(new Set(rows.map((row) => row.replace(/\\./gu, "").split("|").length))).toEqual(new Set([6, 7]));
    expect(markdownText("[a](http://x) @bob `c` | www.d **e**")).toBe("<code>\\[a\\]\\(http&#58;//x\\) &#64;bob \\`c\\` \\| www&#46;d \\*\\*e\\*\\*</code>");
  });

  it("JUnit has one case a call, and only its own tags", () => {
    const text = write("junit");
    expect(new Set([...text.matchAll(/<\/?([^\s/>]+)/gu)].map((match) => match[1]))).toEqual(new Set(["?xml", "testsuites", "testsuite", "properties", "property", "testcase", "failure", "system-out", "system-err"]));
    expect(text).toContain(`tests="${count}" failures="${count}" errors="0" time="`);
    // Attributes are quoted and hold no sign that ends one.
    expect(text.replace(/<[?/]?[a-z-]+(?:\s[a-z]+="[^"<>&]*(?:&(?:amp|lt|gt|quot|apos|#10|#9);[^"<>&]*)*")*\s*[/?]?>/gu, "")).not.toMatch(/[<>]/u);
  });

  it("ATIF is read again as it was written: the same calls with the same arguments and results", () => {
    const again = readAs("atif", [JSON.parse(write("atif")) as JsonValue]);
    expect([again.calls.length, again.tally.unanswered, again.version, addsUp(again)]).toEqual([count, 0, "1.4", true]);
    expect(again.calls.map((call) => call.arguments)).toEqual(timeline.steps.map(({ call }) => call.arguments));
  });

  it("asciicast is a head and events in the order of time, of text that steers no terminal", () => {
    const [head = "", ...events] = write("asciicast").trimEnd().split("\n");
    expect(JSON.parse(head)).toMatchObject({ version: 2, width: 120, height: 32 });
    let before = 0;
    for (const line of events) {
      const [at, kind, data] = JSON.parse(line) as [number, string, string];
      expect([at >= before, kind, STEERS.test(data.replaceAll("\r\n", "\n"))]).toEqual([true, "o", false]);
      before = at;
    }
    expect(events.length).toBeGreaterThan(count * 2);
  });

  it("OCSF has an event a call and a finding a rule, with the numbers of its classes", () => {
    const events = write("ocsf").trimEnd().split("\n").map((line) => JSON.parse(line) as { readonly class_uid: number; readonly category_uid: number; readonly activity_id: number; readonly type_uid: number; readonly time: number; readonly severity_id: number; readonly action_id?: number; readonly metadata: { readonly version: string; readonly product: { readonly name: string }; readonly labels: readonly string[] } });
    expect([events.filter((event) => event.class_uid === 2004).length, events.filter((event) => event.class_uid === 1007).length]).toEqual([count, count]);
    for (const event of events) {
      expect([event.type_uid, event.category_uid, event.metadata.version, event.metadata.labels, event.time > 1_700_000_000_000, event.severity_id]).toEqual([event.class_uid * 100 + event.activity_id, Math.floor(event.class_uid / 1000), "1.8.0", ["imported", "not witnessed"], true, 4]);
      // Nobody here stopped what a file claims.
      expect(event.action_id ?? 0).toBe(0);
    }
  });

  it("OCSF events have what its public schema requires of their class and objects, and say whose attributes they use", () => {
    // Per class: required attributes; constraints of the objects: one of these at least. `99` is Other, which wants its own word beside it.
    const required: Readonly<Record<number, readonly string[]>> = { 1001: ["actor", "device", "file"], 1007: ["actor", "device", "process"], 6003: ["actor", "api", "src_endpoint"], 2004: ["finding_info"] };
    const oneOf: Readonly<Record<string, readonly string[]>> = { process: ["pid", "uid", "cpid"], actor: ["process", "user", "invoked_by", "session", "app_name", "app_uid"], device: ["ip", "uid", "name", "hostname", "instance_uid", "interface_uid", "interface_name"], src_endpoint: ["ip", "uid", "name", "hostname", "svc_name", "instance_uid"] };
    const inObject: Readonly<Record<string, readonly string[]>> = { metadata: ["product", "version"], file: ["name", "type_id"], device: ["type_id"], api: ["operation"], finding_info: ["uid"] };
    const ofProfile: Readonly<Record<string, string>> = { action_id: "security_control", disposition_id: "security_control", device: "host" };
    const [first] = timeline.steps;
    if (first === undefined) throw new Error("a timeline without steps");
    const steps = ["command", "view", "edit", "submit"].map((kind) => ({ ...first, decision: first.decision === null ? null : { ...first.decision, action: { ...first.decision.action, kind } } }));
    const events = exportSession({ ...timeline, steps }, "ocsf", { hash: sha256, version: "1.2.3", textsOf: () => ({ arguments: null, output: "", cut: 0 }) }).trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, Record<string, unknown>> & { class_uid: number });
    expect([...new Set(events.map((event) => event.class_uid))].sort()).toEqual([1001, 1007, 2004, 6003]);
    const missing = events.flatMap((event) => {
      const own = ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid", ...(required[event.class_uid] ?? [])].filter((name) => !Object.hasOwn(event, name));
      const objects = Object.entries(inObject).flatMap(([name, keys]) => (event[name] === undefined ? [] : keys.filter((key) => !Object.hasOwn(event[name] ?? {}, key)).map((key) => `${name}.${key}`)));
      const bare = Object.entries(oneOf).flatMap(([name, keys]) => (event[name] === undefined || keys.some((key) => Object.hasOwn(event[name] ?? {}, key)) ? [] : [`${name}: none of ${keys.join(", ")}`]));
      const profiles = (event["metadata"]?.["profiles"] ?? []) as readonly string[];
      const unsaid = Object.entries(ofProfile).flatMap(([name, profile]) => (Object.hasOwn(event, name) && !profiles.includes(profile) ? [`${name} without ${profile}`] : []));
      return [...own, ...objects, ...bare, ...unsaid, ...(Number(event["activity_id"]) === 99 && !Object.hasOwn(event, "activity_name") ? ["activity_name"] : [])].map((name) => `${event.class_uid} ${name}`);
    });
    expect([...new Set(missing)]).toEqual([]);
  });

  it("ATIF keeps the rules that are published of it: steps in order from 1, times that are ISO 8601, results of calls of the same step", () => {
    const [first] = timeline.steps;
    if (first?.call.claimed === undefined) throw new Error("no claim");
    const at = (time: string) => ({ ...first, call: { ...first.call, claimed: { result: null, ...first.call.claimed, call: { ...first.call.claimed?.call, time } as never } } });
    const times = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123+02:00", "2026-01-01T00:00 <script>", "2026-13-41T99:99", "yesterday"];
    const document = JSON.parse(exportSession({ ...timeline, steps: [...timeline.steps, ...times.map(at)].map((step, index) => ({ ...step, number: index + 1 })) }, "atif", { hash: sha256, version: "1.2.3", textsOf: ({ call }) => ({ arguments: null, output: call.label, cut: 0 }) })) as { readonly agent: { readonly name: unknown; readonly version: unknown }; readonly steps: readonly { readonly step_id: number; readonly source: string; readonly timestamp?: string; readonly message: unknown; readonly tool_calls: readonly { readonly tool_call_id: string; readonly function_name: unknown; readonly arguments: unknown }[]; readonly observation?: { readonly results: readonly { readonly source_call_id: string }[] } }[] };
    expect([typeof document.agent.name, typeof document.agent.version]).toEqual(["string", "string"]);
    expect(document.steps.map(({ step_id: id }) => id)).toEqual(document.steps.map((_, index) => index + 1));
    for (const { source, message, tool_calls: calls, observation } of document.steps) {
      expect([source, typeof message, calls.map((call) => [typeof call.function_name, typeof call.arguments])]).toEqual(["agent", "string", [["string", "object"]]]);
      for (const result of observation?.results ?? []) expect(calls.map((call) => call.tool_call_id)).toContain(result.source_call_id);
    }
    expect(document.steps.slice(-5).map(({ timestamp }) => timestamp)).toEqual([times[0], times[1], undefined, undefined, undefined]);
  });

  it("OTLP is one trace with one span for the agent and one a call, ids and times in its form", () => {
    const request = JSON.parse(write("otel")) as { readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly { readonly traceId: string; readonly spanId: string; readonly parentSpanId?: string; readonly name: string; readonly startTimeUnixNano: string; readonly endTimeUnixNano: string; readonly status: { readonly code: number } }[] }[] }[] };
    const spans = request.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    const [agent, ...calls] = spans;
    expect([calls.length, new Set(spans.map((span) => span.traceId)).size, new Set(spans.map((span) => span.spanId)).size]).toEqual([count, 1, count + 1]);
    for (const span of spans) {
      expect([/^[0-9a-f]{32}$/u.test(span.traceId), /^[0-9a-f]{16}$/u.test(span.spanId), /^\d{19}$/u.test(span.startTimeUnixNano), BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano)]).toEqual([true, true, true, true]);
    }
    expect(calls.every((span) => span.parentSpanId === agent?.spanId && span.name.startsWith("execute_tool ") && span.status.code === 2)).toBe(true);
  });

  it("times are those of the calendar", () => {
    fc.assert(fc.property(fc.date({ min: new Date("1970-01-01T00:00:00Z"), max: new Date("9999-12-31T00:00:00Z"), noInvalidDate: true }), (date) => epochMs(date.toISOString()) === date.getTime()));
    expect([epochMs("yesterday"), epochMs("2026-01-01")]).toEqual([0, 0]);
  });

  it("no form lets a character through that steers a terminal or turns text round", () => {
    expect(EXPORT_FORMATS.filter((format) => STEERS.test(write(format)))).toEqual([]);
  });
});
