// The form of a policy file, as a schema. What it cannot say (globs, threats, examples) is checked in check-rule.

import * as z from "zod";
import { REACTION_OUTCOMES, REACTIONS } from "./reaction.js";

const word = z.string().min(1).max(400);
const words = z.array(word).min(1).max(400);
const sentence = z.string().min(1).max(600);

const FILE_OPERATIONS = ["read", "write", "create", "delete", "metadata"] as const;

/** `change` stands for every operation but `read`. */
const operation = z.enum([...FILE_OPERATIONS, "change"]);

export const fileSchema = z.strictObject({
  operations: z.array(operation).min(1).optional(),
  paths: words.optional(),
  except: words.optional(),
  outside: z.literal(true).optional(),
  whole: z.literal(true).optional(),
  recursive: z.boolean().optional(),
  by: words.optional(),
  notBy: words.optional(),
  any: z.literal(true).optional(),
});

export const execSchema = z.strictObject({
  programs: words.optional(),
  args: words.optional(),
  flags: words.optional(),
  withoutFlags: words.optional(),
  unlessAlone: words.optional(),
  known: z.literal(true).optional(),
  any: z.literal(true).optional(),
});

export const connectSchema = z.strictObject({ hosts: words.optional(), except: words.optional(), urls: words.optional(), by: words.optional(), notBy: words.optional(), known: z.literal(true).optional(), any: z.literal(true).optional() });

export const codeSchema = z.strictObject({
  sources: z.array(z.enum(["file", "inline", "stdin", "project", "program"])).min(1).optional(),
  programs: words.optional(),
  upstream: words.optional(),
  containing: words.optional(),
  any: z.literal(true).optional(),
});

export const environmentSchema = z.strictObject({ names: words.optional(), values: words.optional(), any: z.literal(true).optional() });

export const contentSchema = z.strictObject({
  contains: z.array(z.enum(["invisible-characters", "hidden-text", "private-key", "access-token", "secret", "injected-instructions", "obfuscated-code", "test-command"])).min(1),
  in: z.enum(["edit", "output"]).optional(),
  deliver: z.enum(["masked", "marked"]).optional(),
  paths: words.optional(),
  except: words.optional(),
});

const effectMatchers = {
  file: fileSchema.optional(),
  exec: execSchema.optional(),
  connect: connectSchema.optional(),
  code: codeSchema.optional(),
  environment: environmentSchema.optional(),
  opaque: z.literal(true).optional(),
  content: contentSchema.optional(),
};

/** A matcher of one effect: exactly one of the kinds. */
export const effectSchema = z.strictObject(effectMatchers);

const amount = z.number().int().min(0).max(1e12);

export const budgetSchema = z.strictObject({
  per: z.enum(["session", "call"]).optional(),
  calls: amount.optional(),
  seconds: z.number().gt(0).max(1e9).optional(),
  bytesWritten: amount.optional(),
  filesChanged: amount.optional(),
  deletions: amount.optional(),
  counting: effectSchema.optional(),
});

/** A step of a sequence: exactly one of the kinds. */
export const stepSchema = z.strictObject({ ...effectMatchers, found: words.optional(), refused: words.optional() });

export const sequenceSchema = z.strictObject({
  after: z.array(stepSchema).min(1).max(5),
  then: effectSchema,
  same: z.literal(true).optional(),
  within: z.number().int().min(1).max(1e6).optional(),
});

export const refusalsSchema = z.strictObject({ inRow: z.number().int().min(1).max(1_000), rules: words.optional(), threats: words.optional() });

/** One alternative: exactly one of the kinds. */
export const matcherSchema = z.strictObject({ ...effectMatchers, budget: budgetSchema.optional(), sequence: sequenceSchema.optional(), refusals: refusalsSchema.optional() });

const subject = {
  command: z.string().min(1).max(4000).optional(),
  write: word.optional(),
  read: word.optional(),
  delete: word.optional(),
  content: z.string().max(4000).optional(),
};

