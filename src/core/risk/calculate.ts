// The AIVSS calculator: options as typed by a person in, score or issues out. Prints nothing itself.

import { err, ok, printable, type Issue, type Result } from "../shared/index.js";
import { FORMULAS, scoreAivss, type Band, type Formula } from "./aivss.js";
import { cvssOf } from "./cvss.js";
import { compare, decimal, formatExact, formatFixed, ONE, parseDecimal, TEN, toNumber, type Decimal } from "./decimal.js";
import { factorSum, nonRubricFactors, parseFactors, type Factors } from "./factors.js";

/** Options as they come from a command line or a JSON object. Numbers may be texts. */
export interface AivssOptions {
  /** `0.5`, `0.8` (default) or `0.8-floor`. */
  readonly formula?: string | undefined;
  /** CVSS v4.0 vector; exactly one of `cvss` and `base`. */
  readonly cvss?: string | undefined;
  /** CVSS score, 0 to 10, at most one decimal. */
  readonly base?: string | number | undefined;
  /** Ten factors; exactly one of `factors` and `sum`. */
  readonly factors?: string | readonly (readonly [string, string | number])[] | undefined;
  /** Factor sum, 0 to 10. */
  readonly sum?: string | number | undefined;
  /** Threat multiplier, 0 to 1; 0.97 when left out. */
  readonly thm?: string | number | undefined;
  /** Mitigation factor, 0 to 1; 1 when left out; v0.5 has none. */
  readonly mf?: string | number | undefined;
  /** Refuse what is off the published rubric and tables instead of noting it. */
  readonly strict?: boolean | undefined;
}

/** Options, parsed. */
export interface AivssInput {
  readonly formula: Formula;
  readonly cvss: Decimal;
  readonly vector: string | null;
  readonly factors: Factors | null;
  readonly factorSum: Decimal;
  readonly thm: Decimal;
  readonly mf: Decimal;
  /** Inputs off the published rubric or tables, one line each; empty means a rubric-true assessment. */
  readonly nonRubric: readonly string[];
  readonly notes: readonly string[];
}

export interface Calculation {
  readonly cvss: Decimal;
  readonly factorSum: Decimal;
  readonly aars: Decimal;
  readonly aivss: Decimal;
  readonly band: Band;
  readonly input: AivssInput;
}

const DEFAULT_THM = "0.97";
const THM_TABLE: Readonly<Record<Formula, readonly string[]>> = {
  "0.5": ["1", "0.97", "0.91"],
  "0.8": ["1", "0.97", "0.5"],
  "0.8-floor": ["1", "0.97", "0.5"],
};
const MF_TABLE: readonly string[] = ["1", "0.83", "0.67"];

/** Checks every option; all issues at once. */
export function parseAivssOptions(options: AivssOptions): Result<AivssInput, readonly Issue[]> {
  const issues: Issue[] = [];
  const formula = FORMULAS.find((name) => name === (options.formula ?? "0.8"));
  if (formula === undefined) issues.push({ code: "formula-unknown", message: `unknown formula \`${printable(options.formula ?? "", 40)}\``, hint: `formulas are ${FORMULAS.join(", ")}` });
  const cvss = readCvss(options, issues);
  const { factors, sum, notes } = readFactors(options, issues);
  const thm = readNumber({ raw: options.thm ?? DEFAULT_THM, what: "ThM", limit: ONE, decimals: 4 }, issues);
  const mf = readNumber({ raw: options.mf ?? "1", what: "MF", limit: ONE, decimals: 4 }, issues);
  if (formula === "0.5" && mf !== null && compare(mf, ONE) !== 0) issues.push({ code: "mf-not-in-formula", message: "AIVSS v0.5 has no mitigation factor", hint: "leave --mf out, or use --formula 0.8" });
  if (formula === undefined || cvss === null || sum === null || thm === null || mf === null || issues.length > 0) return err(issues);
  const nonRubric = offRubric({ formula, factors, sum, thm, mf });
  if (options.strict === true && nonRubric.length > 0) return err(nonRubric.map((message) => ({ code: "off-rubric", message })));
  return ok({ formula, cvss: cvss.score, vector: cvss.vector, factors, factorSum: sum, thm, mf, nonRubric, notes });
}

/** Computes an AIVSS score from raw options. */
export function calculate(options: AivssOptions): Result<Calculation, readonly Issue[]> {
  const parsed = parseAivssOptions(options);
  if (!parsed.ok) return parsed;
  const input = parsed.value;
  const { aars, aivss, band } = scoreAivss(input.formula, input);
  return ok({ cvss: input.cvss, factorSum: input.factorSum, aars, aivss, band, input });
}

