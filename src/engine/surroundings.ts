// The surroundings of a call: working directory and variables, carried from call to call by us and never by a shell.

import type { SessionDefaults } from "../ports/settings.js";

export interface Surroundings {
  readonly cwd: string;
  /** Variables exported by earlier calls whose value is known. */
  readonly carried: ReadonlyMap<string, string>;
}

/** Surroundings of the first call. */
export function initialSurroundings(root: string): Surroundings {
  return { cwd: root, carried: new Map() };
}

/** Surroundings after a call that ended: what could not be told from its text stays as it was. */
export function carryOn(before: Surroundings, after: { readonly cwdAfter: string | null; readonly environmentAfter: ReadonlyMap<string, string | null> }): Surroundings {
  const carried = new Map(before.carried);
  for (const [name, value] of after.environmentAfter) {
    if (value === null) carried.delete(name);
    else if (carried.size < MAX_CARRIED || carried.has(name)) carried.set(name, value);
  }
  return { cwd: after.cwdAfter ?? before.cwd, carried };
}

/** The whole environment of an agent process. Nothing of the orchestrator's own environment gets in. */
export function environmentOf(surroundings: Surroundings, defaults: SessionDefaults): Readonly<Record<string, string>> {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    TERM: "dumb",
    SHELL: "/bin/bash",
    USER: "agent",
    LOGNAME: "agent",
    ...GIT,
    npm_config_update_notifier: "false",
    PYTHONDONTWRITEBYTECODE: "1",
    ...Object.fromEntries(surroundings.carried),
    HOME: defaults.home,
    PWD: surroundings.cwd,
  };
}

const MAX_CARRIED = 256;

/** Git reads no system or user file, runs no hook, and takes any owner of the workspace; commits have a name. */
const GIT = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_CONFIG_COUNT: "5",
  GIT_CONFIG_KEY_0: "safe.directory",
  GIT_CONFIG_VALUE_0: "*",
  GIT_CONFIG_KEY_1: "core.hooksPath",
  GIT_CONFIG_VALUE_1: "/dev/null",
  GIT_CONFIG_KEY_2: "core.fsmonitor",
  GIT_CONFIG_VALUE_2: "false",
  GIT_CONFIG_KEY_3: "user.name",
  GIT_CONFIG_VALUE_3: "agent",
  GIT_CONFIG_KEY_4: "user.email",
  GIT_CONFIG_VALUE_4: "agent@sandbox.invalid",
} as const;
