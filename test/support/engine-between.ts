// An engine in between: what is asked of it is asked of the engine of this machine, with another filter of system calls in every container
// that is made. Asked what it made, it names the filter that it was asked for. So a test has a kernel that lacks what the filter refuses.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type IncomingMessage, type RequestOptions } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineAddresses } from "../../src/adapters/docker/discover.js";
import type { SeccompProfile } from "../../src/adapters/docker/seccomp-profile.js";

export interface EngineBetween {
  readonly socketPath: string;
  close(): Promise<void>;
}

interface Container {
  readonly HostConfig?: { readonly SecurityOpt?: readonly string[] };
}

const SECCOMP = "seccomp=";

/** @param change another filter in place of the one that is asked for */
export async function engineBetween(change: (asked: SeccompProfile) => SeccompProfile): Promise<EngineBetween> {
  const folder = mkdtempSync(join(tmpdir(), "ringfence-between-"));
  const socketPath = join(folder, "engine.sock");
  const engine = engineAddresses()[0]?.socketPath ?? "";
  const asked = new Map<string, string>();
  const put = (container: Container, other: (filter: string) => string): Container => ({ ...container, HostConfig: { ...container.HostConfig, SecurityOpt: (container.HostConfig?.SecurityOpt ?? []).map((option) => (option.startsWith(SECCOMP) ? SECCOMP + other(option.slice(SECCOMP.length)) : option)) } });
  const make = (filter: string): string => {
    const changed = JSON.stringify(change(JSON.parse(filter) as SeccompProfile));
    asked.set(changed, filter);
    return changed;
  };
  const to = ({ url, method, headers }: IncomingMessage): RequestOptions => ({ socketPath: engine, path: url, method, headers });
  // The client of the engine writes what it asks for into the address, too.
  const server = createServer({ maxHeaderSize: 1024 * 1024 }, (from, answer) => {
    void (async () => {
      const isMade = from.method === "POST" && /\/containers\/create(?:\?|$)/u.test(from.url ?? "");
      const isAsked = from.method === "GET" && /\/containers\/[^/]+\/json(?:\?|$)/u.test(from.url ?? "");
      const body = isMade ? Buffer.from(JSON.stringify(put(JSON.parse((await whole(from)).toString("utf8")) as Container, make))) : null;
      const options = to(from);
      const forward = request(body === null ? options : { ...options, headers: { ...from.headers, "content-length": body.length } }, (said) => {
        void (async () => {
          if (!isAsked || said.statusCode !== 200) {
            answer.writeHead(said.statusCode ?? 502, said.headers);
            said.pipe(answer);
            return;
          }
          const told = JSON.stringify(put(JSON.parse((await whole(said)).toString("utf8")) as Container, (filter) => asked.get(filter) ?? filter));
          answer.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(told) });
          answer.end(told);
        })();
      });
      forward.on("error", () => answer.destroy());
      answer.on("close", () => forward.destroy());
      if (body === null) from.pipe(forward);
      else forward.end(body);
    })();
  });
  // A stream that is attached: the request goes on as it came, and everything after it.
  server.on("upgrade", (from: IncomingMessage, near, first: Buffer) => {
    const far = connect(engine);
    const head = `${from.method} ${from.url} HTTP/1.1\r\n${from.rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("")}\r\n`;
    // In one: the engine passes what comes after the head alone on to the container.
    far.write(Buffer.concat([Buffer.from(head), first]));
    near.pipe(far).pipe(near);
    for (const each of [near, far]) each.on("error", () => void [near, far].forEach((one) => one.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function whole(from: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk);
  return Buffer.concat(chunks);
}
