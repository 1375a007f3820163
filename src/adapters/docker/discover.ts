// Finds the engine to use. One on this machine is reached by its socket; one elsewhere only over TLS or SSH, or over this
// machine's own loopback: what a session sends must not be read or changed on the way.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { GuardError, printable } from "../../core/shared/index.js";
import { parseRemote, type RemoteAddress } from "./remote-address.js";

export interface DiscoveryInput {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly exists: (path: string) => boolean;
}

/** An engine, and where its name came from. */
export interface EngineAddress {
  /** Its socket on this machine; empty for one that is reached over a network. */
  readonly socketPath: string;
  readonly from: string;
  /** How it is reached otherwise. */
  readonly remote?: RemoteAddress;
}

const DEFAULT_SOCKET = "/var/run/docker.sock";

/**
 * The engines to try, first to last: DOCKER_HOST alone when it is set; else the chosen context; else the usual sockets.
 * Throws ENGINE_REMOTE when DOCKER_HOST or the chosen context names an engine that cannot be reached safely.
 */
export function engineAddresses(input: DiscoveryInput = { environment: process.env, home: homedir(), exists: existsSync }): readonly EngineAddress[] {
  const { environment, home } = input;
  const host = environment["DOCKER_HOST"];
  const isVerified = (environment["DOCKER_TLS_VERIFY"] ?? "") !== "" || (environment["DOCKER_TLS"] ?? "") !== "";
  const certificates = environment["DOCKER_CERT_PATH"] ?? join(home, ".docker");
  if (host !== undefined && host !== "") return [address(host, "DOCKER_HOST", isVerified ? certificates : null)];
  const context = currentContext(input);
  if (context !== null) return [context];
  const places: EngineAddress[] = [{ socketPath: DEFAULT_SOCKET, from: "the default socket" }];
  const runtime = environment["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && runtime !== "") places.push({ socketPath: join(runtime, "docker.sock"), from: "the rootless socket" });
  places.push({ socketPath: join(home, ".docker", "run", "docker.sock"), from: "the socket in your home folder" });
  return places.filter((place, index) => index === 0 || input.exists(place.socketPath));
}

/** @param certificates folder of the files for TLS; null for none */
function address(host: string, from: string, certificates: string | null): EngineAddress {
  if (host.startsWith("unix://")) return { socketPath: host.slice("unix://".length), from };
  if (host.startsWith("/")) return { socketPath: host, from };
  const remote = parseRemote(host, certificates);
  if (typeof remote !== "string") return { socketPath: "", from, remote };
  throw new GuardError("ENGINE_REMOTE", `${from} names \`${printable(host)}\`: ${remote}`);
}

/** The context chosen by DOCKER_CONTEXT or by the client's settings; null for the default one. */
function currentContext({ environment, home, exists }: DiscoveryInput): EngineAddress | null {
  const folder = environment["DOCKER_CONFIG"] ?? join(home, ".docker");
  const name = environment["DOCKER_CONTEXT"] ?? textField(readJson(join(folder, "config.json"), exists), "currentContext");
  if (name === null || name === "" || name === "default") return null;
  const digest = createHash("sha256").update(name).digest("hex");
  const meta = readJson(join(folder, "contexts", "meta", digest, "meta.json"), exists);
  const host = textField(field(field(meta, "Endpoints"), "docker"), "Host");
  const from = `the context \`${printable(name)}\``;
  if (host === null) throw new GuardError("ENGINE_UNAVAILABLE", `${from} names no engine`, { hint: "run `docker context use default`, or mend the context" });
  const certificates = join(folder, "contexts", "tls", digest, "docker");
  return address(host, from, exists(join(certificates, "ca.pem")) ? certificates : null);
}

function readJson(path: string, exists: (path: string) => boolean): unknown {
  if (!exists(path)) return null;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new GuardError("ENGINE_UNAVAILABLE", `cannot read \`${printable(path)}\`, which names the engine`, { cause, hint: "mend or remove the file" });
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null;
}

function textField(value: unknown, name: string): string | null {
  const text = field(value, name);
  return typeof text === "string" ? text : null;
}
