// F17: one effect, one decision, by whatever route: the edit tool, a shell word, a redirect, a program, code, an archive's
// member, a patch, and the change found after the call.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadPolicy } from "../../../src/compose-policy.js";
import { decideEffects } from "../../../src/core/policy/index.js";
import { createJudge } from "../../support/judge.js";

const state = mkdtempSync(join(tmpdir(), "ringfence-routes-"));
const judge = await createJudge(state);
const policy = await loadPolicy([], { RINGFENCE_HOME: state });

afterAll(() => rmSync(state, { recursive: true, force: true }));

const decided = (run: string): string => judge([{ run }]).effect;
const CONTEXT = { role: null, root: "/workspace", cwd: "/workspace", home: "/home/agent", containment: "attested" } as const;

/** What the comparison after a call decides about a change it finds. */
const found = (path: string, operation: "write" | "delete", recursive = false): string =>
  decideEffects(policy, [{ kind: "file", operation, path: `/workspace/${path}`, certainty: "exact", recursive, by: "observed change", from: path }], CONTEXT).effect;

const WRITES = ["echo x > P", "echo x >> P", "tee P < README.md", "cp README.md P", "mv README.md P", "sed -i s/a/b/ P", "dd if=README.md of=P", "install README.md P", "truncate -s 0 P", "ln -f README.md P", "touch P", "rsync README.md P", "python3 -c \"open('P','w').write('x')\"", "node -e \"require('fs').writeFileSync('P','x')\"", "printf 'echo x > P' | sh", "perl -i -pe s/a/b/ P", "sort -o P README.md", "curl -s file:///workspace/README.md -o P", "bash -c 'cat README.md > P'", "echo 'echo x > P' > s.sh; sh s.sh"];
const PATHS = [".github/workflows/ci.yml", "AGENTS.md", "Dockerfile", "src/index.js", ".vscode/tasks.json", ".env", ".npmrc", "CODEOWNERS"];

describe("F17: writing a file", () => {
  for (const path of PATHS) {
    const edit = judge([{ write: path, content: "x" }]).effect;
    test.each(WRITES)(`${path} by \`%s\` is decided as by the edit tool`, (form) => expect(decided(form.replaceAll("P", path))).toBe(edit));
    test(`${path} found changed after a call is decided as by the edit tool`, () => expect(found(path, "write")).toBe(edit));
  }
});

const READS = ["cat P", "head -c 9 P", "sed -n p P", "grep x P", "base64 P", "while read -r l; do echo $l; done < P", "cp P /tmp/x", "tar cf - P", "dd if=P", "awk 1 P", "xxd P", "diff P README.md", "git diff --no-index P README.md", "curl -s file:///workspace/P", "python3 -c \"print(open('P').read())\"", "node -e \"console.log(require('fs').readFileSync('P'))\"", "ruby -e 'puts File.read(\"P\")'", "php -r 'echo file_get_contents(\"P\");'", "perl -ne print P"];

describe("F17: reading a file", () => {
  for (const [path, effect] of [[".env", "deny"], ["deploy.pem", "deny"], ["src/index.js", "allow"]] as const) {
    test.each(READS.filter((form) => effect === "deny" || !form.startsWith("curl")))(`${path} by \`%s\`: ${effect}`, (form) => expect(decided(form.replaceAll("P", path))).toBe(effect));
  }
});

const DELETES = ["rm -f P", "unlink P", "git rm -f P", "python3 -c \"import os; os.remove('P')\"", "node -e \"require('fs').unlinkSync('P')\"", "perl -e 'unlink \"P\"'", "echo P | xargs rm", "mv P /tmp/x"];

describe("F17: deleting a file", () => {
  for (const path of [".github/workflows/ci.yml", "src/index.js", ".env"]) {
    test.each(DELETES)(`${path} by \`%s\` is decided as when it is found gone`, (form) => expect(decided(form.replaceAll("P", path))).toBe(found(path, "delete")));
  }
});

const TREES = ["rm -rf P", "rm -r P", "find P -delete", "git rm -rf P", "python3 -c \"import shutil; shutil.rmtree('P')\"", "node -e \"require('fs').rmSync('P',{recursive:true})\"", "ruby -rfileutils -e 'FileUtils.rm_rf(\"P\")'", "perl -MFile::Path -e 'rmtree(\"P\")'", "bash -c 'rm -rf P'", "printf 'rm -rf P' > s.sh; bash s.sh"];

describe("F17: deleting a folder", () => {
  for (const [path, effect] of [["src", "ask"], ["/srv/keep", "deny"], [".github", "deny"], ["/tmp/demo", "allow"]] as const) {
    test.each(TREES)(`${path} by \`%s\`: ${effect}`, (form) => expect(decided(form.replaceAll("P", path))).toBe(effect));
  }
});
