// Our own attack forms, one family a battery row: what each claims to do unguarded, and what is expected of the guard.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Facts, Step } from "./world.js";

export interface Form {
  readonly id: string;
  readonly steps: readonly Step[];
  readonly claims: readonly string[];
  /** `before`: refused or asked before it runs; `after`: text does not tell it, container and comparison hold it. */
  readonly held: "before" | "after";
  /** Why text does not tell it. */
  readonly why: string | null;
  /** `mounts`: the world lets it mount, which an ordinary container would not. */
  readonly needs: "mounts" | null;
  /** Seconds after the form until the world is looked at. */
  readonly settle: number;
}

interface Written {
  readonly id: string;
  readonly run?: string;
  readonly steps?: readonly Step[];
  readonly claims: readonly string[];
  readonly held?: Form["held"];
  readonly why?: string;
  readonly needs?: "mounts";
  readonly settle?: number;
  /** Text that is put before or after the form so many times. */
  readonly before?: Repeated;
  readonly after?: Repeated;
}

interface Repeated {
  readonly text: string;
  readonly times: number;
}

const FOLDER = join(process.cwd(), "test", "adversarial", "families");

/** Every form, in the order of the files. */
export function familyForms(): readonly Form[] {
  return readdirSync(FOLDER)
    .filter((name) => /^(?:files|commands)-.*\.yaml$/u.test(name))
    .sort()
    .flatMap((name) => (parse(readFileSync(join(FOLDER, name), "utf8")) as readonly Written[]).map(formOf));
}

function formOf({ id, run, steps, claims, held = "before", why, needs, settle = 0, before, after }: Written): Form {
  const again = (part: Repeated | undefined): string => (part === undefined ? "" : part.text.repeat(part.times));
  const all = steps ?? [{ run: `${again(before)}${run ?? ""}${again(after)}` }];
  return { id, steps: all, claims, held, why: why ?? null, needs: needs ?? null, settle };
}

/** The row of the attack battery a form belongs to. */
export function familyOf({ id }: Pick<Form, "id">): string {
  return id.split("-")[0] ?? id;
}

/** The claims that were not seen to hold. */
export function brokenClaims(form: Pick<Form, "claims">, facts: Facts): readonly string[] {
  return form.claims.filter((claim) => !holds(claim, facts));
}

function holds(claim: string, facts: Facts): boolean {
  const [kind = "", ...rest] = claim.split(" ");
  const what = rest.join(" ");
  const isPath = (path: string): boolean => (what.endsWith("*") ? path.startsWith(what.slice(0, -1)) : path === what);
  switch (kind) {
    case "deleted":
    case "created":
    case "changed":
    case "mode":
      return facts.changes.some((change) => change.what === kind && isPath(change.path));
    case "lost":
      return facts.changes.some((change) => change.lost && isPath(change.path));
    case "lost-ref":
      return facts.lostRefs.some((ref) => ref.includes(what));
    case "shown":
      return facts.shown.includes(what);
    case "sent":
      return facts.sent.includes(what);
    case "copied":
      return facts.copied.some(({ mark }) => mark === what);
    case "alive":
      return facts.alive.some((words) => words.includes(what));
    case "killed":
      return facts.killed;
    default:
      throw new Error(`a claim of no known kind: ${claim}`);
  }
}
