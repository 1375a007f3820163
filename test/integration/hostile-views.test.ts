// Hostile sessions through every view and export that the command line has, found from its own table of commands and options: a new one fails
// here until it is in the list below. What comes out is looked at byte by byte.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { validateXML } from "xmllint-wasm";
import { importTrajectories } from "../../src/compose-import.js";
import { EXPORT_FORMATS } from "../../src/core/export/index.js";
import type { SessionId } from "../../src/core/shared/index.js";
import { buildProgram, main } from "../../src/surfaces/cli/main.js";
import { browserProgram, loadPage } from "../support/browser.js";
import { HOSTILE, hostileMessages, OWNED } from "../support/hostile.js";
import { HOSTILE_TEXTS, LOUD, recordHostile } from "../support/hostile-record.js";

/** Command lines by command. `@s` is each session in turn, `@t` a text that tries all at once, `@d` a folder with hostile names, `@o` a fresh file. */
const VIEWS: Readonly<Record<string, readonly string[]>> = {
  sessions: ["", "--limit 1"],
  "sessions search": ["@t", "e --command @t --path @t --rule @t --threat @t --workspace @t", "--since 2020-01-01 --before 2999-01-01 --min-score 0 --max-score 10 --limit 5", "--status imported --rebuild", "--status @t"],
  "sessions prune": ["--older-than 0d --dry-run", "--keep 1 --with-changes --dry-run"],
  show: ["@s", "@s --output", "@t"],
  diff: ["@s --stat", "@s", "@t"],
  apply: ["@s", "@s --path @t --hunk @t:1", "@s --interactive", "@s --yes", "@s --accept-runs-later", "@t"],
  undo: ["@s --to @t", "@t"],
  discard: ["@t"],
  import: ["@i", "@i --policy @p --format chat --root /@t --role @t --containment none", "@i --html @o", "@t", "@d"],
  "replay view": ["@s", "@s --step 2", "@s --find e --findings", "@s --diff --workspace", "@s --step 1 --diff --workspace", "@s --html @o", "@t", "@s --find @t"],
  "replay run": ["@imported", "@t", "@imported --until 1 --keep-going --workspace @t --image @t --policy @t"],
  "replay redecide": ["@s", "--all --limit 5", "@s --policy @p --baseline @p --fail-on never", "@t"],
  export: [...EXPORT_FORMATS.map((format) => `@s --as ${format}`), ...EXPORT_FORMATS.map((format) => `@s --as ${format} --out @o`), "@s --otlp @u", "@s --otlp @t", "@t --as sarif"],
  "bundle export": ["@s --output @o --force", "@t"],
  "bundle verify": ["@b", "@b --key @t --head @t", "@t"],
  "policy check": ["-- echo @t", "--role @t --root /@t --cwd /@t --containment none -- @t", "--write @t", "--read @t", "--policy @t --write a", "--workspace @t --command @t", "--jsonl @l"],
  "policy explain": ["--policy @p -- @t", "--command @t --role @t --root /@t --cwd /@t --containment none", "--read @t", "--write @t", "--workspace @t --read a"],
  "policy lint": ["@t", "@p --notes"],
  "policy test": ["@t", "@p"],
  "policy diff": ["@t @t", "@p @p"],
  "policy learn": ["@s", "--all --policy @p", "@t"],
  "log verify": ["@s", "@s --expect-head @c", "@s --key @t --witness @t", "@t"],
  "log prove": ["@s --since @c", "@t --since @t"],
  "log consistent": ["@c @c --proof @t --key @t"],
  score: ["@s", "@s --explain", "@s --follow", "@s --report aivss-0.8", "@s --max-aivss 1 --fail-on low", "--trend --limit 5", "@t"],
  aivss: ["--cvss @t", "--candidate @t", "--formula @t --base @t", "--factors @t --sum @t --thm @t --mf @t --strict"],
  "sandbox explain": ["--workspace @d", "--workspace @d --role @t --policy @p", "--workspace @t"],
  pause: ["@s --reason @t", "@t"],
  resume: ["@s", "@t"],
  "process list": ["@s", "@t"],
  "process read": ["@s @t --wait 0 --until @t"],
  "process write": ["@s @t @t --wait 0 --until @t", "@s @t --key C-c --end-input"],
  "process end": ["@s @t"],
};

