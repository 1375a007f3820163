// Finds the container engine to use and asks whether it answers. Starts and changes nothing.

import { request } from "node:http";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { readJson, sha256 } from "./hash.mjs";

export const DEFAULT_SOCKET = "/var/run/docker.sock";
const PING_MS = 3_000;

/**
 * @typedef {object} Candidate
 * @property {string} host as DOCKER_HOST takes it
 * @property {string} from where the name comes from, for messages
 * @property {boolean} explicit the user named it: no other is tried in its place
 *
 * @typedef {object} EngineFact
 * @property {"ready" | "silent" | "forbidden" | "elsewhere"} state
 * @property {Candidate} candidate the engine that answered, or the one that should have
 * @property {string} detail why not
 */

/**
 * The engines to try, first to last, in the order of Docker's own client: DOCKER_HOST, the context, the default socket.
 * @param {{readonly env: Readonly<Record<string, string | undefined>>, readonly contextHost: {readonly name: string, readonly host: string} | null, readonly home?: string, readonly exists?: (path: string) => boolean}} facts
 * @returns {readonly Candidate[]} at least one
 */
export function engineCandidates({ env, contextHost, home = homedir(), exists = existsSync }) {
  const named = env["DOCKER_HOST"];
  if (named !== undefined && named !== "") return [{ host: named.startsWith("/") ? `unix://${named}` : named, from: "DOCKER_HOST", explicit: true }];
  if (contextHost !== null) return [{ host: contextHost.host, from: `the context \`${contextHost.name}\``, explicit: true }];
  const list = [{ host: `unix://${DEFAULT_SOCKET}`, from: "the default socket", explicit: false }];
  const runtimeFolder = env["XDG_RUNTIME_DIR"];
  const others = [
    ...(runtimeFolder === undefined || runtimeFolder === "" ? [] : [{ path: join(runtimeFolder, "docker.sock"), from: "the rootless socket" }]),
    { path: join(home, ".docker", "run", "docker.sock"), from: "the socket in your home folder" },
  ];
  return [...list, ...others.filter(({ path }) => exists(path)).map(({ path, from }) => ({ host: `unix://${path}`, from, explicit: false }))];
}

/**
 * The engine address of the chosen context, read from the client's own files; null for the default one.
 * @param {Readonly<Record<string, string | undefined>>} env
 */
export function currentContext(env) {
  const folder = env["DOCKER_CONFIG"] ?? join(homedir(), ".docker");
  const name = env["DOCKER_CONTEXT"] || readJson(join(folder, "config.json"))?.currentContext;
  if (typeof name !== "string" || name === "" || name === "default") return null;
  const host = readJson(join(folder, "contexts", "meta", sha256(name), "meta.json"))?.Endpoints?.docker?.Host;
  return { name, host: typeof host === "string" && host !== "" ? host : `context://${name}` };
}

/**
 * The first engine that answers; where none does, why not.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Promise<EngineFact>}
 */
export async function findEngine(env) {
  const candidates = engineCandidates({ env, contextHost: currentContext(env) });
  /** @type {EngineFact | null} */
  let first = null;
  for (const candidate of candidates) {
    const answer = candidate.host.startsWith("unix://") ? await pingSocket(candidate) : elsewhere(candidate);
    if (answer.state === "ready") return answer;
    first ??= answer;
  }
  if (first === null) throw new Error("there is always a candidate");
  return first;
}

/** Sandboxes mount the user's folder by path, so an engine on another machine is of no use. @param {Candidate} candidate @returns {EngineFact} */
function elsewhere(candidate) {
  return { state: "elsewhere", candidate, detail: "it is not a socket on this machine" };
}

/** @param {Candidate} candidate @returns {Promise<EngineFact>} */
export function pingSocket(candidate) {
  const socketPath = candidate.host.slice("unix://".length);
  return new Promise((resolve) => {
    const silent = (/** @type {string} */ detail) => resolve({ state: "silent", candidate, detail });
    const call = request({ socketPath, path: "/_ping", timeout: PING_MS }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode === 200 ? resolve({ state: "ready", candidate, detail: "" }) : silent(`it answered ${response.statusCode}`)));
    });
    call.on("timeout", () => call.destroy(new Error("no answer")));
    call.on("error", (error) => {
      const code = "code" in error ? error.code : "";
      if (code === "EACCES" || code === "EPERM") resolve({ state: "forbidden", candidate, detail: `you may not use ${socketPath}` });
      else silent(code === "ENOENT" ? `there is no ${socketPath}` : code === "ECONNREFUSED" ? `nothing listens on ${socketPath}` : error.message);
    });
    call.end();
  });
}

/**
 * The environment in which Docker's client talks to exactly this engine.
 * @param {Readonly<Record<string, string | undefined>>} env @param {string} host
 * @returns {Record<string, string | undefined>}
 */
export function engineEnv(env, host) {
  const { DOCKER_CONTEXT: _context, ...rest } = env;
  return { ...rest, DOCKER_HOST: host };
}
