// The whole environment of a call inside the sandbox, as data: what the engine hands to the process is what text is judged with.

/** Where a call stands, as far as its environment tells. */
export interface CallPlace {
  /** Absolute home folder inside the sandbox. */
  readonly home: string;
  /** Absolute working directory inside the sandbox. */
  readonly cwd: string;
}

/** Git reads no system or user file, runs no hook, and takes any owner of the workspace; commits have a name. */
const GIT: readonly (readonly [string, string])[] = [
  ["GIT_CONFIG_NOSYSTEM", "1"],
  ["GIT_CONFIG_GLOBAL", "/dev/null"],
  ["GIT_TERMINAL_PROMPT", "0"],
  ["GIT_CONFIG_COUNT", "5"],
  ["GIT_CONFIG_KEY_0", "safe.directory"],
  ["GIT_CONFIG_VALUE_0", "*"],
  ["GIT_CONFIG_KEY_1", "core.hooksPath"],
  ["GIT_CONFIG_VALUE_1", "/dev/null"],
  ["GIT_CONFIG_KEY_2", "core.fsmonitor"],
  ["GIT_CONFIG_VALUE_2", "false"],
  ["GIT_CONFIG_KEY_3", "user.name"],
  ["GIT_CONFIG_VALUE_3", "agent"],
  ["GIT_CONFIG_KEY_4", "user.email"],
  ["GIT_CONFIG_VALUE_4", "agent@sandbox.invalid"],
];

const FIXED: readonly (readonly [string, string])[] = [
  ["PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
  ["LANG", "C.UTF-8"],
  ["TERM", "dumb"],
  ["SHELL", "/bin/bash"],
  ["USER", "agent"],
  ["LOGNAME", "agent"],
  ...GIT,
  ["npm_config_update_notifier", "false"],
  ["PYTHONDONTWRITEBYTECODE", "1"],
];

const NOTHING: ReadonlyMap<string, string> = new Map();

/**
 * Every variable a call's process starts with; there are no others. `carried` are variables exported by earlier calls: they go
 * before the fixed ones, but home and working directory are always the call's own.
 */
export function sessionEnvironment(place: CallPlace, carried: ReadonlyMap<string, string> = NOTHING): ReadonlyMap<string, string> {
  const environment = new Map(FIXED);
  for (const [name, value] of carried) environment.set(name, value);
  environment.set("HOME", place.home);
  environment.set("PWD", place.cwd);
  return environment;
}