/** Commands that show nothing of a recorded session, and why they are not above. */
const NOT_VIEWS: Readonly<Record<string, string>> = {
  exec: "runs a command: what it prints passes the filter of test/unit/surfaces/terminal-text.test.ts",
  shell: "as exec",
  run: "plays calls: what it prints is tested where it is rendered, test/unit/surfaces/play.test.ts",
  demo: "as run, of texts of our own",
  "policy schema": "prints a text of ours",
  "image list": "of the engine, test/e2e/image.test.ts",
  "image build": "of the engine",
  "image check": "of the engine",
  "image sbom": "of the engine, test/unit/image/sbom.test.ts",
  doctor: "of this machine",
  completion: "prints a text of ours",
};

/** Options of views that change nothing of what is shown of a session, or that need an engine. */
const NOT_SHOWN: ReadonlySet<string> = new Set(["--json", "--quiet", "--no-color", "--help", "--version"]);

/** Nothing but line feeds and tabs of what steers: no C0, no DEL, no C1, nothing that is invisible or turns text round. */
const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]/u;
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_MS = 20_000;
const SESSIONS = ["ses_hostile01", "ses_hostile02"] as const satisfies readonly SessionId[];

let folder = "";
let env: NodeJS.ProcessEnv = {};
let imported = "";
let files = 0;
let otlp: Server | null = null;
const sent: Buffer[] = [];
const before = { ...process.env };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-hostile-"));
  env = { PATH: process.env["PATH"], HOME: folder, RINGFENCE_HOME: join(folder, "state"), RINGFENCE_LOG_LEVEL: "silent", NO_COLOR: "1" };
  for (const key of Object.keys(process.env)) if (key.startsWith("RINGFENCE_")) delete process.env[key];
  Object.assign(process.env, env);
  writeFileSync(join(folder, "hostile.json"), JSON.stringify(hostileMessages()));
  writeFileSync(join(folder, "p.policy.yaml"), "version: 1\nid: p\ntitle: P\nextends: [kimi-dev]\nrules: []\n");
  writeFileSync(join(folder, "lines.jsonl"), [...HOSTILE_TEXTS, LOUD].map((text, at) => JSON.stringify({ id: `${text}${String(at)}`, [["command", "write", "read"][at % 3] ?? ""]: text, role: text })).join("\n"));
  for (const [index, id] of SESSIONS.entries()) await recordHostile(env, id, join(folder, `w${String(index)}`), index === 0 ? "reviewed" : "ended");
  const [outcome] = await importTrajectories({ paths: [join(folder, "hostile.json")], env });
  if (outcome?.ok !== true) throw new Error(JSON.stringify(outcome));
  imported = outcome.session.session;
  mkdirSync(join(folder, "names"));
  for (const [index, text] of HOSTILE_TEXTS.entries()) writeFileSync(join(folder, "names", `${String(index)}${text.replaceAll("/", "_").replaceAll("\u0000", "_")}`.slice(0, 60)), text);
  await run(["bundle", "export", SESSIONS[0], "--output", join(folder, "b.tar")]);
  otlp = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => void sent.push(chunk));
    request.on("end", () => void response.writeHead(200, { "content-type": "application/json" }).end("{}"));
  });
  await new Promise<void>((resolve) => otlp?.listen(0, "127.0.0.1", resolve));
}, 60_000);
afterAll(() => {
  otlp?.close();
  for (const key of Object.keys(process.env)) if (!Object.hasOwn(before, key)) delete process.env[key];
  Object.assign(process.env, before);
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly out: Buffer;
  readonly err: Buffer;
  readonly ms: number;
}

/** A command in this process, what it writes held back. */
async function run(words: readonly string[]): Promise<Ran> {
  const pieces: { readonly out: Buffer[]; readonly err: Buffer[] } = { out: [], err: [] };
  const writers = { out: process.stdout.write.bind(process.stdout), err: process.stderr.write.bind(process.stderr) };
  const held = (into: Buffer[]) => ((data: string | Uint8Array) => into.push(Buffer.from(data as Uint8Array)) > 0) as typeof process.stdout.write;
  const code = process.exitCode;
  process.stdout.write = held(pieces.out);
  process.stderr.write = held(pieces.err);
  const start = performance.now();
  try {
    process.exitCode = 0;
    await main(["node", "ringfence", ...words]);
    return { code: Number(process.exitCode), out: Buffer.concat(pieces.out), err: Buffer.concat(pieces.err), ms: performance.now() - start };
  } finally {
    process.exitCode = code;
    process.stdout.write = writers.out;
    process.stderr.write = writers.err;
  }
}

/** Every command line that a row stands for. */
function lines(command: string, row: string): readonly (readonly string[])[] {
  // A policy is compiled for each; what is shown then is the same for all.
  const subjects = !row.includes("@s") ? [""] : row.includes("@p") ? [SESSIONS[0]] : [...SESSIONS, imported];
  
  const port = String((otlp?.address() as AddressInfo | null)?.port ?? 0);
  return subjects.map((session) => [
    ...command.split(" "),
    ...row.split(" ").filter((word) => word !== "").map((word) =>
      word
        .replace("@imported", imported)
        .replace("@s", session)
        .replace("@t", () => LOUD)
        .replace("@d", join(folder, "names"))
        .replace("@i", join(folder, "hostile.json"))
        .replace("@l", join(folder, "lines.jsonl"))
        .replace("@p", join(folder, "p.policy.yaml"))
        .replace("@b", join(folder, "b.tar"))
        .replace("@u", `http://127.0.0.1:${port}`)
        .replace("@c", join(folder, "state", "heads", `${session === "" ? SESSIONS[0] : session}.checkpoint`))
        .replace("@o", () => join(folder, `out${String((files += 1))}`)),
    ),
  ]);
}

/** What is wrong with some bytes that were shown; null when nothing is. */
function wrongWith(bytes: Buffer): string | null {
  if (bytes.length > MOST_BYTES) return `${String(bytes.length)} bytes`;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "no UTF-8";
  }
  const found = STEERS.exec(text);
  return found === null ? null : `steers at ${JSON.stringify(text.slice(Math.max(0, found.index - 60), found.index + 20))}`;
}

