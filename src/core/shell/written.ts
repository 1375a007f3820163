// Texts that a command writes to files: they may be scripts that the rest of the text runs. Kept to be followed, never to be believed.

import type { Redirection } from "unbash";
import { normalisePath } from "../action/paths.js";
import { expandTarget } from "./expand.js";
import type { Call, Frame, Output, Run } from "./run.js";
import type { ShellState } from "./state.js";
import type { Field } from "./value.js";

/** Files of which is kept what was written to them, and the longest text kept of one. */
const MAX_WRITTEN = 32;
const MAX_WRITTEN_TEXT = 65_536;

/** Descriptors that `exec` opened to files. */
const MAX_SINKS = 16;

const OPENS = new Set([">", ">>", ">|", "&>", "&>>", "<>", ">&"]);
const DESCRIPTOR = /^(?:\d+-?|-)$/;

/** Keeps a text that goes to a file outright, or through a descriptor that `exec` opened to one. */
export function noteWritten(list: readonly Redirection[], output: Output, run: Run, state: ShellState, frame: Frame): void {
  const text = output.text ?? handedOn(output.file, run, state);
  if ((text === null || text === "") && output.file === undefined) return;
  for (const redirection of list) {
    if (redirection.type === "HereDoc" || redirection.type === "HereString" || !OPENS.has(redirection.operator) || redirection.target === undefined) continue;
    const sink = redirection.operator === ">&" ? sinkOf(redirection.target.text, run) : undefined;
    if (sink !== undefined) keep(run, sink, text ?? "", true);
    else {
      const { descriptor } = redirection;
      const isWhole = output.text !== null && output.some !== true && redirection.operator === ">" && (descriptor === undefined || (descriptor.type === "FileDescriptor" && descriptor.value === 1));
      const target = expandTarget(redirection.target, run, state, frame);
      if (output.file !== undefined) noteCopy(state, output.file, target);
      if (redirection.operator !== ">&" || !DESCRIPTOR.test(target.text ?? "")) keep(run, placesOf(target, state), text ?? "", redirection.operator === ">>" || redirection.operator === "&>>", isWhole);
    }
  }
}

/** What a file holds that a command hands on whole, as far as it can be seen. */
function handedOn(file: Field | undefined, run: Run, state: ShellState): string | null {
  const [path] = file === undefined ? [] : placesOf(file, state);
  return path === undefined ? null : (run.written.get(path) ?? run.context.readText?.(path) ?? null);
}

/** What this very text has written to a file; null when that is not known. */
export function writtenText({ run, state }: Call, file: Field): string | null {
  const [path] = placesOf(file, state);
  return path === undefined ? null : (run.written.get(path) ?? null);
}

/** Most links and copies that are kept. */
const MAX_COPIES = 32;

/** A file that is written whole into another: a program stays that program. */
export function noteCopy(state: ShellState, source: Field, target: Field): void {
  const [from] = placesOf(source, state);
  for (const path of from === undefined ? [] : placesOf(target, state)) if (from !== undefined && from !== path && state.links.size < MAX_COPIES) state.links.set(`${COPY}${path}`, from);
}

/** Marks a copy among the links: only programs are looked up through it. */
export const COPY = "copy\0";

/** Under which name that is kept what a compound command prints, all its ways together. */
const PRINTED = "\0printed";

/** Evaluates a command and gives what it printed to a file: the text where that is certain, else all that any way of it may print. */
export function printing(run: Run, body: () => Output): Output {
  const outer = run.sinks.get("1");
  const before = run.written.get(PRINTED);
  run.sinks.set("1", [PRINTED]);
  run.written.delete(PRINTED);
  const output = body();
  const text = output.text ?? run.written.get(PRINTED) ?? null;
  if (outer === undefined) run.sinks.delete("1");
  else run.sinks.set("1", outer);
  if (before === undefined) run.written.delete(PRINTED);
  else run.written.set(PRINTED, before);
  return { ...output, text, some: output.text === null };
}

/** Keeps what is printed while `exec` has sent the shell's own output to a file. */
export function notePrinted(output: Output, run: Run): void {
  const sink = run.sinks.get("1");
  if (sink !== undefined && output.text !== null && output.text !== "") keep(run, sink, output.text, true);
}

/** `exec 3> file`, `exec {name}> file`, `exec > file`: what later goes there is the file's. */
export function openSinks(list: readonly Redirection[], run: Run, state: ShellState, frame: Frame): void {
  for (const redirection of list) {
    if (redirection.type === "HereDoc" || redirection.type === "HereString" || !OPENS.has(redirection.operator) || redirection.target === undefined) continue;
    const { descriptor } = redirection;
    const name = descriptor === undefined ? "1" : descriptor.type === "FileDescriptor" ? String(descriptor.value) : descriptor.name;
    const target = expandTarget(redirection.target, run, state, frame);
    const same = redirection.operator === ">&" ? (sinkOf(redirection.target.text, run) ?? null) : null;
    const places = same ?? (redirection.operator === ">&" && DESCRIPTOR.test(target.text ?? "") ? [] : placesOf(target, state));
    if (run.sinks.size >= MAX_SINKS && !run.sinks.has(name)) return;
    run.sinks.set(name, places);
    if (same === null && (redirection.operator === ">" || redirection.operator === ">|" || redirection.operator === "&>")) for (const path of places) run.written.delete(path);
  }
}

/** The files behind `>&3` or `>&$name`; undefined when there are none. */
function sinkOf(target: string, run: Run): readonly string[] | undefined {
  return run.sinks.get(/^"?\$\{?([A-Za-z_]\w*)\}?"?$/.exec(target)?.[1] ?? target.replace(/-$/, ""));
}

/** Keeps what a program writes to a file that its words name. */
export function noteText(call: Call, file: Field, text: string, appends = false): void {
  keep(call.run, placesOf(file, call.state), text, appends, true);
}

function placesOf({ text }: Field, { cwds }: ShellState): readonly string[] {
  if (text === null || text === "") return [];
  return (text.startsWith("/") ? ["/"] : (cwds ?? [])).flatMap((cwd) => normalisePath(text, cwd) ?? []);
}

/** What reads at the other end of a `>(…)` gets the text. Its own output goes where the shell's went before. */
function feed(run: Run, path: string, text: string | null): void {
  const give = run.feeds.get(path);
  if (give === undefined) return;
  const outer = run.sinks.get("1");
  run.sinks.delete("1");
  run.feeds.delete(path);
  give(text);
  run.feeds.set(path, give);
  if (outer !== undefined) run.sinks.set("1", outer);
}

/** At the end of a command: what is not known to have got all of its text got some text. */
export function feedRest(run: Run): void {
  for (const name of [...run.unfed]) {
    run.unfed.delete(name);
    feed(run, name, null);
  }
}

/** @param isWhole nothing else goes there with it */
function keep(run: Run, paths: readonly string[], text: string, appends: boolean, isWhole = false): void {
  for (const path of text === "" ? [] : paths) {
    feed(run, path, text);
    if (isWhole) run.unfed.delete(path);
    const whole = (appends ? (run.written.get(path) ?? "") : "") + text;
    if (whole.length > MAX_WRITTEN_TEXT || (run.written.size >= MAX_WRITTEN && !run.written.has(path))) continue;
    run.written.set(path, whole);
  }
}
