// The surroundings of a call: working directory and variables, carried from call to call by us and never by a shell.

import { sessionEnvironment } from "../core/shell/index.js";
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
  return Object.fromEntries(judgedEnvironment(surroundings, defaults));
}

/** The same as text is judged with: whole, so what is not in it is not set. */
export function judgedEnvironment(surroundings: Surroundings, defaults: Pick<SessionDefaults, "home">): ReadonlyMap<string, string> {
  return sessionEnvironment({ home: defaults.home, cwd: surroundings.cwd }, surroundings.carried);
}

const MAX_CARRIED = 256;