/** A call that ran before an example: exactly one of command, write, read, delete. */
export const beforeSchema = z.strictObject(subject);

export const spentSchema = z.strictObject({ calls: amount.optional(), seconds: z.number().min(0).max(1e9).optional(), bytesWritten: amount.optional(), filesChanged: amount.optional(), deletions: amount.optional() });

/** One example: exactly one of command, write, read, delete. */
export const exampleSchema = z.strictObject({
  ...subject,
  output: z.string().max(4000).optional(),
  before: z.array(beforeSchema).min(1).max(20).optional(),
  refused: z.array(word).min(1).max(100).optional(),
  found: z.array(word).min(1).max(20).optional(),
  spent: spentSchema.optional(),
  role: word.nullable().optional(),
  cwd: word.optional(),
  root: word.optional(),
});

/** The ten AIVSS factors a match may be evidence of. */
const FACTORS = ["autonomy", "tools", "language", "context", "non_determinism", "opacity", "persistence", "identity", "multi_agent", "self_mod"] as const;

export const riskSchema = z.strictObject({
  severity: z.enum(["info", "low", "medium", "high", "critical"]),
  cvss: z
    .string()
    .regex(
      /^CVSS:4\.0\/AV:[NALP]\/AC:[LH]\/AT:[NP]\/PR:[NLH]\/UI:[NPA]\/VC:[HLN]\/VI:[HLN]\/VA:[HLN]\/SC:[HLN]\/SI:[HLN]\/SA:[HLN](\/[A-Z]{1,3}:[A-Za-z]{1,6})*$/,
      "expected a CVSS v4.0 vector with all eleven base metrics in order",
    )
    .optional(),
  factors: z.partialRecord(z.enum(FACTORS), z.number().gt(0).max(1)).optional(),
});

const layer = z.enum(["L1", "L2", "L3", "L4", "L5", "L6", "L7", "X"]);

const ruleId = z.string().min(1).max(80).regex(/^(L[1-7]|X|[a-z][a-z0-9-]*)\.[a-z0-9]+(-[a-z0-9]+)*$/, "expected an id such as `L7.pipe-to-interpreter` or `acme.no-prod`");

export const ruleSchema = z.strictObject({
  id: ruleId,
  effect: z.enum(["allow", "ask", "deny"]),
  layer: layer.optional(),
  threats: words.optional(),
  message: sentence,
  allowed: sentence.optional(),
  guidance: sentence.optional(),
  risk: riskSchema.optional(),
  roles: words.optional(),
  notRoles: words.optional(),
  containment: z.enum(["attested", "none", "any"]).optional(),
  timeoutMs: z.number().int().min(1).max(86_400_000).optional(),
  when: z.array(matcherSchema).min(1).max(100),
  match: z.array(exampleSchema).min(1).max(100),
  notMatch: z.array(exampleSchema).max(100).optional(),
});

/** A model of a program that the built-in tables do not know, in their row language. */
export const programSchema = z.strictObject({
  names: z.array(z.string().max(80).regex(/^[a-z0-9][a-z0-9._+-]*$/, "expected a program's base name in lower case")).min(1).max(100),
  operands: z.string().max(400).optional(),
  options: z.string().max(20_000).optional(),
  traits: z.string().max(400).optional(),
});

const reactionFindingsSchema = z.strictObject({
  rules: words.optional(),
  threats: words.optional(),
  severity: z.enum(["info", "low", "medium", "high", "critical"]).optional(),
  outcome: z.enum(REACTION_OUTCOMES).optional(),
  count: z.number().int().min(1).max(1e6).optional(),
});

/** When a reaction is due: exactly one of the kinds. */
const reactionConditionSchema = z.strictObject({
  aivss: z.number().min(0.1).max(10).multipleOf(0.1).optional(),
  findings: reactionFindingsSchema.optional(),
  lost: z.array(z.string().max(80).regex(/^[a-z][a-z0-9-]*$/, "expected a control such as `no-network`")).min(1).max(50).optional(),
});

