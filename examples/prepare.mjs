// Makes the workspace of an example: the package as published, its test runner, and the files the example adds.
// `node examples/prepare.mjs minimist DIR`; DIR must not exist. Runs no script of any package.

import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const NPM_FLAGS = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

const EXAMPLES = new Map([
  ["minimist", { version: "1.2.5", test: "tape test/*.js", tools: ["tape@4.17.0"] }],
  ["qs", { version: "6.2.3", test: "tape test/index.js", tools: ["tape@4.17.0", "safer-buffer@2.1.2", "iconv-lite@0.4.24", "qs-iconv@1.0.4"] }],
  ["shell-quote", { version: "1.6.0", test: "tape test/*.js", tools: ["tape@4.17.0"] }],
]);

const [name = "", target = ""] = process.argv.slice(2);
const example = EXAMPLES.get(name);
if (example === undefined || target === "" || existsSync(target)) {
  console.error(`usage: node examples/prepare.mjs ${[...EXAMPLES.keys()].join("|")} NEW-FOLDER`);
  process.exitCode = 2;
} else {
  prepare(name, example, resolve(target));
}

function prepare(packageName, { version, test, tools }, folder) {
  const scratch = mkdtempSync(join(tmpdir(), "ringfence-example-"));
  try {
    mkdirSync(folder, { recursive: true });
    run("npm", ["pack", `${packageName}@${version}`, "--silent", ...NPM_FLAGS], scratch);
    const [archive = ""] = readdirSync(scratch).filter((file) => file.endsWith(".tgz"));
    run("tar", ["-xzf", join(scratch, archive), "-C", folder, "--strip-components=1"], scratch);
    setTestCommand(join(folder, "package.json"), test);
    run("npm", ["install", "--save-dev", "--save-exact", ...NPM_FLAGS, ...tools], folder);
    addFiles(packageName, folder);
    writeFileSync(join(folder, ".gitignore"), "node_modules/\n.env\n");
    run("git", ["init", "--quiet"], folder);
    run("git", ["add", "--all"], folder);
    run("git", ["-c", "user.name=Example", "-c", "user.email=example@example.org", "commit", "--quiet", "-m", `${packageName} ${version}`], folder);
    console.log(folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The published packages name old runners; the example's runner stands in for all of them. */
function setTestCommand(file, test) {
  const text = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, `${JSON.stringify({ ...text, devDependencies: {}, scripts: { test } }, null, 2)}\n`);
}

function addFiles(packageName, folder) {
  const overlay = join(HERE, packageName, "overlay");
  const readme = join(HERE, packageName, "readme.append.markdown");
  if (existsSync(overlay)) cpSync(overlay, folder, { recursive: true });
  if (existsSync(readme)) appendFileSync(join(folder, "readme.markdown"), readFileSync(readme));
}

function run(program, words, cwd) {
  execFileSync(program, words, { cwd, stdio: ["ignore", "ignore", "inherit"], timeout: 180_000 });
}
