// The page of a session: everything is text, only our own style and script are allowed, and what a reviewer needs is on it.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/adapters/system/hasher.js";
import { sessionPage } from "../../../src/core/replay/index.js";
import { escapeHtml, html } from "../../../src/core/replay/html.js";
import { hostileTimeline } from "../../support/hostile-timeline.js";

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
    for (const words of ["Imported, not witnessed.", "Rules that refused or asked", "Account of the file", 'id="call_0001"', "claims exit 0", "3 more characters in the record"]) expect(page).toContain(words);
  });

  it("escapes by construction: a text in a template is a text, wherever it stands", () => {
    expect(html`<p title="${'"><b>'}">${["<i>", "&"].join("")}${null}${3}</p>`.markup).toBe('<p title="&quot;&gt;&lt;b&gt;">&lt;i&gt;&amp;3</p>');
    expect(escapeHtml("`'\u202e\ttab\n")).toBe("&#96;&#39;\\u{202e}\ttab\n");
  });
});
