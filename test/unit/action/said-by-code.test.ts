// What code says it does to the machine, in the usual languages: only what is spelt out, through names and parameters.

import { describe, expect, it } from "vitest";
import { saidByCode } from "../../../src/core/action/index.js";

const PLACE = { cwd: "/workspace", home: "/home/agent" };

/** Effects as `read /etc/x`, `connect host`, `exec program`, and commands as they are. */
function said(code: string): readonly string[] {
  const { effects, commands } = saidByCode(code, PLACE);
  const lines = effects.map((effect) => (effect.kind === "file" ? `${effect.operation} ${effect.path}` : effect.kind === "connect" ? `connect ${effect.host ?? "?"}${effect.by === "raw socket" ? " by hand" : ""}` : effect.kind === "exec" ? `exec ${effect.argv.join(" ")}` : effect.kind));
  return [...new Set([...lines, ...commands.map((one) => (typeof one === "string" ? `shell ${one}` : `argv ${one.join(" ")}`))])];
}

describe("what code says", () => {
  it.each<[string, string, readonly string[]]>([
    ["a file that is read", "print(open('/etc/shadow').read())", ["read /etc/shadow"]],
    ["a file that is written, by its mode", "name = \"/usr/x.py\"\nwith open(name, 'wb') as f:\n  f.write(b'')", ["write /usr/x.py"]],
    ["a file opened to read, with the mode spelt", "open('/etc/hosts', 'rb')", ["read /etc/hosts"]],
    ["a file removed through a parameter", "def drop(path):\n    os.remove(path)\n\ndrop('/etc/group')", ["delete /etc/group"]],
    ["a method on a path", "from pathlib import Path\nPath('/etc/motd').unlink()", ["delete /etc/motd", "read /etc/motd"]],
    ["a name joined from two", "import os\na = '/usr'\nb = '../etc/gshadow'\np = os.path.join(a, b)\nopen(p)", ["read /etc/gshadow"]],
    ["a list that is gone through", "for p in ['/etc/a', '/etc/b']:\n    open(p)", ["read /etc/a", "read /etc/b"]],
    ["the agent's home", "open(os.path.expanduser('~/.ssh/id_rsa'))", ["read /home/agent/.ssh/id_rsa"]],
    ["a folder that is listed by a pattern", "glob.glob('/etc/*')", ["read /etc"]],
    ["a pattern", "glob.glob('/etc/*.conf')", ["read /etc/*.conf"]],
    ["JavaScript's files", "const fs = require('fs');\nfs.writeFileSync('/etc/cron.d/x', '* * * * *');\nfs.rmSync(\"/var/lib/x\");", ["write /etc/cron.d/x", "delete /var/lib/x"]],
    ["a client of HTTP, through a function", "import requests\ndef get(url):\n    return requests.get(url).text\nget('https://Evil.Example/x')", ["connect evil.example"]],
    ["fetch", "const to = `https://a.example/x`;\nawait fetch(to, { method: 'POST' });", ["connect a.example"]],
    ["a datagram", "import socket\ns = socket.socket()\ns.sendto(b'x', ('127.0.0.1', 53))", ["connect 127.0.0.1 by hand"]],
    ["a connection to a port", "HOST = '10.1.2.3'\ns.connect((HOST, 4444))", ["connect 10.1.2.3 by hand"]],
    ["a shell", "import os\nos.system('cat /etc/passwd | wc')", ["shell cat /etc/passwd | wc"]],
    ["a program with its words", "subprocess.run(['rm', '-rf', '/srv'])", ["argv rm -rf /srv"]],
    ["another user", "os.setuid(0)", ["exec setuid 0"]],
    ["forks without end", "import os\nwhile True:\n    os.fork()", ["exec fork-bomb"]],
  ])("%s", (_name, code, expected) => {
    expect([...said(code)].sort()).toEqual([...expected].sort());
  });

  it.each<[string, string]>([
    ["a name in a comment", "# open('/etc/shadow')\nprint(1)"],
    ["a name in a docstring", "def f():\n    \"\"\"Reads open('/etc/shadow').\"\"\"\n    return 1"],
    ["a name that nothing opens", "assert view('/etc/passwd') == 404\nprint('/etc/shadow')"],
    ["a route and an address in a test", "url = 'https://example.com/x'\nassert validate(url)\nclient.get('/admin/')"],
    ["a request that is built and not sent", "req = requests.Request('GET', 'http://a.example')\nreq.prepare()"],
    ["a literal that is no name", "open('some text with /etc/passwd in it')"],
    ["nothing", ""],
  ])("not %s", (_name, code) => {
    expect(said(code)).toEqual([]);
  });

  it("has an answer for hostile text, in bounded time", () => {
    const hostile = ["(".repeat(200_000), "a.".repeat(100_000), "'".repeat(200_001), "x='/etc/a'\n".repeat(20_000), "def f(a):\n  f(a)\n".repeat(5_000), `open(${"x,".repeat(50_000)}`, "a(".repeat(60_000), `${" ".repeat(60_000)}x = '/etc/a'`, "\u{e000}5\u{e001}", `x${"=x".repeat(60_000)}`, "while ".repeat(20_000)];
    const started = process.cpuUsage().user;
    for (const text of hostile) expect(said(text).length).toBeLessThanOrEqual(120);
    // Microseconds of the processor for all eleven; far above what it takes.
    expect(process.cpuUsage().user - started).toBeLessThan(8_000_000);
  });
});