/** JSON, or one JSON text a line. */
function isJson(text: string): boolean {
  const holds = (part: string): boolean => {
    try {
      JSON.parse(part);
      return true;
    } catch {
      return false;
    }
  };
  return holds(text) || text.trimEnd().split("\n").every(holds);
}

const POLLUTED = (): boolean => Object.hasOwn(Object.prototype, "polluted") || Reflect.get({}, "polluted") !== undefined;

/** A patch is for `git apply`: into a pipe it goes as it is, and is shown on a terminal only in another way (below). */
const isPatch = (words: readonly string[]): boolean => words[0] === "diff" && !words.includes("--stat") && !words.includes("--json");

function leaves(command: Command, path: readonly string[] = []): readonly (readonly [string, Command])[] {
  return command.commands.flatMap((sub) => {
    const here = [...path, sub.name()];
    const acts = Reflect.get(sub, "_actionHandler") !== null;
    return [...(acts ? [[here.join(" "), sub] as const] : []), ...leaves(sub, here)];
  });
}

describe("the list of views", () => {
  it("has every command and every option that the command line has", async () => {
    const all = leaves(await buildProgram([], () => undefined)).filter(([name]) => name !== "help");
    expect(all.length).toBeGreaterThan(35);
    expect(all.map(([name]) => name).filter((name) => !Object.hasOwn(VIEWS, name) && !Object.hasOwn(NOT_VIEWS, name))).toEqual([]);
    expect([...Object.keys(VIEWS), ...Object.keys(NOT_VIEWS)].filter((name) => all.every(([other]) => other !== name))).toEqual([]);
    const forgotten = all.flatMap(([name, command]) => {
      const rows = VIEWS[name];
      if (rows === undefined) return [];
      const used = new Set(rows.flatMap((row) => row.split(" ")));
      return command.options.map((option) => option.long ?? "").filter((long) => !used.has(long) && !NOT_SHOWN.has(long)).map((long) => `${name} ${long}`);
    });
    expect(forgotten).toEqual([]);
  });
});

