// The workspace at any step: what a call changed, line by line, and what had changed by then. From the record and the contents that were kept
// with it; the user's folder and the layers are not looked at.

import { count } from "./core/shared/index.js";
import { openBaseContents } from "./adapters/files/base-restore.js";
import { createPreimages } from "./adapters/files/preimages.js";
import { createRedactor } from "./adapters/system/redactor.js";
import { createKeyedDigest } from "./adapters/system/signer.js";
import { unifiedDiff } from "./core/action/index.js";
import type { Change, Entry } from "./core/reconcile/change.js";
import type { FileDiff, Step, StepFiles } from "./core/replay/index.js";
import { netChangesAfter, type AuditEvent } from "./core/session/index.js";
import type { Digest, SessionId } from "./core/shared/index.js";

/** Most changed files shown of a step, most bytes of one, and most names of the workspace. */
const FILES = 40;
const FILE_BYTES = 256 * 1024;
const NAMES = 500;
const STRICT = new TextDecoder("utf-8", { fatal: true });

/** How to look at the files of a step of this session. */
export function stepFiles(stateDir: string, id: SessionId, events: readonly AuditEvent[]): (step: Step) => Promise<StepFiles> {
  const [first] = events;
  const workspace = first?.type === "session.opened" ? first.data.workspace.path : "";
  const redact = createRedactor(createKeyedDigest(stateDir)).text;
  const kept = createPreimages({ stateDir, sessionId: id });
  const base = openBaseContents(stateDir, workspace);
  const contentOf = async (digest: Digest): Promise<Uint8Array | null> => (await kept.load(digest).catch(() => null)) ?? base(digest);
  return async ({ call }) => {
    const diffs: FileDiff[] = [];
    for (const change of call.changes.slice(0, FILES)) diffs.push(await diffOf(change, contentOf, redact));
    const all = netChangesAfter(events, call.id);
    return { diffs, more: Math.max(0, call.changes.length - FILES), workspace: all.slice(0, NAMES).map(({ path, operation }) => ({ path, operation })), rest: Math.max(0, all.length - NAMES) };
  };
}

async function diffOf({ path, operation, before, after }: Change, contentOf: (digest: Digest) => Promise<Uint8Array | null>, redact: (text: string) => string): Promise<FileDiff> {
  const none = (why: string): FileDiff => ({ path, operation, diff: null, why });
  if (operation === "metadata") return none(`mode ${(before?.mode ?? 0).toString(8)} → ${(after?.mode ?? 0).toString(8)}`);
  const texts: (string | null)[] = [];
  for (const entry of [before, after]) {
    if (entry === null) {
      texts.push(null);
      continue;
    }
    const read = await textOf(entry, contentOf);
    if (typeof read !== "string") return none(read.why);
    texts.push(redact(read));
  }
  const [left = null, right = null] = texts;
  return { path, operation, diff: unifiedDiff(path, left, right), why: null };
}

async function textOf(entry: Entry, contentOf: (digest: Digest) => Promise<Uint8Array | null>): Promise<string | { readonly why: string }> {
  if (entry.kind === "symlink") return `link to ${entry.target ?? ""}\n`;
  if (entry.kind !== "file") return { why: `a ${entry.kind}` };
  if (entry.bytes > FILE_BYTES || entry.digest === null) return { why: `${count(entry.bytes, "byte")}, too large to show` };
  const content = entry.bytes === 0 ? new Uint8Array(0) : await contentOf(entry.digest);
  if (content === null) return { why: "its content is not kept any more" };
  try {
    const text = STRICT.decode(content);
    return text.includes("\u0000") ? { why: `${count(entry.bytes, "byte")}, no text` } : text;
  } catch {
    return { why: `${count(entry.bytes, "byte")}, no text` };
  }
}