/** The object that `ringfence aivss --json` prints. AARS is text, because it is exact. */
export interface AivssJson {
  readonly cvss: number;
  readonly factorSum: number;
  readonly aars: string;
  readonly aivss: number;
  readonly band: Band;
}

export function aivssJson(result: Calculation): AivssJson {
  return { cvss: toNumber(result.cvss), factorSum: toNumber(result.factorSum), aars: formatExact(result.aars), aivss: toNumber(result.aivss), band: result.band };
}

/** The same for people, one line an entry. */
export function aivssLines(result: Calculation): readonly string[] {
  const { input } = result;
  const head = [
    `AIVSS ${formatFixed(result.aivss, 1)} ${result.band} (formula ${input.formula})`,
    `  CVSS        ${formatFixed(result.cvss, 1)}${input.vector === null ? " (given as a number, no vector)" : `  ${input.vector}`}`,
    `  factor sum  ${formatExact(result.factorSum)}`,
    `  AARS        ${formatExact(result.aars)}`,
    `  ThM         ${formatExact(input.thm)}`,
  ];
  const mf = input.formula === "0.5" ? [] : [`  MF          ${formatExact(input.mf)}`];
  return [...head, ...mf, ...aivssNotes(result).map((note) => `  note: ${note}`)];
}

/** What a reader must know of a result: off-rubric inputs and stand-ins. For standard error beside `--json`. */
export function aivssNotes(result: Calculation): readonly string[] {
  return [...result.input.nonRubric.map((line) => `non-rubric input: ${line}`), ...result.input.notes];
}

function readCvss(options: AivssOptions, issues: Issue[]): { readonly score: Decimal; readonly vector: string | null } | null {
  if ((options.cvss === undefined) === (options.base === undefined)) {
    issues.push({ code: "cvss-choice", message: "give either a CVSS v4.0 vector or a base score", hint: "--cvss CVSS:4.0/… or --base 8.7" });
    return null;
  }
  if (options.cvss !== undefined) {
    const scored = cvssOf(options.cvss);
    if (scored.ok) return { score: scored.value.score, vector: options.cvss };
    issues.push(...scored.error);
    return null;
  }
  const score = readNumber({ raw: options.base ?? "", what: "CVSS base score", limit: TEN, decimals: 1 }, issues);
  return score === null ? null : { score, vector: null };
}

function readFactors(options: AivssOptions, issues: Issue[]): { readonly factors: Factors | null; readonly sum: Decimal | null; readonly notes: readonly string[] } {
  const none = { factors: null, sum: null, notes: [] };
  if ((options.factors === undefined) === (options.sum === undefined)) {
    issues.push({ code: "factors-choice", message: "give either the ten factors or their sum", hint: "--factors autonomy=1,tools=0.5,… or --sum 5.2" });
    return none;
  }
  if (options.factors !== undefined) {
    const parsed = parseFactors(options.factors);
    if (parsed.ok) return { factors: parsed.value.values, sum: factorSum(parsed.value.values), notes: parsed.value.notes };
    issues.push(...parsed.error);
    return none;
  }
  return { ...none, sum: readNumber({ raw: options.sum ?? "", what: "factor sum", limit: TEN, decimals: 6 }, issues) };
}

function readNumber(field: { readonly raw: string | number; readonly what: string; readonly limit: Decimal; readonly decimals: number }, issues: Issue[]): Decimal | null {
  const parsed = parseDecimal(field.raw, field.what, field.decimals);
  if (!parsed.ok) {
    issues.push(parsed.error);
    return null;
  }
  if (compare(parsed.value, field.limit) > 0) {
    issues.push({ code: "number-range", message: `${field.what} \`${printable(String(field.raw), 40)}\` is above ${formatExact(field.limit)}` });
    return null;
  }
  return parsed.value;
}

function offRubric(input: { readonly formula: Formula; readonly factors: Factors | null; readonly sum: Decimal; readonly thm: Decimal; readonly mf: Decimal }): readonly string[] {
  const { factors } = input;
  const lines = factors === null ? [] : nonRubricFactors(factors).map((key) => `factor ${key} ${formatExact(factors.get(key) ?? decimal("0"))} is not 0, 0.5 or 1`);
  if (factors === null && !isHalfStep(input.sum)) lines.push(`factor sum ${formatExact(input.sum)} is not a sum of halves`);
  const thm = formatExact(input.thm);
  if (!THM_TABLE[input.formula].includes(thm)) lines.push(`ThM ${thm} is not one of ${THM_TABLE[input.formula].join(", ")}`);
  const mf = formatExact(input.mf);
  if (!MF_TABLE.includes(mf)) lines.push(`MF ${mf} is not one of ${MF_TABLE.join(", ")}`);
  return lines;
}

function isHalfStep(value: Decimal): boolean {
  return /^[0-9]+(\.5)?$/.test(formatExact(value));
}