describe("hostile sessions, recorded and imported", () => {
  for (const [command, rows] of Object.entries(VIEWS)) {
    it(`are harmless in \`${command}\``, { timeout: 120_000 }, async () => {
      const wrong: string[] = [];
      const before = files;
      sent.length = 0;
      for (const row of [...rows, "--@t"]) {
        for (const words of lines(command, row)) {
          for (const more of [[], ["--json"]]) {
            const line = more.length === 0 ? words : [...command.split(" "), ...more, ...words.slice(command.split(" ").length)];
            const { out, err, ms, code } = await run(line);
            const problems = [isPatch(line) ? null : wrongWith(out), wrongWith(err), code === 70 ? `ended with 70: ${err.toString().slice(0, 300)}` : null, ms > MOST_MS ? `${String(Math.round(ms))} ms` : null, POLLUTED() ? "the prototype of every object was changed" : null, more.length > 0 && out.length > 0 && !row.includes("--as ") && !isJson(out.toString()) ? `no JSON: ${out.toString().slice(0, 200)}` : null];
            for (const problem of problems) if (problem !== null) wrong.push(`${JSON.stringify(line.join(" ").replaceAll(folder, "~").slice(0, 160))}: ${problem}`);
          }
        }
      }
      expect(wrong).toEqual([]);
      // And so are the files and the requests that it wrote.
      const written = Array.from({ length: files - before }, (_, index) => join(folder, `out${String(before + index + 1)}`)).filter((path) => existsSync(path)).map((path) => readFileSync(path));
      expect([written.length > 0, sent.length > 0]).toEqual([rows.some((row) => row.includes("@o")), rows.some((row) => row.includes("@u"))]);
      expect(written.filter((bytes) => bytes.subarray(257, 262).toString() !== "ustar").map(wrongWith).filter((problem) => problem !== null)).toEqual([]);
      expect(wrongWith(Buffer.concat(sent))).toBeNull();
    });
  }

  it("become exports that are what they say, with no structure but ours", async () => {
    for (const session of [...SESSIONS, imported]) {
      const text: Record<string, string> = {};
      for (const format of EXPORT_FORMATS) text[format] = (await run(["export", session, "--as", format])).out.toString();
      for (const format of ["sarif", "atif", "otel"]) expect(isJson(text[format] ?? ""), format).toBe(true);
      for (const format of ["ocsf", "asciicast"]) expect((text[format] ?? "").trimEnd().split("\n").every((line) => isJson(line)), format).toBe(true);
      const xml = await validateXML({ xml: [{ fileName: "junit.xml", contents: text["junit"] ?? "" }], extension: "schema", schema: [ANY_XML] });
      expect(xml.errors.filter(({ rawMessage }) => /parser error|namespace error/u.test(rawMessage))).toEqual([]);
      expect(new Set([...(text["junit"] ?? "").matchAll(/<\/?([^\s/>]+)/gu)].map((match) => match[1]))).toEqual(new Set(["?xml", "testsuites", "testsuite", "properties", "property", "testcase", "failure", "system-out", "system-err"]));
      expect(text["markdown"]).not.toMatch(/<(?!\/?code)/u);
      expect((text["markdown"] ?? "").replace(/\\./gu, "")).not.toMatch(/[[\]@]|:\/\/|www\./u);
      expect((text["asciicast"] ?? "")).not.toMatch(/\\u00(?:1b|9[0-9a-f]|07|08)/u);
    }
  }, 60_000);

  it("show nothing but text on a terminal, and are left with one key", { timeout: 60_000 }, () => {
    for (const words of [["diff", SESSIONS[0]], ["show", SESSIONS[0], "--output"], ["replay", "view", SESSIONS[0], "--diff", "--workspace"], ["replay", "view", imported], ["score", SESSIONS[0], "--explain"], ["sessions"]]) {
      const out = execFileSync("script", ["--quiet", "--flush", "--return", "--command", ["exec", process.execPath, CLI, ...words].join(" "), "/dev/null"], { env: { ...env, NO_COLOR: "1", TERM: "xterm" }, input: "jjoownq", timeout: 30_000, maxBuffer: MOST_BYTES });
      // What our own view of steps steers the screen with, and nothing else.
      const text = new TextDecoder("utf-8", { fatal: true }).decode(out).replace(/\r+\n/gu, "\n").replace(/\u001b\[(?:\?1049[hl]|\?25[hl]|H\u001b\[2J|24;1H|7m|27m)/gu, "").replace(/^(?:[jownq]|\^D|\u0008){0,16}/u, "");
      expect([words.join(" "), STEERS.exec(text)?.[0] ?? null]).toEqual([words.join(" "), null]);
      expect(text).not.toMatch(/^GIF|\u0000/u);
    }
  });
});

const ANY_XML = { fileName: "any.xsd", contents: '<?xml version="1.0"?><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="testsuites"/></xs:schema>' };
const CLI = fileURLToPath(new URL("../../bin/ringfence.mjs", import.meta.url));

describe("a line of 100 MB", () => {
  it("is imported, and each view of it is small and takes little", { timeout: 120_000 }, async () => {
    const line = (content: string) => `${JSON.stringify({ type: "assistant", uuid: "u", cwd: "/w", sessionId: "s", message: { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "Bash", input: { command: `cat ${LOUD}` } }] } })}\n${JSON.stringify({ type: "user", uuid: "v", message: { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content }] } })}\n`;
    writeFileSync(join(folder, "long.jsonl"), line(`${LOUD} ${"x".repeat(100_000_000)}`));
    const started = performance.now();
    const [outcome] = await importTrajectories({ paths: [join(folder, "long.jsonl")], env });
    rmSync(join(folder, "long.jsonl"));
    expect([outcome?.ok, performance.now() - started < 60_000]).toEqual([true, true]);
    const session = outcome?.ok === true ? outcome.session.session : "";
    const lost: string[] = [];
    for (const command of ["show", "replay view", "replay redecide", "score", "export", "log verify"]) {
      for (const row of (VIEWS[command] ?? []).filter((one) => one.includes("@s") && !one.includes("@t"))) {
        const words = [...command.split(" "), ...row.replace("@s", session).replace("@p", join(folder, "p.policy.yaml")).replace("@u", `http://127.0.0.1:${String((otlp?.address() as AddressInfo).port)}`).replace("@c", join(folder, "state", "heads", `${session}.checkpoint`)).split(" ")].map((word) => (word === "@o" ? join(folder, "long.out") : word));
        const { out, err, ms } = await run(words);
        if (out.length > 256 * 1024 || err.length > 65_536 || ms > MOST_MS || wrongWith(out) !== null) lost.push(`${words.join(" ")}: ${String(out.length)} bytes, ${String(Math.round(ms))} ms`);
      }
    }
    expect(lost).toEqual([]);
  });
});

describe("pages of hostile sessions in a browser", () => {
  const program = browserProgram();
  it.skipIf(program === null)("run our script and none of theirs, ask for nothing, and show what is there as text", { timeout: 120_000 }, async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers.host ?? "");
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      for (const session of [...SESSIONS, imported]) {
        const path = join(folder, `${session}.html`);
        await run(["replay", "view", session, "--html", path]);
        const { dom, refused } = await loadPage(program ?? "", path, (server.address() as AddressInfo).port);
        expect([/<html[^>]*class="js"/u.test(dom), dom.includes(`${OWNED}="1"`), refused, asked.filter((host) => host.includes("evil"))]).toEqual([true, false, [], []]);
        expect(dom.match(/<li class="step/gu)?.length).toBe(HOSTILE.length);
        expect(dom.includes("workspace after it")).toBe(session !== imported);
      }
    } finally {
      server.close();
    }
  });
});
