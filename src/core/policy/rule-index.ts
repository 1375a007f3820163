// Which rules an effect can concern at all, found by its program, variable or path instead of asking each rule. Leaves out only
// what certainly does not match; what is left is asked as before.

import type { FileOperation } from "../action/effects.js";
import { isLiteral } from "./glob-meet.js";
import type { CompiledRule, MatchSubject } from "./match-effect.js";
import type { PathGlob, SubjectPath } from "./match-path.js";
import { isWild, MAX_WORD } from "./match-word.js";
import { createNameTable, type NameTable } from "./name-table.js";
import { createPatternTable, type PatternTable } from "./pattern-table.js";
import { once } from "../shared/index.js";
import { foldName, segmentsOf } from "./paths.js";
import type { FileKey, NameKey } from "./rule-key.js";

/** Tells which rules an effect can concern, in the order of the rules. */
export type RuleIndex = (subject: MatchSubject) => readonly CompiledRule[];

type Kind = MatchSubject["effect"]["kind"];

/** A rule with its place in the order. */
interface Numbered {
  readonly number: number;
  readonly rule: CompiledRule;
}

/** Rules of one kind by names. */
interface Table {
  readonly all: readonly CompiledRule[];
  /** Asked whatever the name. */
  readonly always: readonly Numbered[];
  readonly named: ReadonlyMap<string, readonly Numbered[]>;
}

/** File rules of one operation. */
interface FileTable extends Table {
  /** By the last name of a folder above what they name. */
  readonly above: () => NameTable<Numbered>;
  readonly patterns: () => PatternTable<Numbered>;
}

const kept = new WeakMap<readonly CompiledRule[], RuleIndex>();

/** The index of a list of rules; made once for each list, its tables on first use. */
export function indexOf(rules: readonly CompiledRule[]): RuleIndex {
  const known = kept.get(rules);
  if (known !== undefined) return known;
  const made = makeIndex(rules);
  kept.set(rules, made);
  return made;
}

function makeIndex(rules: readonly CompiledRule[]): RuleIndex {
  const kinds = new Map<Kind, Table>();
  const files = new Map<FileOperation, FileTable>();
  const tableOf = (kind: Kind): Table => {
    const table = kinds.get(kind) ?? nameTable(rules, kind);
    kinds.set(kind, table);
    return table;
  };
  const filesOf = (operation: FileOperation): FileTable => {
    const table = files.get(operation) ?? fileTable(rules, operation);
    files.set(operation, table);
    return table;
  };
  return ({ effect, path }) => {
    switch (effect.kind) {
      case "exec":
      case "runs-code":
        return byName(tableOf(effect.kind), foldName(effect.program));
      case "environment":
        return byName(tableOf(effect.kind), foldName(effect.name));
      case "file": {
        const table = filesOf(effect.operation);
        if (path === null) return table.all;
        return path.pattern ? byPattern(table, path) : byPath(table, path.folded, path.tree);
      }
      default:
        return tableOf(effect.kind).all;
    }
  };
}

function byName({ all, always, named }: Table, name: string): readonly CompiledRule[] {
  if (name.length > MAX_WORD) return all;
  const more = named.get(name);
  return inOrder(more === undefined ? always : [...always, ...more]);
}

function byPath({ all, always, named, above }: FileTable, spellings: readonly string[], tree: boolean): readonly CompiledRule[] {
  const found = [...always];
  const take = (list: readonly Numbered[] = []): void => {
    for (const one of list) if (!found.includes(one)) found.push(one);
  };
  for (const path of spellings) {
    const names = segmentsOf(path);
    const last = names.at(-1);
    if (last === undefined) return all;
    for (const name of names) take(named.get(name));
    take(named.get(extensionKey(last)));
    if (tree) take(above().exactly(last));
  }
  return inOrder(found);
}

function byPattern({ all, patterns, above }: FileTable, path: SubjectPath): readonly CompiledRule[] {
  if (path.foldedNames.length === 0) return all;
  const found = new Set(patterns().meeting(path));
  const folders = path.foldedNames.at(-1) === "**" ? path.foldedNames.slice(0, -1) : path.foldedNames;
  if (path.tree) for (const one of above().meeting(folders.at(-1) ?? "**")) found.add(one);
  return inOrder([...found]);
}

function inOrder(found: readonly Numbered[]): readonly CompiledRule[] {
  const sorted = found.every(({ number }, at) => at === 0 || number > (found[at - 1]?.number ?? 0)) ? found : [...found].sort((left, right) => left.number - right.number);
  return sorted.map(({ rule }) => rule);
}

