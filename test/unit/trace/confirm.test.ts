// Whether what a refusal names was seen: the program that is named must do it, and what is text must stand nowhere in the text.

import { expect, test } from "vitest";
import type { ActionEffect } from "../../../src/core/action/effects.js";
import { confirm } from "../../support/trace/confirm.js";
import type { TraceEvent } from "../../support/trace/container.js";

const CURL: ActionEffect = { kind: "connect", host: null, url: null, by: "curl", from: "" };
const OPAQUE: ActionEffect = { kind: "opaque-text", why: "a word of `mv` may be any option", from: "" };

function exec(program: string, ...argv: string[]): TraceEvent {
  return { kind: "exec", program, path: `/bin/${program}`, argv: [program, ...argv], by: ["bash"], ok: true };
}

function verdict(text: string, effect: ActionEffect, ...events: TraceEvent[]): string {
  return confirm(text, [effect], { id: "1", code: 1, timedOut: false, started: true, stderr: "", truncated: false, events });
}

test("a connection counts when the named program, or one that it started, goes beyond the loopback", () => {
  const to = (address: string, ...by: string[]): TraceEvent => ({ kind: "connect", to: address, by });
  expect(verdict("curl x", CURL, exec("curl", "x"), to("10.0.2.3", "bash", "curl"))).toBe("seen");
  expect(verdict("curl x", CURL, exec("curl", "x"), to("packet", "curl", "helper"))).toBe("seen");
  expect(verdict("curl x", CURL, exec("curl", "x"), to("127.0.0.1", "bash", "curl"))).toBe("false");
  expect(verdict("curl x", CURL, exec("curl", "x"), to("unix:/run/nscd/socket", "bash", "curl"))).toBe("false");
  expect(verdict("curl x; wget y", CURL, exec("curl", "x"), to("10.0.2.3", "bash", "wget"))).toBe("false");
});

test("text that cannot be told is seen in a word, or a changed name, that the text does not hold", () => {
  const writes = (path: string, by: string): TraceEvent => ({ kind: "file", operation: "write", path, real: null, by: ["bash", by], ok: true });
  expect(verdict("mv a $(x)", OPAQUE, exec("mv", "a", "b-17"))).toBe("seen");
  expect(verdict("mv 'a' $(x)", OPAQUE, exec("mv", "a"))).toBe("false");
  expect(verdict("mv $(x)", OPAQUE, writes("/workspace/b-17", "mv"))).toBe("seen");
  expect(verdict("mv $(x)", OPAQUE, exec("cat", "b-17"))).toBe("false");
  expect(verdict("$(x)", { ...OPAQUE, why: "which program runs cannot be told" }, exec("b-17"))).toBe("seen");
});

test("a program that is not installed makes the row one that cannot be run", () => {
  const missing: TraceEvent = { kind: "exec", program: "curl", path: "/bin/curl", argv: ["curl"], by: ["bash"], ok: false };
  expect(confirm("curl x", [CURL], { id: "1", code: 127, timedOut: false, started: true, stderr: "bash: line 1: curl: command not found", truncated: false, events: [missing] })).toBe("not runnable");
});
