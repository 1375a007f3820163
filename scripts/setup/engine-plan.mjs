// Decides what to do about the engine. Pure: facts in, one decision out.

import { DEFAULT_SOCKET } from "./engine-find.mjs";

/**
 * @typedef {{readonly kind: "use", readonly host: string}
 *   | {readonly kind: "start", readonly how: "systemd" | "dockerd"}
 *   | {readonly kind: "install", readonly packages: readonly string[], readonly how: "systemd" | "dockerd"}
 *   | {readonly kind: "stuck", readonly message: string, readonly hint: string}} EngineStep
 */

/**
 * @param {{readonly engine: import("./engine-find.mjs").EngineFact, readonly machine: import("./machine.mjs").Machine,
 *   readonly hasDockerd: boolean, readonly hasClient: boolean}} facts
 * @returns {EngineStep}
 */
export function planEngine({ engine, machine, hasDockerd, hasClient }) {
  const { candidate, state, detail } = engine;
  const how = machine.systemd ? "systemd" : "dockerd";
  if (state === "ready") {
    if (hasClient) return { kind: "use", host: candidate.host };
    return { kind: "stuck", message: "the engine answers, but Docker's command-line client `docker` is missing", hint: clientCommands(machine) };
  }
  if (state === "forbidden") {
    return { kind: "stuck", message: `an engine is there, but ${detail}`, hint: "run `sudo usermod -aG docker $USER`, log in again, and run set-up again" };
  }
  const undo = candidate.from === "DOCKER_HOST" ? "unset DOCKER_HOST" : "run `docker context use default`";
  if (state === "elsewhere") {
    return { kind: "stuck", message: `${candidate.from} names the engine ${candidate.host}, which is not a socket on this machine`, hint: `Ringfence mounts your folder by path: ${undo} to use an engine here` };
  }
  if (candidate.explicit && candidate.host !== `unix://${DEFAULT_SOCKET}`) {
    return { kind: "stuck", message: `${candidate.from} names an engine at ${candidate.host} that does not answer (${detail})`, hint: `start that engine, or ${undo} to use one on this machine` };
  }
  if (!machine.linux) return { kind: "stuck", message: "no container engine answers", hint: "start Docker Desktop (or Colima, OrbStack) and run set-up again" };
  if (hasDockerd) {
    if (machine.root) return { kind: "start", how };
    const start = machine.systemd ? "sudo systemctl start docker" : `sudo node scripts/setup.mjs --only engine`;
    return { kind: "stuck", message: `the engine is installed but does not run (${detail})`, hint: `start it with \`${start}\`, and run set-up again` };
  }
  if (!machine.hasApt) {
    return { kind: "stuck", message: "no container engine is installed, and set-up can install one only on Debian and Ubuntu", hint: "install Docker Engine as your distribution describes (https://docs.docker.com/engine/install/), start it, and run set-up again" };
  }
  if (!machine.root) {
    return {
      kind: "stuck",
      message: "no container engine is installed, and only root may install one",
      hint: "run `sudo apt-get update && sudo apt-get install -y --no-install-recommends docker.io && sudo usermod -aG docker $USER`, log in again, and run set-up again",
    };
  }
  return { kind: "install", packages: ["docker.io"], how };
}

/** @param {import("./machine.mjs").Machine} machine */
function clientCommands(machine) {
  return machine.hasApt ? "install it: `apt-get install -y docker-cli` (Debian 12 and Ubuntu: `docker.io`)" : "install the package that brings `docker`, and run set-up again";
}
