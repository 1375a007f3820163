// Composition of `import`: files of other tools to sessions on record. Needs no engine; nothing of what is read is run.

import { listSources, openSource, type SourceEntry, type SourceLine } from "./adapters/files/import-source.js";
import { keepPolicy } from "./adapters/files/policy-keep.js";
import { sha256 } from "./adapters/system/hasher.js";
import { createRandomIds } from "./adapters/system/ids.js";
import { currentLease, isLeaseAlive } from "./adapters/system/lease.js";
import { createOpenSessions } from "./adapters/system/open-sessions.js";
import { packageFile } from "./adapters/system/package-root.js";
import { createRedactor } from "./adapters/system/redactor.js";
import { createKeyedDigest } from "./adapters/system/signer.js";
import { loadPolicyTexts } from "./compose-policy.js";
import { openStore } from "./compose-store.js";
import { DEFAULT_PROFILE } from "./config/defaults.js";
import { productVersion } from "./config/product.js";
import { createCollector, createReader, documentFormat, linesFormat, parseImported, type ImportFormat, type Trajectory } from "./core/import/index.js";
import { riskProfile } from "./core/risk/index.js";
import { GuardError, LIMITS, printable, type Digest, type JsonValue } from "./core/shared/index.js";
import { importSession, type ImportDeps, type ImportedSession } from "./engine/import-session.js";

export interface ImportOptions {
  readonly paths: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly policies?: readonly string[];
  /** Left out: detected, file by file. */
  readonly format?: ImportFormat;
  /** The folder the agent worked in, in place of what a file tells. */
  readonly root?: string;
  readonly role?: string;
  /** What calls are judged as; left out: as in a tested container, like `policy check`. */
  readonly containment?: "attested" | "none";
  readonly startedBy?: string;
  /** Ends the import: the session being written is closed on record as interrupted, and CANCELLED rejects. */
  readonly signal?: AbortSignal;
  readonly onOutcome?: (outcome: ImportOutcome) => void;
}

/** A session made of a file, or why there is none. */
export type ImportOutcome =
  | { readonly ok: true; readonly file: string; readonly session: ImportedSession; readonly trajectory: Pick<Trajectory, "format" | "version" | "agent" | "session" | "tally"> }
  | { readonly ok: false; readonly file: string; readonly problem: string };

const SAMPLE = 200;

/**
 * Imports everything under the paths. A file that is named and is no trajectory rejects with TRAJECTORY_INVALID; one that lies in a
 * folder is told as an outcome.
 */
export async function importTrajectories(options: ImportOptions): Promise<readonly ImportOutcome[]> {
  const sources = options.paths.flatMap((path) => listSources(path).map((entry) => ({ entry, isNamed: entry.path === path })));
  const { policy, texts } = await loadPolicyTexts(options.policies ?? [], options.env, null);
  const stored = await openStore(options.env);
  const outcomes: ImportOutcome[] = [];
  const tell = (outcome: ImportOutcome): void => {
    outcomes.push(outcome);
    options.onOutcome?.(outcome);
  };
  try {
    keepPolicy(stored.stateDir, policy.digest, texts);
    const keyedHex = createKeyedDigest(stored.stateDir);
    const openSessions = createOpenSessions({ stateDir: stored.stateDir, lease: currentLease(), isLeaseAlive });
    const deps: ImportDeps = { store: stored.store, ids: createRandomIds(), hasher: sha256, keyedDigest: (text) => `sha256:${keyedHex(text)}`, redactor: createRedactor(keyedHex), openSessions, product: `ringfence ${productVersion(packageFile("package.json"))}` };
    for (const { entry, isNamed } of sources) {
      for await (const read of trajectoriesOf(entry, isNamed, options.format ?? null)) {
        if (!read.ok) {
          tell({ ok: false, file: entry.path, problem: read.problem });
          continue;
        }
        const { trajectory, file } = read;
        const profile = (options.policies ?? []).length === 0 ? DEFAULT_PROFILE : null;
        const session = await importSession(deps, { trajectory, policy, profile, risk: riskProfile(profile), file, root: options.root ?? null, role: options.role ?? null, containment: options.containment ?? "attested", startedBy: options.startedBy ?? "library", ...(options.signal === undefined ? {} : { signal: options.signal }) });
        const { format, version, agent, session: source, tally } = trajectory;
        tell({ ok: true, file: file.path, session, trajectory: { format, version, agent, session: source, tally } });
      }
    }
    return outcomes;
  } finally {
    await stored.close();
  }
}

