// The rules of the layers, derived from the source text again, so that switching off one checker does not switch off the rule.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const SRC = join(ROOT, "src");

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files = collect(SRC).map((path): SourceFile => {
  const text = readFileSync(path, "utf8");
  return { path: relative(SRC, path), text, imports: importsOf(text).map((target) => resolve(relative(SRC, path), target)) };
});

/** What each layer may import, besides itself. Packages are listed apart. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ports: ["core"],
  engine: ["ports", "core"],
  adapters: ["ports", "core"],
  config: ["ports", "core"],
};

/** Packages that only one place may import. */
const HOMES: Readonly<Record<string, RegExp>> = {
  dockerode: /^adapters\/docker\//,
  execa: /^adapters\/process\//,
  chokidar: /^adapters\/watch\//,
  pino: /^adapters\/log\//,
  commander: /^surfaces\/cli\//,
  minimatch: /^core\/policy\/match-path-test\.ts$/,
  unbash: /^core\/shell\//,
  yaml: /^core\/policy\//,
  zod: /^core\/policy\//,
  "ae-cvss-calculator": /^core\/risk\//,
  "node-sqlite3-wasm": /^adapters\/store\//,
};

/** Modules inside core and what each may import; `type` imports of shared shapes are left out below. */
const CORE: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  archive: ["shared"],
  image: ["shared"],
  channel: ["shared"],
  content: ["shared"],
  ledger: ["shared", "content", "session"],
  action: ["shared"],
  shell: ["shared", "action"],
  import: ["shared", "action"],
  policy: ["shared", "content", "action", "shell"],
  approval: ["shared", "action", "shell", "policy"],
  reconcile: ["shared", "action", "policy"],
  risk: ["shared", "action", "policy", "reconcile", "session"],
  session: ["shared", "action", "policy", "reconcile", "risk"],
  bundle: ["shared", "reconcile", "ledger", "session"],
  replay: ["shared", "action", "shell", "import", "policy", "approval", "reconcile", "risk", "ledger", "session"],
  export: ["shared", "import", "policy", "reconcile", "risk", "session", "replay"],
};

describe("layers", () => {
  it("finds the source files it is about", () => {
    expect(files.length).toBeGreaterThan(60);
    const layers = new Set(files.map((file) => file.path.split("/")[0]));
    expect(["core", "ports", "engine", "adapters", "surfaces"].filter((layer) => !layers.has(layer))).toEqual([]);
  });

  it("imports go one way", () => {
    const wrong = files.flatMap((file) => {
      const layer = file.path.split("/")[0] ?? "";
      const allowed = LAYERS[layer];
      if (allowed === undefined) return [];
      return file.imports.filter((target) => target.startsWith("src/")).map((target) => target.slice(4)).filter((target) => {
        const to = target.split("/")[0] ?? "";
        return to !== layer && !allowed.includes(to);
      }).map((target) => `${file.path} -> ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it("modules of core import one way", () => {
    const wrong = files.filter((file) => file.path.startsWith("core/")).flatMap((file) => {
      const from = file.path.split("/")[1] ?? "";
      const allowed = CORE[from];
      const values = importsOf(file.text, true).map((target) => resolve(file.path, target));
      return values
        .filter((target) => target.startsWith("src/core/"))
        .map((target) => target.split("/")[2] ?? "")
        .filter((to) => to !== from && allowed?.includes(to) !== true)
        .map((to) => `${file.path} -> ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  it("core takes nothing from Node, the clock or chance", () => {
    const banned = /\b(?:process\.|Buffer\b|Date\b|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|fetch\(|console\.|globalThis)/;
    const wrong = files.filter((file) => file.path.startsWith("core/")).flatMap((file) => {
      const node = file.imports.filter((target) => target.startsWith("node:"));
      const words = banned.exec(stripped(file.text));
      return [...node.map((target) => `${file.path} imports ${target}`), ...(words === null ? [] : [`${file.path} uses ${words[0]}`])];
    });
    expect(wrong).toEqual([]);
  });

  it("a package is imported only in its home", () => {
    const wrong = files.flatMap((file) =>
      file.imports.filter((target) => HOMES[target] !== undefined && HOMES[target]?.test(file.path) !== true).map((target) => `${file.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("each named package does its work somewhere", () => {
    const used = new Set(files.flatMap((file) => file.imports));
    expect(["dockerode", "execa", "chokidar", "minimatch", "pino"].filter((name) => !used.has(name))).toEqual([]);
  });

  it("no file is longer than 400 lines", () => {
    const long = files.filter((file) => file.text.split("\n").length > 401).map((file) => file.path);
    expect(long).toEqual([]);
  });

  it("no module keeps state in a top-level variable", () => {
    const wrong = files.filter((file) => /^(?:export )?let /m.test(file.text)).map((file) => file.path);
    expect(wrong).toEqual([]);
  });

  it("nothing is exported as default or wholesale", () => {
    const wrong = files.filter((file) => /^export (?:default|\* from)/m.test(file.text)).map((file) => file.path);
    expect(wrong).toEqual([]);
  });

  it("no checker is silenced in the source", () => {
    const wrong = files.filter((file) => /@ts-(?:ignore|nocheck|expect-error)|(?:oxlint|eslint)-disable/.test(file.text)).map((file) => file.path);
    expect(wrong).toEqual([]);
  });

  it("every file says what it is", () => {
    const wrong = files.filter((file) => !/^(?:#!.*\n)?\/\/ \S/.test(file.text) && !file.path.endsWith("index.ts")).map((file) => file.path);
    expect(wrong).toEqual([]);
  });
});

function collect(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return collect(path);
    return name.endsWith(".ts") ? [path] : [];
  });
}

function importsOf(text: string, valuesOnly: boolean = false): readonly string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s+)?[^;"']*?from\s+["']([^"']+)["']/gm)) {
    if (!valuesOnly || (match[1] === undefined && !isTypeOnlyList(match[0]))) found.push(match[2] ?? "");
  }
  for (const match of text.matchAll(/^import\s+["']([^"']+)["']/gm)) found.push(match[1] ?? "");
  for (const match of text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g)) found.push(match[1] ?? "");
  return found;
}

/** `import { type A, type B } from` brings in no value. */
function isTypeOnlyList(statement: string): boolean {
  const list = /\{([^}]*)\}/.exec(statement)?.[1];
  if (list === undefined) return false;
  return list.split(",").map((part) => part.trim()).filter((part) => part !== "").every((part) => part.startsWith("type "));
}

function resolve(from: string, target: string): string {
  if (!target.startsWith(".")) return target;
  const parts = from.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return `src/${parts.join("/").replace(/\.js$/, ".ts")}`;
}

/** The text without comments and strings, roughly: enough not to trip over words in them. */
function stripped(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^\s*\/\/.*$/gm, "")
    .replace(/\s\/\/ .*$/gm, "")
    .replace(/`(?:[^`\\]|\\.)*`/g, "``")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replace(/\/(?![*/])(?:[^/\\\n]|\\.)+\/[a-z]*/g, "//");
}
