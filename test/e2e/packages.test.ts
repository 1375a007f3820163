// The test suites of real packages: inside the sandbox the same exit code and the same output, byte for byte, as outside.
// The packages come from the npm registry.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { treePicture } from "../support/tree-picture.js";
import { createRig, lines, sessionOf, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

interface Suite {
  readonly name: string;
  readonly version: string;
  readonly tools: Readonly<Record<string, string>>;
  readonly test: string;
}

/** Test tools as in the corpus of vulnerable and fixed pairs that these packages come from. */
const SUITES: readonly Suite[] = [
  { name: "minimist", version: "1.2.5", tools: { tape: "4.17.0" }, test: "tape test/*.js" },
  { name: "qs", version: "6.2.4", tools: { tape: "4.17.0", "safer-buffer": "2.1.2", "iconv-lite": "0.4.24", "qs-iconv": "1.0.4" }, test: "tape test/index.js" },
  { name: "shell-quote", version: "1.6.1", tools: { tape: "4.17.0" }, test: "tape test/*.js" },
];

/** The package with its test tools, in a folder of its own, made anew: npm keeps what it fetched. */
function checkout({ name, version, tools, test }: Suite): string {
  const parent = rig.workspace({});
  const npm = (words: readonly string[], cwd: string): string =>
    execFileSync("npm", [...words, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd, encoding: "utf8", timeout: 180_000, env: { ...process.env, HOME: homedir() }, stdio: ["ignore", "pipe", "inherit"] });
  const [archive = ""] = lines(npm(["pack", `${name}@${version}`, "--silent"], parent));
  execFileSync("tar", ["-xzf", archive, "--no-same-owner"], { cwd: parent });
  const folder = join(parent, name);
  renameSync(join(parent, "package"), folder);
  const file = join(folder, "package.json");
  const about = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  // The package's own runner is older than Node 20, or wants tools that have nothing to do with its tests.
  writeFileSync(file, `${JSON.stringify({ ...about, devDependencies: tools, scripts: { test } }, null, 2)}\n`);
  npm(["install", "--no-package-lock", "--include=dev", "--prefer-offline"], folder);
  return folder;
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
}

function outside(folder: string, words: readonly string[]): Outcome {
  const [file = "", ...rest] = words;
  const env = { PATH: process.env["PATH"] ?? "", HOME: rig.home, LANG: "C.UTF-8", npm_config_update_notifier: "false" };
  try {
    return { code: 0, stdout: execFileSync(file, rest, { cwd: folder, encoding: "latin1", env, stdio: ["ignore", "pipe", "pipe"] }) };
  } catch (error) {
    const { status, stdout } = error as { readonly status: number | null; readonly stdout: string };
    return { code: status ?? -1, stdout };
  }
}

describe.skipIf(missing !== null)("the test suite of a real package", () => {
  it.each(SUITES)("$name $version: same exit code, same output, untouched folder; and the same when it fails", async (suite) => {
    const folder = checkout(suite);
    // Through a file: what Node has not written to a slow pipe when an exception ends it is lost, outside as well as inside.
    const direct = (told: string): string => `node_modules/.bin/${suite.test} > ${told}; code=$?; cat ${told}; rm ${told}; exit $code`;
    const asNpm = ["npm", "test"];
    const before = treePicture(folder, { exact: true });

    const expected = outside(folder, asNpm);
    expect([expected.code, expected.stdout]).toEqual([0, expect.stringMatching(/\n# ok\n/u)]);
    const inside = await rig.run(["exec", "--workspace", folder, "--", ...asNpm]);
    expect({ code: inside.code, stdout: inside.stdout.toString("latin1") }).toEqual(expected);
    expect(inside.err).toMatch(/^ringfence: session ses_[a-z0-9]+: no file changed\n$/u);
    expect(treePicture(folder, { exact: true })).toEqual(before);

    // One broken source file: the failures must be told as outside, too. tape prints paths and stacks, so the root has to be
    // named the same on both sides: the failing output is compared with the folder's name replaced. Lines of Node's own sources
    // are those of its version, which here is whatever this machine has.
    const main = ["index.js", "lib/parse.js"].find((path) => existsSync(join(folder, path))) ?? "index.js";
    writeFileSync(join(folder, main), `${readFileSync(join(folder, main), "utf8")}\nmodule.exports = function () { return null; };\n`);
    const failing = outside(folder, ["bash", "--norc", "--noprofile", "-c", direct(join(rig.scratch, "told"))]);
    expect(failing.code).not.toBe(0);
    const broken = await rig.run(["exec", "--workspace", folder, "--shell", direct("/tmp/told")]);
    const place = (text: string, root: string): string => text.replaceAll(root, "ROOT").replace(/\(node:internal\/([^:)]+):\d+:\d+\)/gu, "(node:internal/$1)");
    expect({ code: broken.code, stdout: place(broken.stdout.toString("latin1"), "/workspace") }).toEqual({ ...failing, stdout: place(failing.stdout, folder) });
    expect((await rig.run(["log", "verify", sessionOf(broken)])).code).toBe(0);
  });
});