/** What is done when a session's score rises or its findings add up. */
export const reactionSchema = z.strictObject({
  id: ruleId,
  do: z.enum(REACTIONS),
  layer: layer.optional(),
  threats: words.optional(),
  message: sentence,
  when: z.array(reactionConditionSchema).min(1).max(20),
});

export const policySchema = z.strictObject({
  version: z.literal(1),
  id: z.string().max(80).regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "expected a kebab-case id such as `acme-payments`"),
  title: sentence,
  layer: layer.optional(),
  mode: z.enum(["enforce", "shadow", "watch"]).optional(),
  extends: z.array(z.string().min(1).max(80)).max(100).optional(),
  programs: z.array(programSchema).max(500).optional(),
  rules: z.array(ruleSchema).max(5_000),
  reactions: z.array(reactionSchema).max(200).optional(),
});

export type PolicyFile = z.infer<typeof policySchema>;
export type RuleFile = z.infer<typeof ruleSchema>;
export type ReactionFile = z.infer<typeof reactionSchema>;
export type ProgramFile = z.infer<typeof programSchema>;
export type MatcherFile = z.infer<typeof matcherSchema>;
export type EffectMatcherFile = z.infer<typeof effectSchema>;
export type BeforeFile = z.infer<typeof beforeSchema>;
export type StepFile = z.infer<typeof stepSchema>;
export type ExampleFile = z.infer<typeof exampleSchema>;

/** The known keys at a place in a policy file, for suggestions; null where keys are free. */
export function knownKeysAt(path: readonly PropertyKey[]): readonly string[] | null {
  const shape = path.map((part) => (typeof part === "number" ? "*" : String(part))).join(".");
  if (shape === "") return Object.keys(policySchema.shape);
  if (shape === "programs.*") return Object.keys(programSchema.shape);
  if (shape === "reactions.*") return Object.keys(reactionSchema.shape);
  if (shape === "reactions.*.when.*") return Object.keys(reactionConditionSchema.shape);
  if (shape === "reactions.*.when.*.findings") return Object.keys(reactionFindingsSchema.shape);
  if (shape === "rules.*") return Object.keys(ruleSchema.shape);
  if (shape === "rules.*.risk") return Object.keys(riskSchema.shape);
  if (shape === "rules.*.risk.factors") return FACTORS;
  if (shape === "rules.*.when.*") return Object.keys(matcherSchema.shape);
  if (shape === "rules.*.match.*" || shape === "rules.*.notMatch.*") return Object.keys(exampleSchema.shape);
  if (/\.(match|notMatch)\.\*\.before\.\*$/.test(shape)) return Object.keys(beforeSchema.shape);
  if (/\.(match|notMatch)\.\*\.spent$/.test(shape)) return Object.keys(spentSchema.shape);
  if (/\.sequence\.after\.\*$/.test(shape)) return Object.keys(stepSchema.shape);
  if (/\.(sequence\.then|budget\.counting)$/.test(shape)) return Object.keys(effectSchema.shape);
  const kind = /^rules\.\*\.when\.\*\.(?:sequence\.(?:after\.\*|then)\.|budget\.counting\.)?([a-z]+)$/.exec(shape)?.[1];
  const kinds = new Map([
    ["file", fileSchema.shape],
    ["exec", execSchema.shape],
    ["connect", connectSchema.shape],
    ["code", codeSchema.shape],
    ["environment", environmentSchema.shape],
    ["content", contentSchema.shape],
    ["budget", budgetSchema.shape],
    ["sequence", sequenceSchema.shape],
    ["refusals", refusalsSchema.shape],
  ] as readonly (readonly [string, Readonly<Record<string, unknown>>])[]);
  const found = kind === undefined ? undefined : kinds.get(kind);
  return found === undefined ? null : Object.keys(found);
}

/** The policy file form as JSON Schema (draft 2020-12), for editors. */
export function policyJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(policySchema);
}