type Read = { readonly ok: true; readonly trajectory: Trajectory; readonly file: { readonly path: string; readonly digest: Digest | null; readonly bytes: number } } | { readonly ok: false; readonly problem: string };

async function* trajectoriesOf(entry: SourceEntry, isNamed: boolean, wanted: ImportFormat | null): AsyncGenerator<Read, void, undefined> {
  try {
    if (entry.kind === "events") yield await readEvents(entry);
    else yield* readFile(entry.path, wanted);
  } catch (error) {
    if (isNamed || !(error instanceof GuardError) || error.code !== "TRAJECTORY_INVALID") throw error;
    yield { ok: false, problem: error.message };
  }
}

/** Reads trajectories without putting them on record: for checks and for judging files directly. */
export async function readTrajectories(path: string, wanted: ImportFormat | null = null): Promise<readonly Trajectory[]> {
  const found: Trajectory[] = [];
  for (const entry of listSources(path)) for await (const read of trajectoriesOf(entry, entry.path === path, wanted)) if (read.ok) found.push(read.trajectory);
  return found;
}

/** A folder with one event a file, in the order of their numbers. */
async function readEvents(entry: Extract<SourceEntry, { kind: "events" }>): Promise<Read> {
  const collector = createCollector();
  const reader = createReader("openhands", collector);
  let bytes = 0;
  for (const path of entry.files) {
    const source = openSource(path);
    try {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const text: string[] = [];
      for await (const line of source.lines()) text.push(line.text ?? "");
      bytes += source.bytes;
      if (bytes > LIMITS.trajectoryBytes) throw new GuardError("TRAJECTORY_INVALID", `the events of \`${printable(entry.path)}\` are larger than ${LIMITS.trajectoryBytes} bytes`);
      const parsed = parseImported(text.join("\n"));
      if (parsed.ok) reader.take(parsed.value, name);
      else collector.skip(parsed.error, name);
    } finally {
      source.close();
    }
  }
  reader.finish();
  return { ok: true, trajectory: collector.finish("openhands"), file: { path: entry.path, digest: null, bytes } };
}

/** A line that was read: its value, or why it has none. */
type Parsed = { readonly line: SourceLine; readonly value: JsonValue } | { readonly line: SourceLine; readonly problem: string };

function parseLine(line: SourceLine): Parsed {
  if (line.text === null) return { line, problem: `line longer than ${LIMITS.importLineBytes} bytes` };
  const parsed = parseImported(line.text);
  return parsed.ok ? { line, value: parsed.value } : { line, problem: parsed.error };
}

