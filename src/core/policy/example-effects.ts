// What an example of a rule does, and where.

import type { ActionEffect, FileOperation } from "../action/effects.js";
import { findSecrets } from "../content/index.js";
import { normalisePath } from "../action/paths.js";
import { evaluateShell, type Model } from "../shell/index.js";
import type { ContentSubject } from "./content.js";
import { absolutePath } from "./paths.js";
import type { Example } from "./rule.js";

/** Surroundings of an example that says nothing else. */
export const EXAMPLE_PLACES = { root: "/workspace", home: "/home/agent" } as const;

/** Effects of a path touched by a tool. */
export function fileEffect(operation: FileOperation, path: string): ActionEffect {
  return { kind: "file", operation, path, certainty: "exact", recursive: false, by: operation === "read" ? "view" : "edit", from: path };
}

/** No program besides the built-in ones. */
export const NO_PROGRAMS: ReadonlyMap<string, Model> = new Map();

/** What an example does, and where. */
export function exampleEffects(example: Example, programs: ReadonlyMap<string, Model> = NO_PROGRAMS): { readonly effects: readonly (ActionEffect | ContentSubject)[]; readonly root: string; readonly cwd: string } {
  const root = normalisePath(example.root ?? EXAMPLE_PLACES.root, "/") ?? EXAMPLE_PLACES.root;
  const cwd = normalisePath(example.cwd ?? root, root) ?? root;
  const { kind, text } = example.subject;
  const printed: readonly ContentSubject[] = example.output === null ? [] : [{ kind: "content", path: "", text: asRedacted(example.output), output: true }];
  if (kind === "command") return { root, cwd, effects: [...printed, ...evaluateShell(text, { cwd, root, home: EXAMPLE_PLACES.home, environment: new Map(), programs }).effects] };
  const path = absolutePath(text, { cwd, home: EXAMPLE_PLACES.home }) ?? text;
  const added: readonly ContentSubject[] = example.content === null ? [] : [{ kind: "content", path, text: example.content }];
  return { root, cwd, effects: [fileEffect(kind, path), ...added, ...printed] };
}

/** An output as rules see it: redaction has been over it. */
function asRedacted(text: string): string {
  let out = "";
  let at = 0;
  for (const { kind, start, end } of findSecrets(text)) {
    out += `${text.slice(at, start)}[redacted:${kind}:00000000]`;
    at = end;
  }
  return out + text.slice(at);
}
