// The address of an engine that is not behind a socket of this machine, and how it is reached. Plain TCP only over this
// machine's loopback. SSH by the system's own client, with the user's own keys and known hosts.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, type ClientRequestArgs } from "node:http";
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { DockerOptions } from "dockerode";
import { GuardError, printable } from "../../core/shared/index.js";

export type RemoteAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; /** Folder of the files for TLS; null for none. */ readonly certificates: string | null }
  | { readonly kind: "ssh"; /** Words for the client, the host last. */ readonly words: readonly string[]; readonly host: string };

/** A name or an address, without anything a command line could take for an option. */
const HOST = /^[A-Za-z0-9][A-Za-z0-9.:_-]*$/;
const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/;

/** Reads `tcp://…` and `ssh://…`; a text is why it cannot be used. */
export function parseRemote(text: string, certificates: string | null): RemoteAddress | string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "tcp:" && url.protocol !== "ssh:")) return "it is no engine that can be reached; use unix://, tcp:// or ssh://";
  const host = url.hostname.replace(/^\[|\]$/gu, "");
  if (!HOST.test(host) || (url.pathname !== "" && url.pathname !== "/") || url.password !== "") return "its address has parts that are not used";
  if (url.protocol === "ssh:") {
    if (url.username !== "" && !/^[A-Za-z0-9_][A-Za-z0-9._-]*$/u.test(url.username)) return "its user has a name that is not passed on";
    const port = url.port === "" ? [] : ["-p", url.port];
    return { kind: "ssh", words: ["-o", "BatchMode=yes", "-T", ...port, "--", url.username === "" ? host : `${url.username}@${host}`], host };
  }
  if (url.username !== "") return "its address has parts that are not used";
  if (certificates === null && !LOOPBACK.test(host)) return "it is not encrypted; set DOCKER_TLS_VERIFY, or use ssh://";
  return { kind: "tcp", host, port: url.port === "" ? (certificates === null ? 2375 : 2376) : Number(url.port), certificates };
}

/** Where it is, for people. */
export function remoteText(remote: RemoteAddress): string {
  return remote.kind === "ssh" ? `ssh://${remote.host}` : `tcp://${remote.host}:${remote.port}${remote.certificates === null ? "" : " (TLS)"}`;
}

/** How the client reaches it. Throws ENGINE_UNAVAILABLE when the files for TLS cannot be read. */
export function remoteOptions(remote: RemoteAddress): DockerOptions {
  if (remote.kind === "ssh") return { host: remote.host, port: 80, protocol: "http", agent: sshAgent(remote.words) } as DockerOptions;
  const { host, port, certificates } = remote;
  if (certificates === null) return { host, port, protocol: "http" };
  const file = (name: string): string => {
    try {
      return readFileSync(join(certificates, name), "utf8");
    } catch (cause) {
      throw new GuardError("ENGINE_UNAVAILABLE", `cannot read \`${printable(join(certificates, name))}\`, which the engine at ${printable(host)} needs`, { cause });
    }
  };
  return { host, port, protocol: "https", ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") };
}

/** Each connection is a process of the system's client that hands on the far engine's socket. */
function sshAgent(words: readonly string[]): Agent {
  const agent = new Agent({ keepAlive: false });
  const connect = (_options: ClientRequestArgs, done: (error: Error | null, stream: Duplex) => void): void => {
    const child = spawn("ssh", [...words, "docker", "system", "dial-stdio"], { stdio: ["pipe", "pipe", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString("utf8")}`.slice(-400)));
    const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
    // The client treats it as a socket.
    const silent = (): Duplex => stream;
    Object.assign(stream, { setKeepAlive: silent, setNoDelay: silent, setTimeout: silent, ref: silent, unref: silent });
    child.on("error", (error) => stream.destroy(error));
    child.on("exit", (code) => {
      if (code !== 0 && code !== null) stream.destroy(Object.assign(new Error(`ssh ended with ${code}: ${printable(said.trim())}`), { code: "ECONNREFUSED" }));
    });
    stream.on("close", () => child.kill());
    done(null, stream);
  };
  return Object.assign(agent, { createConnection: connect });
}
