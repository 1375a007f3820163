// The page of a session: everything is text, only our own style and script are allowed, and what a reviewer needs is on it.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/adapters/system/hasher.js";
import { sessionPage, timelineOf, type Timeline } from "../../../src/core/replay/index.js";
import { escapeHtml, html } from "../../../src/core/replay/html.js";
import { HOSTILE } from "../../support/hostile.js";
import { OPENED, placed } from "../session/events.js";
import type { EventDraft } from "../../../src/core/session/index.js";

const digest = `sha256:${"0".repeat(64)}` as const;

function hostileTimeline(): Timeline {
  const calls = HOSTILE.flatMap((text, index): readonly EventDraft[] => {
    const call = `call_${String(index + 1).padStart(4, "0")}` as const;
    const reason = { rule: text, effect: "deny" as const, layer: "L3" as const, threats: [`maestro:${text}` as const], message: text, allowed: text, subject: text, at: null, risk: null };
    return [
      { call, type: "call.received", data: { label: text, role: text, tool: text, arguments: { [text]: text, old_str: text, new_str: text }, argumentsDigest: digest, claimed: { place: text, time: text, thought: text, cwd: text, sidechain: true } } },
      { call, type: "decision.made", data: { action: { kind: "command", summary: text, cwd: text, effects: 1 }, actionDigest: digest, effect: "deny", reasons: [reason], obligations: [], guidance: text, policyDigest: digest } },
      { call, type: "execution.imported", data: { ran: true, exitCode: 0, failed: false, durationMs: 1, output: { bytes: 9, dropped: 0, head: text, blob: null } } },
      { call, type: "call.closed", data: { outcome: "imported", exitCode: 0, observationDigest: null } },
    ];
  });
  const [text = ""] = HOSTILE;
  const opened: EventDraft = { call: null, type: "session.opened", data: { ...OPENED, source: "import", startedBy: text, agent: { name: text, model: text, endpoint: null, version: text, sampling: null }, workspace: { path: text, root: text }, policy: { digest, sources: [text], profile: text }, imported: { format: text, version: text, file: text, digest, bytes: 1, session: text, containment: "attested", home: text } } };
  const account: EventDraft = { call: null, type: "import.finished", data: { records: 1, kinds: { calls: 1, results: 0, messages: 0, metadata: 0 }, skipped: [{ reason: text, count: 1, places: [text] }], parts: [], calls: 1, unanswered: 0 } };
  const timeline = timelineOf(placed([opened, ...calls, account]));
  if (timeline === null) throw new Error("no timeline");
  return timeline;
}

describe("the page of a session", () => {
  const page = sessionPage(hostileTimeline(), { hash: sha256, product: "Ringfence 0", textsOf: ({ call }) => ({ arguments: null, output: call.label, cut: 3 }) });

  it("has the tags of its own templates and no other, whatever the session says", () => {
    const tags = new Set([...page.replace(/<(style|script)>[\s\S]*?<\/\1>/gu, "").matchAll(/<([a-z!/][a-z0-9]*)/giu)].map((match) => match[1]?.replace("/", "")));
    expect([...tags].sort()).toEqual(["!doctype", "a", "body", "button", "code", "dd", "details", "div", "dl", "dt", "footer", "h2", "head", "header", "html", "input", "kbd", "li", "main", "meta", "ol", "p", "pre", "rect", "section", "span", "strong", "summary", "svg", "table", "tbody", "td", "th", "thead", "title", "tr", "ul"]);
    expect([page.match(/<script/gu)?.length, page.match(/<\/script/gu)?.length, page.match(/<style/gu)?.length]).toEqual([1, 1, 1]);
    expect([...page.matchAll(/<[a-z][^>]*\son[a-z]+=/giu)]).toEqual([]);
    expect([...page.matchAll(/(?:href|src|action)="(?!#call_\d+")[^"]*"/gu)]).toEqual([]);
  });

  it("lets through nothing that steers a terminal or turns text round", () => {
    expect(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u.test(page)).toBe(false);
    expect(page).toContain("\\u{202e}");
  });

  it("allows its own script and style by their hash, and nothing else", () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/u.exec(page)?.[1] ?? "";
    const hashOf = (tag: string): string => createHash("sha256").update(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, "u").exec(page)?.[1] ?? "").digest("base64");
    expect(policy).toBe(`default-src 'none'; script-src 'sha256-${hashOf("script")}'; style-src 'sha256-${hashOf("style")}'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'`);
    expect(page.indexOf("Content-Security-Policy")).toBeLessThan(page.indexOf("<title>"));
  });

  it("says that nothing was witnessed, and shows verdicts, rules, the account of the file and each call", () => {
    for (const words of ["Imported, not witnessed.", "Rules that refused or asked", "Account of the file", 'id="call_0001"', "claims exit 0", "3 more characters are in the record"]) expect(page).toContain(words);
  });

  it("escapes by construction: a text in a template is a text, wherever it stands", () => {
    expect(html`<p title="${'"><b>'}">${["<i>", "&"].join("")}${null}${3}</p>`.markup).toBe('<p title="&quot;&gt;&lt;b&gt;">&lt;i&gt;&amp;3</p>');
    expect(escapeHtml("`'\u202e\ttab\n")).toBe("&#96;&#39;\\u{202e}\ttab\n");
  });
});
