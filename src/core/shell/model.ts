// The small language in which models of programs are written, and its compiler. Data in, tables out; no behaviour.

import type { CodeSource } from "../action/effects.js";
import { once } from "../shared/index.js";

/**
 * What a word means to a program:
 * r file read · R tree read · w file written · c made · C tree made below · d deleted · D tree deleted · m metadata · t text ·
 * x script file run · i inline code run · s shell text run · u URL or host · h remote or local source · H remote or local target ·
 * a `@file` or text · f `name=@file` · v `NAME=value` for the environment · p folder that later paths start from · o `dest` folder
 */
export type Role = "r" | "R" | "w" | "c" | "C" | "d" | "D" | "m" | "t" | "x" | "i" | "s" | "u" | "h" | "H" | "a" | "f" | "v" | "p" | "o";

/** One option: with a role it takes an argument; `optional` ones only when attached; `marks` are told to the handler. */
export interface OptionModel {
  readonly role: Role | null;
  readonly optional: boolean;
  readonly marks: readonly string[];
}

/** How the operands are read: one by one, or all but the last as sources. */
export type Layout = "roles" | "copy" | "move" | "link" | "remote";

/** A program as its command line is parsed. */
export interface Model {
  readonly layout: Layout;
  readonly head: readonly Role[];
  readonly rest: Role | null;
  readonly options: ReadonlyMap<string, OptionModel>;
  /** Options end at the first operand. */
  readonly stops: boolean;
  /** Long options begin with one dash (`openssl`, `java`). */
  readonly oneDash: boolean;
  /** Runs code that is not in the text. */
  readonly code: CodeSource | null;
  /** Connects, whatever its words are. */
  readonly connects: boolean;
  /** Each line it prints is a path below its operands. */
  readonly lists: boolean;
  /** Some option writes or runs something, so that an unknown word may be that option. */
  readonly risky: boolean;
}

/** A row: names, operands, options, and marks `stops one-dash project program connects lists`. */
export type ModelRow = readonly [names: string, operands: string, options?: string, traits?: string];

const HARMLESS = new Set<Role | null>([null, "t", "r", "R", "p", "v", "u", "a", "f"]);

/** Compiles rows; a later row for the same name replaces the earlier. */
export function compileModels(rows: readonly ModelRow[]): Map<string, Model> {
  const out = new Map<string, Model>();
  for (const [names, operands, options = "", traits = ""] of rows) {
    const model = compile(operands, options, traits);
    for (const name of names.split(" ")) if (name !== "") out.set(name, model);
  }
  return out;
}

/** Compiles one model, on first use: of the hundreds there are a command needs a few. */
export function compile(operands: string, options: string, traits: string): Model {
  const made = once(() => compileNow(operands, options, traits));
  return {
    get layout() {
      return made().layout;
    },
    get head() {
      return made().head;
    },
    get rest() {
      return made().rest;
    },
    get options() {
      return made().options;
    },
    get stops() {
      return made().stops;
    },
    get oneDash() {
      return made().oneDash;
    },
    get code() {
      return made().code;
    },
    get connects() {
      return made().connects;
    },
    get lists() {
      return made().lists;
    },
    get risky() {
      return made().risky;
    },
  };
}

function compileNow(operands: string, options: string, traits: string): Model {
  const table = new Map<string, OptionModel>();
  for (const token of options.split(" ")) if (token !== "") addOption(table, token);
  const layout: Layout = operands === "copy" || operands === "move" || operands === "link" || operands === "remote" ? operands : "roles";
  const head: Role[] = [];
  let rest: Role | null = null;
  if (layout === "roles") {
    for (const token of operands.split(" ")) {
      if (token.endsWith("*")) rest = token.slice(0, -1) as Role;
      else if (token !== "") head.push(token as Role);
    }
  }
  const marks = new Set(traits.split(" "));
  return {
    layout,
    head,
    rest,
    options: table,
    stops: marks.has("stops"),
    oneDash: marks.has("one-dash"),
    code: marks.has("project") ? "project" : marks.has("program") ? "program" : null,
    connects: marks.has("connects"),
    lists: marks.has("lists"),
    risky: [...table.values()].some((option) => !HARMLESS.has(option.role) || option.marks.includes("risky")),
  };
}

/** `-o:w` takes a written file; `-i?:t!inplace` an optional text and tells `inplace`; `-r!tree` a flag. */
function addOption(table: Map<string, OptionModel>, token: string): void {
  const [spec = "", ...marks] = token.split("!");
  const colon = spec.indexOf(":");
  const name = colon < 0 ? spec : spec.slice(0, colon);
  const optional = name.endsWith("?");
  table.set(optional ? name.slice(0, -1) : name, { role: colon < 0 ? null : (spec.slice(colon + 1) as Role), optional, marks });
}

const ROLES = new Set("rRwcCdDmtxisuhHafvpo");
const TRAITS = new Set(["stops", "one-dash", "project", "program", "connects", "lists"]);
const LAYOUTS = new Set(["copy", "move", "link", "remote"]);
const MARKS = new Set(["tree", "nofirst", "nofolder", "symbolic", "risky", "parents", "makes", "notpaths", "names", "ends", "delete", "remove"]);

/** What is wrong with a row that a user wrote, and in which part; null when it can be compiled. */
export function rowProblem(operands: string, options: string, traits: string): { readonly part: "operands" | "options" | "traits"; readonly message: string } | null {
  if (!LAYOUTS.has(operands)) {
    for (const token of operands.split(" ")) {
      if (token !== "" && !ROLES.has(token.replace(/\*$/, ""))) return { part: "operands", message: `\`${token}\` is no role; roles are ${[...ROLES].join(" ")}, or one of ${[...LAYOUTS].join(", ")}` };
    }
    const star = operands.split(" ").findIndex((token) => token.endsWith("*"));
    if (star >= 0 && star !== operands.split(" ").length - 1) return { part: "operands", message: "only the last operand may repeat with `*`" };
  }
  for (const token of options.split(" ")) {
    if (token === "") continue;
    const form = /^(-{1,2}[A-Za-z0-9][A-Za-z0-9_.-]*)(\?)?(?::([A-Za-z]))?((?:![a-z]+)*)$/.exec(token);
    if (form === null) return { part: "options", message: `\`${token}\` is no option; write \`-o:w\`, \`--dry-run\`, \`-i?:t\` or \`-r!tree\`` };
    if (form[3] !== undefined && !ROLES.has(form[3])) return { part: "options", message: `\`${form[3]}\` in \`${token}\` is no role; roles are ${[...ROLES].join(" ")}` };
    const mark = (form[4] ?? "").split("!").find((one) => one !== "" && !MARKS.has(one));
    if (mark !== undefined) return { part: "options", message: `\`${mark}\` in \`${token}\` is no mark; marks are ${[...MARKS].join(", ")}` };
  }
  const trait = traits.split(" ").find((one) => one !== "" && !TRAITS.has(one));
  return trait === undefined ? null : { part: "traits", message: `\`${trait}\` is no trait; traits are ${[...TRAITS].join(", ")}` };
}