async function* readFile(path: string, wanted: ImportFormat | null): AsyncGenerator<Read, void, undefined> {
  const source = openSource(path);
  try {
    const lines = source.lines();
    const sample: SourceLine[] = [];
    while (sample.length < SAMPLE) {
      const next = await lines.next();
      if (next.done === true) break;
      sample.push(next.value);
    }
    const parsed = sample.map(parseLine);
    const values = parsed.flatMap((one) => ("value" in one && typeof one.value === "object" && one.value !== null ? [one.value] : []));
    // A document has one line, or lines of which the first is no value of its own; so has a file of lines whose first is torn.
    let rest: AsyncIterable<SourceLine> | readonly SourceLine[] = lines;
    let isLines = parsed.length > 1 && values.length > 0;
    if (parsed.length <= 1 || opensDocument(parsed)) {
      const held: SourceLine[] = [];
      for await (const line of lines) held.push(line);
      rest = held;
      isLines = isLines && !isDocument([...sample, ...held]);
    }
    const fileOf = (): { readonly path: string; readonly digest: Digest; readonly bytes: number } => ({ path, digest: source.digest(), bytes: source.bytes });
    if (!isLines) {
      const all = [...sample];
      for await (const line of rest) all.push(line);
      yield { ok: true, trajectory: readDocument(path, all, wanted), file: fileOf() };
      return;
    }
    const format = wanted ?? linesFormat(values);
    if (format === null && values.some((value) => documentFormat(value) !== null)) return yield* readDocumentLines(path, parsed, rest, source.bytes);
    if (format === null) throw unknownFormat(path, "no line of it tells which format it is of");
    const collector = createCollector();
    const reader = createReader(format, collector);
    const take = (one: Parsed): void => {
      const place = `line ${one.line.number}`;
      if (one.line.isReplaced) collector.part("bytes that are no UTF-8, replaced", place);
      if ("value" in one) reader.take(one.value, place);
      else collector.skip(one.problem, place);
    };
    for (const one of parsed) take(one);
    for await (const line of rest) take(parseLine(line));
    reader.finish();
    yield { ok: true, trajectory: collector.finish(format), file: fileOf() };
  } finally {
    source.close();
  }
}

/** The first line opens a value that later lines may close: a document, written over several lines. */
function opensDocument(parsed: readonly Parsed[]): boolean {
  const [first] = parsed;
  return first !== undefined && "problem" in first && /^\s*[[{]/u.test(first.line.text ?? "");
}

function isDocument(lines: readonly SourceLine[]): boolean {
  return lines.every((line) => line.text !== null) && parseImported(lines.map((line) => line.text ?? "").join("\n")).ok;
}

function readDocument(path: string, lines: readonly SourceLine[], wanted: ImportFormat | null): Trajectory {
  const tooLong = lines.find((line) => line.text === null);
  if (tooLong !== undefined) throw unknownFormat(path, `line ${tooLong.number} is longer than ${LIMITS.importLineBytes} bytes`);
  const parsed = parseImported(lines.map((line) => line.text ?? "").join("\n"));
  if (!parsed.ok) throw unknownFormat(path, lines.length === 0 ? "it is empty" : parsed.error);
  const format = wanted ?? documentFormat(parsed.value) ?? linesFormat([parsed.value]);
  if (format === null) throw unknownFormat(path, "it is JSON, but of no format that is known");
  const collector = createCollector();
  for (const line of lines) if (line.isReplaced) collector.part("bytes that are no UTF-8, replaced", `line ${line.number}`);
  const reader = createReader(format, collector);
  reader.take(parsed.value, "line 1");
  reader.finish();
  return collector.finish(format);
}

/** A file of which each line is a document: as many sessions. */
async function* readDocumentLines(path: string, parsed: readonly Parsed[], lines: AsyncIterable<SourceLine> | readonly SourceLine[], bytes: number): AsyncGenerator<Read, void, undefined> {
  let sessions = 0;
  const one = (read: Parsed): Read => {
    const place = `${path}:${read.line.number}`;
    if (!("value" in read)) return { ok: false, problem: `line ${read.line.number}: ${read.problem}` };
    const format = documentFormat(read.value);
    if (format === null) return { ok: false, problem: `line ${read.line.number} is of no format that is known` };
    sessions += 1;
    if (sessions > LIMITS.importFiles) throw unknownFormat(path, `it holds more than ${LIMITS.importFiles} sessions`);
    const collector = createCollector();
    const reader = createReader(format, collector);
    reader.take(read.value, `line ${read.line.number}`);
    reader.finish();
    return { ok: true, trajectory: collector.finish(format), file: { path: place, digest: sha256(read.line.text ?? ""), bytes: Math.min(bytes, read.line.bytes) } };
  };
  for (const read of parsed) yield one(read);
  for await (const line of lines) yield one(parseLine(line));
}

function unknownFormat(path: string, why: string): GuardError {
  return new GuardError("TRAJECTORY_INVALID", `\`${printable(path)}\` cannot be imported: ${why}`);
}