/** The key of a name's ending from its last dot; no name that a glob spells out has an asterisk. */
function extensionKey(name: string): string {
  return `*${name.slice(Math.max(0, name.lastIndexOf(".")))}`;
}

/** What a path must have for a form of a glob to match it: the names spelt out, and the ending of the last name. */
function keysOfForm(names: readonly string[]): readonly string[] {
  const tail = /[^*?[\]{}()!+@|\\]*$/.exec(names.at(-1) ?? "")?.[0] ?? "";
  const literal = names.filter(isLiteral);
  return tail.includes(".") && !isLiteral(names.at(-1) ?? "") ? [...literal, extensionKey(tail)] : literal;
}

function add(map: Map<string, Numbered[]>, name: string, one: Numbered): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [one]);
  else if (list.at(-1) !== one) list.push(one);
}

function nameTable(rules: readonly CompiledRule[], kind: Kind): Table {
  const table = { all: [] as CompiledRule[], always: [] as Numbered[], named: new Map<string, Numbered[]>() };
  for (const [number, rule] of rules.entries()) {
    if (!rule.kinds.has(kind)) continue;
    table.all.push(rule);
    const names = namesOf(rule.keys?.filter((key): key is NameKey => key.kind === kind && "names" in key) ?? []);
    const one = { number, rule };
    if (names === null) table.always.push(one);
    else for (const name of names) add(table.named, name, one);
  }
  return table;
}

/** The names that an effect must have one of; null when any will do. */
function namesOf(keys: readonly NameKey[]): readonly string[] | null {
  if (keys.length === 0 || keys.some(({ names }) => names.length === 0 || names.some(isWild))) return null;
  return keys.flatMap(({ names }) => names.map(foldName));
}

/** A file rule with what it asks for; undefined when it tells nothing. */
interface Asked {
  readonly keys: readonly FileKey[] | undefined;
  readonly one: Numbered;
}

function aboveOf(asked: readonly Asked[]): NameTable<Numbered> {
  const table = createNameTable<Numbered>();
  for (const { keys = [], one } of asked) {
    for (const glob of keys.flatMap((key) => (key.trees ? (key.paths ?? []) : []))) for (const folder of glob.above()) table.add(folder.at(-1) ?? "", one);
  }
  return table;
}

function patternsOf(asked: readonly Asked[]): PatternTable<Numbered> {
  const table = createPatternTable<Numbered>();
  for (const { keys, one } of asked) table.add(keys, one);
  return table;
}

function fileTable(rules: readonly CompiledRule[], operation: FileOperation): FileTable {
  const asked: Asked[] = [];
  const table = { all: [] as CompiledRule[], always: [] as Numbered[], named: new Map<string, Numbered[]>(), above: once(() => aboveOf(asked)), patterns: once(() => patternsOf(asked)) };
  const waiting: { readonly one: Numbered; readonly keys: readonly string[] }[] = [];
  const uses = new Map<string, number>();
  for (const [number, rule] of rules.entries()) {
    if (!rule.kinds.has("file")) continue;
    const keys = rule.keys?.filter((key): key is FileKey => key.kind === "file" && key.operations.includes(operation));
    if (keys?.length === 0) continue;
    const one = { number, rule };
    table.all.push(rule);
    asked.push({ keys, one });
    const forms = formsOf(keys);
    if (forms === null) {
      table.always.push(one);
      continue;
    }
    for (const form of forms) {
      waiting.push({ one, keys: form });
      for (const key of form) uses.set(key, (uses.get(key) ?? 0) + 1);
    }
  }
  // A path that matches has every key of the form; the one that fewest forms have tells most.
  const rarest = (form: readonly string[]): string => form.reduce((best, key) => ((uses.get(key) ?? 0) <= (uses.get(best) ?? 0) ? key : best));
  for (const { one, keys } of waiting) add(table.named, rarest(keys), one);
  return table;
}

/** The keys of each form of the paths; null when some path may have none of them. */
function formsOf(keys: readonly FileKey[] | undefined): readonly (readonly string[])[] | null {
  if (keys === undefined || keys.some((key) => key.paths === null)) return null;
  const forms = keys.flatMap((key) => (key.paths ?? []).flatMap(formsOfGlob));
  return forms.some((form) => form.length === 0) ? null : forms;
}

const forms = new WeakMap<PathGlob, readonly (readonly string[])[]>();

/** Once for all operations that a glob is asked about. */
function formsOfGlob(glob: PathGlob): readonly (readonly string[])[] {
  const known = forms.get(glob) ?? glob.names().map(keysOfForm);
  forms.set(glob, known);
  return known;
}
