// What a line presupposes is laid out before it runs: the files and folders it speaks of, keys and remotes, a history.

import { parentOf } from "../../../src/core/action/paths.js";
import type { ActionEffect } from "../../../src/core/action/effects.js";
import { seedFor } from "./lines.js";

/** Shell text that lays out what a line of these effects works on. */
export function layoutFor(text: string, effects: readonly ActionEffect[]): string {
  const lines = [PREPARED, installedFor(text), controlled(text), scriptsOf(text), seedFor(text), searchedOf(text)];
  // What a search looks for is there, is old, and holds the words of the line.
  const folders = [...new Set([".", ...effects.flatMap((effect) => (effect.kind === "file" && effect.operation === "read" && effect.certainty === "exact" && effect.recursive ? [effect.path] : []))])].slice(0, 4);
  for (const match of [...given(text).matchAll(/-i?(?:name|path|wholename)\s+(?:"([^"]+)"|'([^']+)'|\\?["']?([^"'\s;)]+))/g)].slice(0, 6)) {
    const name = sample(match[1] ?? match[2] ?? match[3] ?? "")?.split("/").pop() ?? "";
    if (!/^[\w. -]{1,60}$/.test(name)) continue;
    for (const folder of folders) if (!/^\/(?:usr|bin|sbin|lib|etc|proc|sys|dev)?(?:\/|$)(?:$)|'/.test(folder)) lines.push(`mkdir -p '${folder}/deep/er/est' && for p in '${folder}' '${folder}/deep/er/est'; do ${/-type d\b/.test(text) ? `mkdir -p "$p/${name}"` : `printf '%s\\n' "$WORDS" > "$p/${name}"`}; touch -d '10 days ago' "$p/${name}"; done 2>/dev/null || :`, `mkdir -p '${folder}/${name}.d' 2>/dev/null || :`);
  }
  for (const effect of effects) {
    if (effect.kind !== "file" || effect.operation === "write" || effect.operation === "create" || lines.length > 30) continue;
    const path = effect.certainty === "exact" ? effect.path : sample(effect.path);
    if (path === null || /^\/(?:usr|bin|sbin|lib|lib64|etc|proc|sys|dev|run)(?:\/|$)|'/.test(path) || path === "/" || path.length > 300) continue;
    const folder = effect.recursive;
    lines.push(folder ? `[ -e '${path}' ] || { mkdir -p '${path}/deep/er/est' && for p in '${path}' '${path}/deep/er/est'; do printf 'one\\n' > "$p/one.txt"; touch -d '10 days ago' "$p/one.txt"; done; } 2>/dev/null || :` : `[ -e '${path}' ] || { mkdir -p '${parentOf(path)}' && printf 'one\\ntwo\\n' > '${path}'; } 2>/dev/null || :`);
  }
  for (const effect of effects) {
    if (effect.kind !== "file" || (effect.operation !== "write" && effect.operation !== "create")) continue;
    const path = effect.certainty === "exact" ? effect.path : sample(effect.path);
    if (path !== null && !/^\/(?:usr|bin|sbin|lib|proc|sys|dev)(?:\/|$)|'/.test(path)) lines.push(`mkdir -p '${parentOf(path)}' 2>/dev/null || :`);
  }
  // A name that is a host's is no file's.
  for (const effect of effects) if (effect.kind === "connect" && effect.host !== null && /^[\w.-]+$/.test(effect.host)) lines.push(`rm -f './${effect.host}'`);
  lines.push(atLast(text));
  return `WORDS=${quoted(text.slice(0, 400))}\n${lines.join("\n")}`;
}

/** The text with the values that stand in front of it in the places of its arguments and variables. */
function given(text: string): string {
  const values = new Map([...text.matchAll(/(?:^|; )([A-Za-z_]\w*)=([\w./-]+)(?=; )/g)].map(([, name = "", value = ""]): [string, string] => [name, value]));
  const places = /^set -- (\S+) (\S+);/.exec(text);
  if (places !== null) for (const at of [1, 2]) values.set(String(at), places[at] ?? "");
  return text.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => values.get(name) ?? whole);
}

/** What a line removes or brings up to date is installed, and a package or bundle that it names by its path is one. */
function installedFor(text: string): string {
  const plain = (after: RegExp): readonly string[] => [...text.matchAll(after)].flatMap(([, words]) => (words ?? "").split(/\s+/)).filter((word) => /^[a-z@][\w./@-]*$/i.test(word)).slice(0, 4);
  const modules = plain(/\bp?npm ((?:[\w-]+ )+[^;|&]*)/g).map((name) => `for d in node_modules /usr/local/lib/node_modules; do mkdir -p "$d/${name}" && printf '{"name":"%s","version":"1.0.0"}\\n' '${name}' > "$d/${name}/package.json"; done`);
  const named = plain(/\bgh ext(?:ension)? \w+ ([\w-]+)/g);
  const extensions = (named.length === 0 && /\bgh ext(?:ension)? (?:upgrade|list)\b/.test(text) ? ["example"] : named).map((name) => `e=/home/agent/.local/share/gh/extensions/gh-${name}; mkdir -p $e && git init -q $e && git -C $e remote add origin https://github.com/example/gh-${name} && printf '#!/bin/sh\\n' > $e/gh-${name} && chmod +x $e/gh-${name}`);
  const crates = plain(/--path ([\w./-]+)/g).map((path) => `mkdir -p '${path}/src' && printf '[package]\\nname = "q"\\nversion = "1.0.0"\\nedition = "2021"\\n[dependencies]\\nserde = "1"\\n' > '${path}/Cargo.toml' && printf 'fn main() {}\\n' > '${path}/src/main.rs'`);
  const registries = plain(/--registry ([\w-]+)/g).map((name) => `mkdir -p /home/agent/.cargo && printf '[registries.%s]\\nindex = "https://host.example/index"\\ntoken = "x"\\n' '${name}' >> /home/agent/.cargo/config.toml`);
  const projects = plain(/\bpip3? (?:install|wheel|download)((?: [^;|&]*)?)/g).filter((word) => word.includes("/") && !/\.\w+$/.test(word)).map((path) => `mkdir -p '${path}' && printf '[project]\\nname = "q"\\nversion = "1.0.0"\\ndependencies = ["requests"]\\n' > '${path}/pyproject.toml'`);
  const lists = plain(/\b(?:aria2c|wget|curl) (?:[^;|&]* )?-(?:i|-input-file|K)[ =]?([\w./-]+)/g).map((path) => `mkdir -p "$(dirname '${path}')" && printf 'https://host.example/p\\n' > '${path}'`);
  const pairs = plain(/\bhydra (?:[^;|&]* )?-C ([\w./-]+)/g).map((path) => `mkdir -p "$(dirname '${path}')" && echo a:b > '${path}'`);
  const bundles = plain(/([\w./-]+\.bundle)/g).map((path) => `mkdir -p "$(dirname '${path}')" && git bundle create -q '${path}' --all`);
  return [...modules, ...extensions, ...crates, ...registries, ...projects, ...lists, ...certificatesOf(text), ...pairs, ...bundles].join("\n");
}

/** Keys, requests and certificates that `openssl` is to read. */
function certificatesOf(text: string): readonly string[] {
  if (!/\bopenssl\b/.test(text)) return [];
  const names = [...text.matchAll(/ -(?:in|inkey|key|signkey|cert|CA|CAkey|certfile) ([\w./-]+)/g)].map(([, name]) => name ?? "").slice(0, 4);
  const kinds: Readonly<Record<string, string>> = { key: "key", csr: "csr", req: "csr", p12: "p12", pfx: "p12" };
  const made = "openssl req -x509 -newkey rsa:1024 -nodes -keyout /tmp/key -out /tmp/crt -subj /CN=host.example -days 9 && openssl req -new -key /tmp/key -subj /CN=host.example -out /tmp/csr && openssl pkcs12 -export -inkey /tmp/key -in /tmp/crt -passout pass:y -out /tmp/p12";
  return [made, ...names.map((name) => `mkdir -p "$(dirname '${name}')" && cp /tmp/${kinds[name.split(".").pop() ?? ""] ?? (/key/.test(name) ? "key" : "crt")} '${name}'`)];
}

/** What a line reads as a link is one, what it scans are addresses, a folder it works in has the files of this one, and files that git is to bring back were committed, on both branches, and changed since. */
function atLast(text: string): string {
  const links = [...text.matchAll(/readlink (?:-\w+ )*["']?([\w./-]+)/g)].map(([, name]) => `[ -L '${name}' ] || ln -sfn file.txt '${name}'`).slice(0, 3);
  const addresses = /\b(?:masscan|nmap|fping|zmap|nping)\b/.test(text) ? ["for f in path/to/file path/to/file.txt; do [ -f $f ] && printf '192.0.2.1\\n192.0.2.2\\n' > $f; done"] : [];
  const committed = /\bgit\b/.test(text) ? ["git add -A && git -c user.name=a -c user.email=a@a.invalid commit -qm three; git branch -f feature", ...(/\bgit (?:pull|rebase)\b/.test(text) ? [] : ["for f in path/to/file file.txt README.md src/index.js; do [ -f $f ] && echo more >> $f; done"])] : [];
  const added = /\bgit submodule add\b/.test(text) ? ["git rm -rqf --ignore-unmatch path/to && git -c user.name=a -c user.email=a@a.invalid commit -qm four; rm -rf path/to"] : [];
  const copies = [...text.matchAll(/ -C ([A-Za-z][\w.-]*)(?= |$)/g)].map(([, name]) => `[ -e '/scene/${name}' ] || { mkdir -p '${name}' && cp -a /scene/. '${name}'; }`).slice(0, 2);
  // A class of letters that stands without quotes is meant for a program: no file has such a name.
  const classes = /(?<!["'[])\[:\w+:\]/.test(text) ? ["rm -f [a-z]"] : [];
  return [...links, ...addresses, ...copies, ...committed, ...added, ...submodules(text), ...classes, ...tracked(text)].join("\n");
}

/** A working copy of the program that a line speaks of, whose repository lies elsewhere; settings without which it does nothing. */
function controlled(text: string): string {
  const copies: readonly (readonly [RegExp, string])[] = [
    [/\bhg\b/, "hg init -q && printf '[paths]\\ndefault = https://example.invalid/p\\n' > .hg/hgrc && hg branch -q feature && echo h > h && hg add -q h && hg commit -q -u a -m one && hg bookmark -i bookmark && hg update -q default"],
    [/\bfossil (?!clone|open|init|new)/, "export HOME=/home/agent USER=a; fossil init /tmp/p.fossil && fossil open --force /tmp/p.fossil && fossil user default a && fossil remote-url https://example.invalid/p"],
    [/\bsvn\b/, "svnadmin create /tmp/p.svn && svn checkout -q file:///tmp/p.svn ."],
    [/\bcvs\b/, "mkdir -p CVS && echo ':pserver:a@host.example:/p' > CVS/Root && echo p > CVS/Repository && : > CVS/Entries && printf '/1 :pserver:a@host.example:2401/p Ay=0=h<Z\\n' > /home/agent/.cvspass; echo 'cvs -d :pserver:a@host.example:/p' > /home/agent/.cvsrc"],
    [/\bcomposer\b/, `printf '{"require":{"example/q":"^1.0"}}' > composer.json; printf '{"content-hash":"0","packages":[{"name":"example/q","version":"1.0.0"}],"packages-dev":[]}' > composer.lock`],
    [/\bsshfs\b/, `mkdir -p '${/\bsshfs (?:[^;|&]* )?([\w./-]+)$/.exec(text)?.[1] ?? "mountpoint"}'`],
    [/\bnix\b/, "mkdir -p /etc/nix && printf 'experimental-features = nix-command flakes\\n' >> /etc/nix/nix.conf; printf '{ inputs.input.url = \"github:example/q\"; outputs = { self, input }: { }; }\\n' > flake.nix; git add flake.nix"],
  ];
  return copies.flatMap(([named, lines]) => (named.test(text) ? [`(${lines}) || :`] : [])).join("\n");
}

/** What a line sends to another kind of repository was changed in a working copy of it. */
function tracked(text: string): readonly string[] {
  const svn = /\bsvn\b/.test(text) && !/\bgit svn\b/.test(text) ? ["svn add -q --force . && svn commit -q -m one --username a && svn propset -q a b -R .", `python3 -c 'import sqlite3; c = sqlite3.connect(".svn/wc.db"); c.execute("update REPOSITORY set root = ?", ("https://example.invalid/p",)); c.commit()'`] : [];
  const cvs = /\bcvs\b/.test(text) ? ["find . -type d -not -path '*/.git*' -not -name CVS | while read -r d; do mkdir -p $d/CVS; cp CVS/Root $d/CVS/; printf 'p/%s\\n' $d > $d/CVS/Repository; find $d -maxdepth 1 -type f -printf '/%f/1.1/Thu Jan  1 00:00:01 1970//\\n' > $d/CVS/Entries; done"] : [];
  const from = "https://example.invalid/p";
  const gitSvn = /\bgit svn (?!clone\b|init\b)/.test(text) ? [`git svn init ${from}; git add -A; git -c user.name=a -c user.email=a@a.invalid commit -qm svn -m 'git-svn-id: ${from}@1 0b1b4b0e-0000-4000-8000-000000000001'; git update-ref refs/remotes/git-svn HEAD`] : [];
  return [...svn, ...cvs, ...gitSvn];
}

/** A submodule that is checked out, and whose repository lies elsewhere. */
function submodules(text: string): readonly string[] {
  if (!/\bgit submodule (?!add\b)/.test(text)) return [];
  const from = "https://github.com/example/sub.git";
  return [
    "git init -q /tmp/sub && echo s > /tmp/sub/s && git -C /tmp/sub add s && git -C /tmp/sub -c user.name=a -c user.email=a@a.invalid commit -qm one",
    "git -c protocol.file.allow=always submodule add -q /tmp/sub sub",
    `git config -f .gitmodules submodule.sub.url ${from} && git config submodule.sub.url ${from} && git -C sub remote set-url origin ${from}`,
    "git add -A && git -c user.name=a -c user.email=a@a.invalid commit -qm sub",
  ];
}

/** Scripts that a line runs hand their input, or the names they are given, on. */
function scriptsOf(text: string): string {
  const bodies: Readonly<Record<string, string>> = { sh: "[ $# -gt 0 ] && printf '%s\\n' \"$@\" || cat", pl: "print while <STDIN>;", py: "import sys; sys.stdout.write(sys.stdin.read())", rb: "print STDIN.read", awk: "{ print }" };
  const names = [...new Set([...text.matchAll(/(?<![\w./-])((?:[\w-]+\/)*[\w-]+)\.(sh|pl|py|rb|awk)(?![\w./])/g)].map(([name]) => name))].slice(0, 4);
  return names.map((name) => `mkdir -p "$(dirname '${name}')" && printf '%s\\n' ${quoted(bodies[name.split(".").pop() ?? ""] ?? "")} > '${name}' && chmod +x '${name}' || :`).join("\n");
}

/** Names and words that a line's searches look for are there to be found. */
function searchedOf(text: string): string {
  const words = [...text.matchAll(/grep\s+(?:-[\w-]+\s+)*["']?([\w][\w ._-]{1,40}?)["'$|]/g)].map((match) => (match[1] ?? "").trim()).slice(0, 3);
  return words.map((word) => `mkdir -p 'deep/er/${word}' '${word} folder' && printf '%s\\n' "$WORDS" > 'deep/er/${word}/${word}.txt'`).join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Keys, accounts, remotes and lists that a program asks for before it does its work; none of them is real. */
const PREPARED = String.raw`
cd /workspace && git add -A && git -c user.name=a -c user.email=a@a.invalid commit -qm two
git remote set-url origin https://github.com/example/p.git
for r in remote_name upstream remote origin2; do git remote add $r https://example.invalid/p.git; done
mkdir -p /home/agent/.config/gh && printf 'github.com:\n  oauth_token: x\n  user: a\n  git_protocol: https\n' > /home/agent/.config/gh/hosts.yml
printf '{"name":"p","version":"1.0.0","scripts":{"test":"true"},"dependencies":{"left-pad":"1.3.0"}}\n' > package.json
printf '[tool.poetry]\nname = "p"\nversion = "1.0.0"\ndescription = ""\nauthors = []\n[tool.poetry.dependencies]\npython = "^3.9"\nrequests = "^2"\n' > pyproject.toml
git config branch.main.remote origin; git config branch.main.merge refs/heads/main
printf '//registry.npmjs.org/:_authToken=x\n' > /home/agent/.npmrc
printf 'module example.invalid/p\n\ngo 1.19\n\nrequire example.invalid/q v1.0.0\n' > go.mod
printf 'example.invalid/q v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nexample.invalid/q v1.0.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n' > go.sum
printf 'package main\n\nimport _ "example.invalid/q"\n\nfunc main() {}\n' > main.go
printf '#!/bin/sh\nexec wget -q -O /dev/null "$1"\n' > /usr/local/bin/xdg-open; chmod +x /usr/local/bin/xdg-open
head -c 2000000 /dev/zero > big.bin; touch -d '10 days ago' big.bin
printf 'one\ntwo\n' > list.txt
printf 'mailserver.example\nhost.example\n' > ips; cp ips hosts.txt
printf 'defaults\nhost mailserver.example\nfrom a@host.example\naccount default\n' > /etc/msmtprc
printf '[package]\nname = "p"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\nserde = "1"\n' > Cargo.toml
printf 'fn main() {}\n' > src/main.rs
printf 'requests\n' > requirements.txt
mkdir -p /home/agent/.config/pip; for f in /etc/pip.conf /home/agent/.config/pip/pip.conf; do printf '[command]\noption = x\n' > $f; done
python3 -c 'import struct; open("/var/run/utmp", "wb").write(struct.pack("=hxxi32s4s32s256shhiii4i20x", 7, 1, b"pts/0", b"ts/0", b"agent", b"host.example.com", 0, 0, 0, 1700000000, 0, 0, 0, 0, 0))'
mkdir -p /home/backup /home/testuser/log /destination /target /path/to
`;

/** One name that a glob names. */
function sample(glob: string): string | null {
  const out = glob.replace(/\/\*\*(?=\/|$)/g, "/s").replace(/\[!?([^\]])[^\]]*\]/g, "$1").replace(/\*+/g, "x").replace(/\?/g, "x").replace(/\\(.)/g, "$1");
  return /[{}()]/.test(out) ? null : out;
}
