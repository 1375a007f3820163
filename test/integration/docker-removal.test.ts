// A start that is given up while the engine still makes something: the engine makes it all the same, and it is taken away again.

import Docker from "dockerode";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { engineCall } from "../../src/adapters/docker/engine-call.js";
import { making, nothingMade, removal } from "../../src/adapters/docker/made.js";

const started: { readonly server: Server; readonly folder: string }[] = [];
afterEach(() => {
  for (const { server, folder } of started.splice(0)) {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** An engine that makes a container after a while, whether anybody waits for it or not, and removes no volume that one uses. */
async function slowEngine(afterMs: number): Promise<{ readonly docker: Docker; readonly has: Set<string> }> {
  const has = new Set(["volume"]);
  const folder = mkdtempSync(join(tmpdir(), "ringfence-engine-"));
  const server = createServer((request, response) => {
    const answer = (status: number): void => void response.writeHead(status, { "content-type": "application/json" }).end(status === 204 ? undefined : JSON.stringify({ Id: "made", message: "no" }));
    const what = request.url?.includes("/volumes/") === true ? "volume" : "container";
    if (request.method === "POST") {
      request.resume();
      return void setTimeout(() => (has.add("container"), answer(201)), afterMs);
    }
    if (!has.has(what)) return answer(404);
    if (what === "volume" && has.has("container")) return answer(409);
    has.delete(what);
    answer(204);
  });
  await new Promise<void>((resolve) => server.listen(join(folder, "engine.sock"), resolve));
  started.push({ server, folder });
  return { docker: new Docker({ socketPath: join(folder, "engine.sock") }), has };
}

it("what the engine makes after the start was given up is removed, and so is the volume it holds", async () => {
  const { docker, has } = await slowEngine(300);
  const made = nothingMade();
  const abort = new AbortController();
  const creating = engineCall({ what: "creating the container", limitMs: 10_000, signal: abort.signal }, () => making(made, docker.createContainer({ name: "late", Image: "x" })));
  setTimeout(() => abort.abort(), 50);
  await expect(creating).rejects.toMatchObject({ code: "CANCELLED" });
  const owed = new Set<() => Promise<void>>();
  await removal(docker, "late", made, owed)();
  expect([[...has], owed.size]).toEqual([[], 0]);
});
