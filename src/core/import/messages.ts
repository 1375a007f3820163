// Lists of chat messages: mini-swe-agent, and others that keep what was sent to a model. A call is a `tool_calls` entry, an entry of
// `extra.actions`, or the one fenced command of an answer.

import type { JsonValue } from "../shared/index.js";
import type { Collector, FormatReader } from "./collector.js";
import { argumentsOf, at, exitAt, flatText, isObject, listAt, textAt, timeAt } from "./read.js";

const FENCES = ["```mswea_bash_command", "```bash", "```sh"] as const;
const XML = { open: "<mswea_bash_command>", close: "</mswea_bash_command>" };

/** Reads a mini-swe-agent document: an object with `messages`, or in old versions the list itself. */
export function miniReader(collector: Collector): FormatReader {
  return {
    take: (value) => {
      const info = at(value, "info");
      const config = at(info, "config");
      collector.about({
        name: "mini-swe-agent",
        version: textAt(info, "mini_version"),
        format: textAt(value, "trajectory_format") ?? "before 1",
        model: textAt(config, "model", "model_name"),
        session: textAt(value, "instance_id"),
        root: textAt(config, "environment", "cwd"),
      });
      readMessages(Array.isArray(value) ? (value as readonly JsonValue[]) : listAt(value, "messages"), collector, "fenced");
    },
    finish: () => undefined,
  };
}

/** Reads a list of chat messages, or one message a line. */
export function chatReader(collector: Collector): FormatReader {
  const open: OpenCalls = { ids: [] };
  collector.about({ format: "chat messages" });
  return {
    take: (value, place) => {
      if (Array.isArray(value)) readMessages(value as readonly JsonValue[], collector, "tools only");
      else if (listAt(value, "messages").length > 0) readMessages(listAt(value, "messages"), collector, "tools only");
      else readMessage(value, place, open, collector, "tools only");
    },
    finish: () => undefined,
  };
}

/** Calls of the last answer that have no result yet. */
interface OpenCalls {
  ids: readonly string[];
}

function readMessages(messages: readonly JsonValue[], collector: Collector, how: "fenced" | "tools only"): void {
  const open: OpenCalls = { ids: [] };
  for (const [index, message] of messages.entries()) readMessage(message, `message ${index + 1}`, open, collector, how);
}

function readMessage(message: JsonValue, place: string, open: OpenCalls, collector: Collector, how: "fenced" | "tools only"): void {
  const role = textAt(message, "role");
  if (!isObject(message) || role === null) return collector.skip("message without a role", place);
  if (role === "assistant") return readAnswer(message, place, open, collector, how);
  if (role !== "tool" && (role !== "user" || open.ids.length === 0)) return collector.record("messages");
  const named = textAt(message, "tool_call_id");
  const id = named ?? open.ids[0] ?? null;
  const content = flatText(at(message, "content"));
  if (id === null || !collector.answer(id, { output: outputText(content), exitCode: exitOf(message, content) })) return collector.skip("result of a call that is not there", place);
  open.ids = open.ids.filter((one) => one !== id);
  collector.record("results");
}

function readAnswer(message: JsonValue, place: string, open: OpenCalls, collector: Collector, how: "fenced" | "tools only"): void {
  const content = flatText(at(message, "content"));
  const time = timeAt(message, "extra", "timestamp") ?? timeAt(message, "timestamp");
  const toolCalls = listAt(message, "tool_calls");
  const actions = listAt(message, "extra", "actions");
  const drafts: { readonly id: string; readonly tool: string; readonly values: JsonValue | undefined }[] = [];
  const made = (index: number): string => `${place.replaceAll(" ", "-")}-${index + 1}`;
  if (toolCalls.length > 0) for (const [index, call] of toolCalls.entries()) drafts.push({ id: textAt(call, "id") ?? made(index), tool: textAt(call, "function", "name") ?? textAt(call, "name") ?? "", values: at(call, "function", "arguments") ?? at(call, "arguments") });
  else if (actions.length > 0) for (const [index, action] of actions.entries()) drafts.push({ id: textAt(action, "tool_call_id") ?? made(index), tool: "bash", values: isObject(action) ? { command: textAt(action, "command") ?? textAt(action, "action") ?? "" } : undefined });
  else if (how === "fenced") {
    const commands = fencedCommands(content);
    const [only] = commands;
    if (commands.length > 1) return collector.skip("answer with more than one command, which the agent itself refuses", place);
    if (only !== undefined) drafts.push({ id: made(0), tool: "bash", values: { command: only } });
  }
  if (drafts.length === 0) return collector.record("messages");
  collector.record("calls");
  for (const { id, tool, values } of drafts) collector.call({ id, tool, arguments: argumentsOf(values), place, time, thought: content === "" ? null : content });
  open.ids = drafts.map(({ id }) => id);
}

/** The commands of an answer in fences or tags, in order. */
export function fencedCommands(content: string): readonly string[] {
  const found: string[] = [];
  for (let from = 0; found.length < 100; ) {
    const starts = FENCES.map((fence) => ({ at: content.indexOf(`${fence}\n`, from), length: fence.length + 1, close: "\n```" }));
    const tag = { at: content.indexOf(XML.open, from), length: XML.open.length, close: XML.close };
    const next = [...starts, tag].filter((one) => one.at !== -1).sort((a, b) => a.at - b.at)[0];
    if (next === undefined) return found;
    const begin = next.at + next.length;
    const end = content.indexOf(next.close, begin - 1);
    if (end === -1) return found;
    found.push(content.slice(begin, Math.max(begin, end)));
    from = end + next.close.length;
  }
  return found;
}

const CODE = /<returncode>\s*(-?\d{1,5})\s*<\/returncode>/u;
const DONE = /\[The command completed with exit code (\d{1,3})\.\]/u;

function exitOf(message: JsonValue, content: string): number | null {
  const told = exitAt(message, "extra", "returncode") ?? exitAt(message, "extra", "raw_output", "returncode");
  if (told !== null) return told;
  const code = CODE.exec(content.slice(0, 200)) ?? DONE.exec(content.slice(-500));
  return exitAt({ code: code?.[1] ?? null }, "code");
}

/** What lies between the tags, where there are any. */
function outputText(content: string): string {
  const start = content.indexOf("<output>");
  const end = content.lastIndexOf("</output>");
  return start === -1 || end < start ? content : content.slice(start + "<output>".length, end).replace(/^\n/u, "");
}
