// A risk profile as plain data, from a file or from a record: every problem with its place, or the profile. Guesses nothing.

import { printable } from "../shared/index.js";
import type { MaestroLayer } from "../policy/decision.js";
import { FORMULAS } from "./aivss.js";
import { parseCvssVector } from "./cvss-vector.js";
import { compare, formatExact, ONE, parseDecimal, ZERO, type Decimal } from "./decimal.js";
import { FACTOR_KEYS, factorKey, parseFactors, type FactorKey } from "./factors.js";
import type { ProfileLayer, RiskProfile } from "./profiles.js";

/** One thing that is wrong, where, and what to do. */
export interface ProfileProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly hint: string | null;
}

const KEYS = ["version", "id", "title", "source", "formula", "thm", "mf", "factors", "cvss", "layers"];
const LAYERS = ["L1", "L2", "L3", "L4", "L5", "L6", "L7"] as const satisfies readonly MaestroLayer[];
const TEXT_CHARS = 600;
const MAX_ITEMS = 100;

type Note = (path: readonly PropertyKey[], message: string, hint?: string) => void;
type Fields = Readonly<Record<string, unknown>>;

/** Reads a profile. The profile is null exactly when there is a problem. */
export function readProfile(value: unknown): { readonly profile: RiskProfile | null; readonly problems: readonly ProfileProblem[] } {
  const problems: ProfileProblem[] = [];
  const note: Note = (path, message, hint) => void (problems.length < 50 && problems.push({ path, message, hint: hint ?? null }));
  const fields = mapOf(value, [], KEYS, note);
  if (fields === null) return { profile: null, problems };
  if (fields["version"] !== 1) note(["version"], "`version` must be 1");
  const id = textOf(fields, "id", [], note);
  if (id !== null && !/^[a-z][a-z0-9-]{0,60}$/u.test(id)) note(["id"], "`id` is no kebab-case name", "write a name such as `my-agent`");
  const [title, source] = [textOf(fields, "title", [], note), textOf(fields, "source", [], note)];
  const formula = FORMULAS.find((name) => name === fields["formula"]);
  if (formula === undefined) note(["formula"], `\`formula\` must be one of ${FORMULAS.join(", ")}`, "`0.8-floor` is the one whose result never lies below the CVSS score");
  const [thm, mf] = [fraction(fields, "thm", note), fraction(fields, "mf", note)];
  const factors = factorsOf(fields["factors"], note);
  const cvss = cvssOf(fields["cvss"], note);
  const layers = layersOf(fields["layers"], note);
  if (problems.length > 0 || id === null || title === null || source === null || formula === undefined || thm === null || mf === null || factors === null || cvss === null) return { profile: null, problems };
  return { profile: { id, title, source, formula, thm, mf, ...factors, ...cvss, layers }, problems };
}

/** The data of a profile: what `readProfile` takes back, unchanged. */
export function profileData(profile: RiskProfile): Fields {
  const { id, title, source, formula, thm, mf, factors, publishedNames, vector, vectorSource, reasoning, layers } = profile;
  return {
    version: 1,
    id,
    title,
    source,
    formula,
    thm: formatExact(thm),
    mf: formatExact(mf),
    factors: FACTOR_KEYS.map((key) => ({ name: publishedNames.get(key) ?? key, value: formatExact(factors.get(key) ?? ZERO) })),
    cvss: { vector: vector.text, source: vectorSource, reasoning: [...reasoning] },
    layers: layers.map(({ layer, isStated, about, open, controls }) => ({ layer, listing: isStated ? "stated" : "not-certain", about, ...(open === null ? {} : { open }), controls: [...controls] })),
  };
}

function mapOf(value: unknown, path: readonly PropertyKey[], known: readonly string[], note: Note): Fields | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    note(path, path.length === 0 ? "the profile must be a map" : `\`${path.map(String).join(".")}\` must be a map`, `keys are ${known.join(", ")}`);
    return null;
  }
  for (const key of Object.keys(value)) if (!known.includes(key)) note([...path, key], `unknown key \`${printable(key, 60)}\``, `known keys are ${known.join(", ")}`);
  return value as Fields;
}

function textOf(fields: Fields, key: string, path: readonly PropertyKey[], note: Note): string | null {
  const value = fields[key];
  if (typeof value === "string" && value !== "" && value.length <= TEXT_CHARS) return value;
  note([...path, key], value === undefined ? `\`${key}\` is missing` : `\`${key}\` must be a text of at most ${TEXT_CHARS} characters`);
  return null;
}

