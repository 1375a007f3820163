// The tools of a coding agent under the sandbox's filter and limits: what they need is let through.

import { afterEach, describe, expect, it } from "vitest";
import { startedRig, whyNoEngine, type DockerRig } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;
const rigs: DockerRig[] = [];

/** A program that must end well, and what it prints last. */
const TOOLS: Readonly<Record<string, { readonly program: string; readonly last: string }>> = {
  "git: commit, branch, merge, stash, gc, worktrees": {
    program:
      "git init -q r && cd r && git config user.email a@b && git config user.name a && echo 1 > f && git add f && git commit -qm one && git checkout -qb side && echo 2 >> f && git commit -qam two && git checkout -q - && git merge -q side && echo 3 >> f && git stash -q && git stash pop -q && git gc -q && git worktree add -q ../w && git fsck --no-progress && git log --oneline | wc -l",
    last: "2",
  },
  "node: files, child processes, worker threads, watching": {
    program:
      "node -e 'const fs=require(\"fs\"),cp=require(\"child_process\"),{Worker}=require(\"worker_threads\");fs.cpSync(\"original.txt\",\"copy.txt\");const w=fs.watch(\".\",()=>0);w.close();cp.execFileSync(\"true\");new Worker(\"require(\\\"worker_threads\\\").parentPort.postMessage(1)\",{eval:true}).on(\"message\",(m)=>{require(\"net\").createServer().listen(0,\"127.0.0.1\",function(){this.close();console.log(\"node\",m)})})'",
    last: "node 1",
  },
  "npm: a package's own test": { program: `mkdir p && cd p && printf '{"name":"p","version":"1.0.0","scripts":{"test":"node --test"}}' > package.json && printf 'require("node:test")("adds",()=>{})' > a.test.js && npm test >/dev/null && npm pack --silent`, last: "p-1.0.0.tgz" },
  "python: threads, processes, pools, temporary files, asyncio": {
    program:
      "python3 -c 'import concurrent.futures as c,multiprocessing as m,subprocess,tempfile,asyncio,threading\nif __name__==\"__main__\":\n  with m.get_context(\"fork\").Pool(2) as p: a=sum(p.map(abs,[1,-2]))\n  with c.ThreadPoolExecutor(2) as e: b=sum(e.map(abs,[3,-4]))\n  subprocess.run([\"true\"],check=True)\n  with tempfile.TemporaryFile() as f: f.write(b\"x\")\n  async def go(): return (await asyncio.create_subprocess_exec(\"true\")).pid>0\n  print(a,b,asyncio.run(go()))'",
    last: "3 7 True",
  },
  "pytest: a small suite": { program: "printf 'def test_a(tmp_path):\\n  (tmp_path/\"x\").write_text(\"y\")\\n' > test_a.py && python3 -m pytest -q test_a.py >/dev/null && echo passed", last: "passed" },
  "ripgrep, sed, awk, tar, find, xargs, process substitution": {
    program: "rg -c user original.txt >/dev/null && sed -i s/own/new/ original.txt && tar cf a.tar original.txt && tar xf a.tar && find . -name '*.txt' -print0 | xargs -0 -n1 -P2 cat >/dev/null && diff <(sort original.txt) <(sort original.txt) && mkfifo pipe && awk 'BEGIN{print \"fine\"}'",
    last: "fine",
  },
  "local addresses: servers and clients of the sandbox itself": { program: "python3 -c 'import socket as s\nl=s.create_server((\"127.0.0.1\",0));c=s.create_connection(l.getsockname());l.accept()[0].send(b\"hello\");print(c.recv(9).decode(), s.getaddrinfo(\"localhost\",80)[0][4][0])'", last: "hello 127.0.0.1" },
};

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.clean();
});

describe.skipIf(missing !== null)(`tools under the filter${note}`, { timeout: 120_000 }, () => {
  for (const [name, { program, last }] of Object.entries(TOOLS)) {
    it(`work: ${name}`, async () => {
      const { rig, run } = await startedRig({ limits: { memoryBytes: 1024 * 1024 * 1024 } });
      rigs.push(rig);
      const result = await run(program, { timeoutMs: 90_000 });
      expect({ exit: result.exitCode, last: result.stdout.trim().split("\n").at(-1), errors: result.exitCode === 0 ? "" : result.stderr.slice(-2000) }).toEqual({ exit: 0, last, errors: "" });
    });
  }

  it("cannot list network interfaces: asking the kernel by netlink is refused, and only that fails", async () => {
    const { rig, run } = await startedRig();
    rigs.push(rig);
    const result = await run("node -e 'try { require(\"os\").networkInterfaces(); console.log(\"listed\") } catch (error) { console.log(error.code) }'");
    expect(result).toMatchObject({ exitCode: 0, stdout: "ERR_SYSTEM_ERROR\n" });
  });
});
