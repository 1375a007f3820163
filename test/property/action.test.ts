// Laws of calls, edits and trajectory lines under hostile input: total, all or nothing, and what is judged is what is done.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  applyEdit,
  decodeText,
  isInside,
  normalise,
  parseKimiLine,
  parseTrajectoryLine,
  TOOL_NAMES,
  unifiedDiff,
  utf8Length,
  type NormaliseContext,
  type Repository,
} from "../../src/core/action/index.js";
import type { JsonObject } from "../../src/core/shared/index.js";

const numRuns = 200 * (process.env["RINGFENCE_SOAK"] === "1" ? 50 : 1);
const check = <T extends [unknown, ...unknown[]]>(property: fc.IPropertyWithHooks<T>) => fc.assert(property as fc.IProperty<T>, { numRuns });

const context: NormaliseContext = {
  root: "/workspace",
  cwd: "/workspace",
  home: "/home/agent",
  evaluate: { shell: () => [], argv: () => [] },
  split: (text) => (/[^\w ./-]/.test(text) ? null : text.split(" ").filter((word) => word !== "")),
};
const FILES = ["a.js", "b.js", "lib/c.js"];
const repository: Repository = { root: "/workspace", fileExists: (path) => FILES.includes(path), topFolders: ["lib"] };

const line = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "```", "```js", "````", "") },
  { weight: 2, arbitrary: fc.constantFrom(...FILES, "../x", "/etc/passwd", "new.js", "~/x").map((path) => `### ${path}`) },
  { weight: 1, arbitrary: fc.constantFrom(...FILES, "<<<<<<<< SEARCH", "======= ", "=====", "◁think▷", "◁/think▷", "\r", "  >>>>>>> REPLACE") },
  { weight: 2, arbitrary: fc.string({ maxLength: 12, unit: "binary" }) },
);
const answerText = fc.array(line, { maxLength: 30 }).map((lines) => lines.join("\n"));

const textLine = fc.oneof(fc.constantFrom("x", "  y", "=====", "s = '<<<<<<< SEARCH'", "### z", "~~~"), fc.string({ maxLength: 10, unit: "grapheme" })).map((text) => `t${text.replace(/[\r\n]/g, "")}`);
const wellFormedEdit = fc.record({
  path: fc.constantFrom(...FILES),
  search: fc.array(textLine, { minLength: 1, maxLength: 4 }),
  replace: fc.array(textLine, { minLength: 1, maxLength: 4 }),
});

function answerOf(edits: readonly { readonly path: string; readonly search: readonly string[]; readonly replace: readonly string[] }[], ending: string): string {
  const lines = edits.flatMap(({ path, search, replace }) => [`### ${path}`, "<<<<<<< SEARCH", ...search, "=======", ...replace, ">>>>>>> REPLACE", ""]);
  return ["```js", ...lines, "```"].join(ending);
}

describe("any tool call", () => {
  const values = fc.dictionary(
    fc.oneof(fc.constantFrom("command", "path", "argv", "old_str", "new_str", "file_text", "view_range", "insert_line", "timeout", "__proto__"), fc.string()),
    fc.oneof(fc.constantFrom("view", "create", "str_replace", "insert", "undo_edit", "/workspace/a", "/workspace/../etc", "ls"), fc.string({ unit: "binary" }), fc.jsonValue()),
  );

  test("gives an action, and a file tool never one with a path outside the root", () => {
    check(
      fc.property(fc.oneof(fc.constantFrom(...TOOL_NAMES), fc.string()), values, (tool, given) => {
        const action = normalise({ id: "1", role: null, tool, arguments: given as JsonObject }, context);
        if (action.kind === "view" || action.kind === "edit") {
          expect(isInside(action.path, "/workspace")).toBe(true);
          expect(action.path.split("/")).not.toContain("..");
          expect(action.effects.every((effect) => effect.kind === "file" && effect.path === action.path)).toBe(true);
        }
        if (action.kind === "opaque") expect(action.why).not.toBe("");
      }),
    );
  });
});