/** A list, each entry read; null entries are dropped with their problem noted. */
function listOf<T>(value: unknown, path: readonly PropertyKey[], note: Note, read: (item: unknown, path: readonly PropertyKey[]) => T | null): readonly T[] {
  if (!Array.isArray(value) || value.length > MAX_ITEMS) {
    note(path, `\`${path.map(String).join(".")}\` must be a list`);
    return [];
  }
  return value.flatMap((item: unknown, index): readonly T[] => {
    const made = read(item, [...path, index]);
    return made === null ? [] : [made];
  });
}

function fraction(fields: Fields, key: "thm" | "mf", note: Note): Decimal | null {
  const value = fields[key];
  const parsed = typeof value === "string" || typeof value === "number" ? parseDecimal(value, key, 4) : null;
  if (parsed?.ok === true && compare(parsed.value, ONE) <= 0) return parsed.value;
  note([key], `\`${key}\` must be a decimal of 0 to 1`, "quote it, so that it stays exact: \"0.97\"");
  return null;
}

function factorsOf(value: unknown, note: Note): Pick<RiskProfile, "factors" | "publishedNames"> | null {
  const pairs = listOf(value, ["factors"], note, (item, path): readonly [string, string] | null => {
    const fields = mapOf(item, path, ["name", "value"], note);
    const name = fields === null ? null : textOf(fields, "name", path, note);
    const raw = fields?.["value"];
    if (typeof raw !== "string") note([...path, "value"], "a factor's value must be a quoted decimal of 0 to 1", "write \"0.80\"");
    return name === null || typeof raw !== "string" ? null : [name, raw];
  });
  const parsed = parseFactors(pairs);
  if (parsed.ok) return { factors: parsed.value.values, publishedNames: new Map(pairs.flatMap(([name]): readonly (readonly [FactorKey, string])[] => pair(factorKey(name), name))) };
  for (const issue of parsed.error) note(["factors"], issue.message, issue.hint);
  return null;
}

function pair(key: FactorKey | null, name: string): readonly (readonly [FactorKey, string])[] {
  return key === null ? [] : [[key, name]];
}

function cvssOf(value: unknown, note: Note): Pick<RiskProfile, "vector" | "vectorSource" | "reasoning"> | null {
  const fields = mapOf(value, ["cvss"], ["vector", "source", "reasoning"], note);
  if (fields === null) return null;
  const [text, vectorSource] = [textOf(fields, "vector", ["cvss"], note), textOf(fields, "source", ["cvss"], note)];
  const reasoning = listOf(fields["reasoning"], ["cvss", "reasoning"], note, (item, path) => {
    if (typeof item === "string" && item.length <= TEXT_CHARS) return item;
    note(path, "a reason must be a text");
    return null;
  });
  if (text === null || vectorSource === null) return null;
  const vector = parseCvssVector(text);
  if (vector.ok) return { vector: vector.value, vectorSource, reasoning };
  for (const issue of vector.error) note(["cvss", "vector"], issue.message, issue.hint);
  return null;
}

function layersOf(value: unknown, note: Note): readonly ProfileLayer[] {
  const layers = listOf(value, ["layers"], note, (item, path): ProfileLayer | null => {
    const fields = mapOf(item, path, ["layer", "listing", "about", "open", "controls"], note);
    if (fields === null) return null;
    const layer = LAYERS.find((name) => name === fields["layer"]);
    const { listing } = fields;
    if (layer === undefined) note([...path, "layer"], "`layer` must be one of L1 to L7");
    if (listing !== "stated" && listing !== "not-certain") note([...path, "listing"], "`listing` must be `stated` or `not-certain`");
    const about = textOf(fields, "about", path, note);
    const open = listing === "not-certain" ? textOf(fields, "open", path, note) : null;
    const controls = listOf(fields["controls"] ?? [], [...path, "controls"], note, (one, at) => {
      if (typeof one === "string" && /^[a-z][a-z0-9-]{0,60}$/u.test(one)) return one;
      note(at, "a control is named as in `session.opened`, such as `no-network`");
      return null;
    });
    return layer === undefined || about === null ? null : { layer, isStated: listing === "stated", about, open, controls };
  });
  const missing = LAYERS.filter((name) => !layers.some(({ layer }) => layer === name));
  const twice = layers.find(({ layer }, index) => layers.findIndex((other) => other.layer === layer) !== index);
  if (missing.length > 0) note(["layers"], `missing layer${missing.length > 1 ? "s" : ""} ${missing.join(", ")}`, "a layer that nothing is known of is `listing: not-certain`");
  if (twice !== undefined) note(["layers"], `layer ${twice.layer} is given twice`);
  return layers;
}
