// Redirections: the files they open, the sockets bash fakes, and what the command then reads. Never opens anything.

import type { Redirect, Redirection } from "unbash";
import { expandBody, expandTarget, expandValue } from "./expand.js";
import { touch } from "./files.js";
import { addEffect, addOpaque, charge, excerpt, type Call, type Frame, type Run, type Stream } from "./run.js";
import { setVariable, type ShellState } from "./state.js";
import { exact, NUMBER, UNKNOWN, type Field } from "./value.js";

/** What redirections change for the command they stand at. */
export interface Redirected {
  /** The new standard input, or null when it stays. */
  readonly stdin: Stream | null;
  /** Standard output goes elsewhere, so nothing of it reaches a pipe or a substitution. */
  readonly movesOutput: boolean;
}

const NONE: Redirected = { stdin: null, movesOutput: false };

/** Applies redirections in order. */
export function applyRedirects(list: readonly Redirection[], run: Run, state: ShellState, frame: Frame): Redirected {
  if (list.length === 0) return NONE;
  let stdin: Stream | null = null;
  let movesOutput = false;
  charge(run, list.length >> 2);
  for (const redirection of list) {
    if (run.steps < 0) break;
    const descriptor = redirection.descriptor?.type === "FileDescriptor" ? redirection.descriptor.value : null;
    const given = redirection.descriptor !== undefined;
    if (redirection.descriptor?.type === "FileDescriptorVariable") setVariable(state, redirection.descriptor.name, NUMBER);
    if (redirection.type === "HereDoc" || redirection.type === "HereString") {
      const text = redirection.type === "HereDoc" ? hereDocument(redirection, run, state, frame) : hereString(redirection.target, run, state, frame);
      const stream: Stream = { text: text.text, globs: null, upstream: [], file: null };
      if (!given || descriptor === 0) stdin = stream;
      else if (descriptor !== null) run.descriptors.set(descriptor, stream);
      continue;
    }
    const from = frame.source.slice(redirection.pos, redirection.end);
    const input = applyFile(redirection, { run, state, frame, program: "redirect", words: [], from });
    if (redirection.operator.includes("<")) {
      const duplicated = redirection.operator === "<&" ? run.descriptors.get(Number(redirection.target?.value.replace(/-$/, "") || "0")) : undefined;
      if (!given || descriptor === 0) stdin = duplicated ?? input;
      else if (descriptor !== null) run.descriptors.set(descriptor, duplicated ?? input);
      movesOutput ||= redirection.operator === "<>" && descriptor === 1;
    } else if (!given || descriptor === 1) movesOutput ||= !(redirection.operator === ">&" && redirection.target?.value === "1");
  }
  return { stdin, movesOutput };
}

function hereDocument(node: Extract<Redirection, { type: "HereDoc" }>, run: Run, state: ShellState, frame: Frame): Field {
  const parts = node.delimiter?.quoted === true ? undefined : node.body.parts;
  const body = parts === undefined ? exact(node.body.text) : expandBody(parts, run, state, frame);
  if (node.operator === "<<" || body.text === null) return body;
  return exact(body.text.split("\n").map((line) => line.replace(/^\t+/, "")).join("\n"));
}

function hereString(target: Extract<Redirection, { type: "HereString" }>["target"], run: Run, state: ShellState, frame: Frame): Field {
  if (target === undefined) return UNKNOWN;
  const value = expandValue(target, run, state, frame);
  return value.text === null ? value : exact(`${value.text}\n`);
}

const DESCRIPTOR = /^(?:\d+-?|-)$/;

function applyFile(node: Redirect, call: Call): Stream {
  if (node.target === undefined) {
    addOpaque(call.run, "a redirection without a target", call.from);
    return { text: null, globs: null, upstream: [], file: null };
  }
  const target = expandTarget(node.target, call.run, call.state, call.frame);
  const nothing: Stream = { text: null, globs: null, upstream: [], file: target };
  if (node.operator === ">&" || node.operator === "<&") {
    if (target.text !== null && DESCRIPTOR.test(target.text)) return { ...nothing, file: null };
    if (target.text === null && (target.glob === NUMBER.glob || target.glob === `${NUMBER.glob ?? ""}-`)) return { ...nothing, file: null };
  }
  if (target.lead.startsWith("/dev/tcp/") || target.lead.startsWith("/dev/udp/")) {
    const [, , , host = ""] = target.lead.split("/");
    const known = target.text !== null || target.lead.split("/").length > 4;
    addEffect(call.run, { kind: "connect", host: known && host !== "" ? host : null, url: target.text, by: "bash", from: excerpt(call.from) });
    return { ...nothing, file: null, upstream: ["bash"] };
  }
  const pipe = target.text === null ? undefined : call.run.pipes.get(target.text);
  switch (node.operator) {
    case "<":
    case "<&":
      touch(call, "read", target, false);
      return pipe ?? nothing;
    case "<>":
      touch(call, "read", target, false);
      touch(call, "write", target, false);
      return nothing;
    default:
      touch(call, "write", target, false);
      return nothing;
  }
}