describe("any trajectory line", () => {
  test("gives calls or an error with its number, whatever the text", () => {
    check(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.jsonValue().map((value) => JSON.stringify({ id: "1", tool: "bash", arguments: value }))), (text) => {
        for (const format of ["jsonl", "kimi-dev"] as const) {
          const parsed = parseTrajectoryLine(text, 9, format, repository);
          if (parsed !== null && !parsed.calls.ok) expect(parsed.calls.error.line).toBe(9);
        }
      }),
    );
  });

  test("that is an answer gives edits inside the repository only, or none and an error to send back", () => {
    check(
      fc.property(answerText, fc.constantFrom(1, 2), (content, stage) => {
        const parsed = parseKimiLine(JSON.stringify({ role: "bugfixer", stage, content }), 1, repository);
        if (!parsed.ok) {
          expect(parsed.error.reply).toContain(parsed.error.message);
          return;
        }
        expect(parsed.value.length).toBeGreaterThan(0);
        for (const call of parsed.value) {
          const action = normalise(call, context);
          expect(["view", "edit"]).toContain(action.kind);
        }
      }),
    );
  });

  test("with a header that leaves the repository is always an escape attempt", () => {
    check(
      fc.property(answerText, fc.constantFrom("../x", "/etc/passwd", "a/../../b", "~/x"), answerText, (before, path, after) => {
        const safe = (text: string) => text.replace(/[◁▷]/g, "");
        const content = `${safe(before)}\n### ${path}\n<<<<<<< SEARCH\n${safe(after)}`;
        const parsed = parseKimiLine(JSON.stringify({ role: "bugfixer", stage: 2, content }), 1, repository);
        expect(parsed.ok ? null : parsed.error.escape).toBe(true);
      }),
    );
  });

  test("that is whole gives exactly the edits written, whatever the line ends, and cut anywhere gives none", () => {
    check(
      fc.property(fc.array(wellFormedEdit, { minLength: 1, maxLength: 4 }), fc.constantFrom("\n", "\r\n"), fc.nat(), (edits, ending, cut) => {
        fc.pre(edits.every(({ search, replace }) => search.join("\n") !== replace.join("\n")));
        const content = answerOf(edits, ending);
        const parse = (text: string) => parseKimiLine(JSON.stringify({ role: "testwriter", stage: 2, content: text }), 1, repository);
        expect(parse(content)).toEqual({
          ok: true,
          value: edits.map(({ path, search, replace }, index) => ({
            id: `1.${index + 1}`, role: "testwriter", tool: "str_replace_editor",
            arguments: { command: "str_replace", path: `/workspace/${path}`, old_str: search.join("\n"), new_str: replace.join("\n") },
          })),
        });
        expect(parse(content.slice(0, cut % (content.length - 2))).ok).toBe(false);
      }),
    );
  });
});

describe("any edit", () => {
  const textOf = (...parts: readonly string[]) => fc.array(fc.constantFrom(...parts), { maxLength: 30 }).map((chosen) => chosen.join(""));
  const text = textOf("a", "b", "\n", "\r\n", "\r", "é", "😀", "ab");
  // Without a lone carriage return: one that comes to stand before a line feed would read as a line end of its own.
  const plain = textOf("a", "b", "\n", "\r\n", "é", "😀", "ab");

  test("that replaces changes the one place and nothing else", () => {
    check(
      fc.property(plain, plain, plain, plain, (before, search, after, replacement) => {
        const current = before + search + after;
        const result = applyEdit(current, { op: "replace", search, replace: replacement });
        const lf = (value: string) => value.replaceAll("\r\n", "\n");
        if (!result.ok) return;
        const parts = lf(current).split(lf(search));
        expect(parts.length).toBe(2);
        expect(lf(result.value ?? "")).toBe(lf(parts.join(lf(replacement))));
      }),
    );
  });

  test("that inserts leaves every other line byte for byte", () => {
    check(
      fc.property(text, fc.integer({ min: 0, max: 12 }), fc.constantFrom("x", "x\n", "x\ny"), (current, afterLine, added) => {
        const result = applyEdit(current, { op: "insert", afterLine, text: added });
        if (!result.ok) return;
        const lines = current.split("\n");
        const out = (result.value ?? "").split("\n");
        expect(out.slice(0, Math.max(0, afterLine - 1))).toEqual(lines.slice(0, Math.max(0, afterLine - 1)));
        const rest = lines.slice(afterLine).filter((entry) => entry !== "");
        expect(out.filter((entry) => entry !== "").slice(rest.length === 0 ? out.length : -rest.length)).toEqual(rest);
      }),
    );
  });

  test("is total for any texts, and its diff is one too", () => {
    const any = fc.string({ unit: "binary", maxLength: 40 });
    check(
      fc.property(fc.option(any), any, any, fc.integer(), (current, search, replacement, afterLine) => {
        for (const edit of [{ op: "replace", search, replace: replacement }, { op: "insert", afterLine, text: search }, { op: "create", content: search, overwrite: true }] as const) {
          const result = applyEdit(current, edit);
          if (result.ok) expect(typeof unifiedDiff(search, current, result.value)).toBe("string");
          else expect(result.error.code).toMatch(/^EDIT_/);
        }
      }),
    );
  });
});

describe("the bytes of any text", () => {
  test("decode as a strict decoder does", () => {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.string({ unit: "binary" }).map((value) => new TextEncoder().encode(value)));
    check(
      fc.property(bytes, (given) => {
        const ours = decodeText(given);
        let theirs: string | null = null;
        try {
          theirs = decoder.decode(given);
        } catch {
          // Not UTF-8: the decoder under test must refuse it as well.
        }
        expect(ours.ok ? ours.value : null).toBe(theirs !== null && theirs.includes("\0") ? null : theirs);
        if (ours.ok) expect(utf8Length(ours.value)).toBe(given.length);
      }),
    );
  });
});
