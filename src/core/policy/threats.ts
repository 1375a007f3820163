// The threat catalogues a rule may cite. An id is always namespaced: the same number means different things elsewhere.

import { nearest } from "./suggest.js";

/** MAESTRO threats by layer, as slugs of their names. Source: Cloud Security Alliance, MAESTRO, 6 February 2025. */
export const MAESTRO_THREATS: ReadonlyMap<string, readonly string[]> = new Map([
  ["L1", ["adversarial-examples", "model-stealing", "backdoor-attacks", "membership-inference", "data-poisoning", "reprogramming-attacks", "denial-of-service"]],
  ["L2", ["data-poisoning", "data-exfiltration", "denial-of-service", "data-tampering", "compromised-rag-pipelines"]],
  ["L3", ["compromised-framework-components", "backdoor-attacks", "input-validation-attacks", "supply-chain-attacks", "denial-of-service", "framework-evasion"]],
  ["L4", ["compromised-container-images", "orchestration-attacks", "iac-manipulation", "denial-of-service", "resource-hijacking", "lateral-movement"]],
  [
    "L5",
    [
      "manipulation-of-evaluation-metrics",
      "compromised-observability-tools",
      "denial-of-service",
      "evasion-of-detection",
      "data-leakage-through-observability",
      "poisoning-observability-data",
    ],
  ],
  [
    "L6",
    [
      "security-agent-data-poisoning",
      "evasion-of-security-agents",
      "compromised-security-agents",
      "regulatory-non-compliance",
      "bias",
      "lack-of-explainability",
      "model-extraction",
    ],
  ],
  [
    "L7",
    [
      "compromised-agents",
      "agent-impersonation",
      "agent-identity-attack",
      "agent-tool-misuse",
      "agent-goal-manipulation",
      "marketplace-manipulation",
      "integration-risks",
      "horizontal-vertical-solution-vulnerabilities",
      "repudiation",
      "compromised-agent-registry",
      "malicious-agent-discovery",
      "agent-pricing-model-manipulation",
      "inaccurate-agent-capability-description",
    ],
  ],
  ["X", ["supply-chain-attacks", "lateral-movement", "privilege-escalation", "data-leakage", "goal-misalignment-cascades"]],
]);

const FORM = /^[a-z0-9][a-z0-9.-]{0,40}:[A-Za-z0-9][A-Za-z0-9./_-]{0,80}$/;

/** Catalogues whose ids have a known form; others are taken by the general form alone. */
const NUMBERED: ReadonlyMap<string, { readonly form: RegExp; readonly hint: string }> = new Map([
  ["asi-2026", { form: /^ASI(0[1-9]|10)$/, hint: "ids run from `asi-2026:ASI01` to `asi-2026:ASI10`" }],
  ["owasp-tm-1.1", { form: /^T([1-9]|1[0-7])$/, hint: "ids run from `owasp-tm-1.1:T1` to `owasp-tm-1.1:T17`" }],
  ["cwe", { form: /^[1-9][0-9]{0,4}$/, hint: "write `cwe:78`" }],
]);

/** Why a threat id is not valid, with a hint; null when it is. */
export function threatProblem(id: string): { readonly message: string; readonly hint: string } | null {
  if (!FORM.test(id)) return { message: "is not `namespace:id`", hint: "write `maestro:L7/agent-tool-misuse` or `asi-2026:ASI02`" };
  const colon = id.indexOf(":");
  const namespace = id.slice(0, colon);
  const rest = id.slice(colon + 1);
  if (namespace === "maestro") return maestroProblem(rest);
  const numbered = NUMBERED.get(namespace);
  if (numbered !== undefined) return numbered.form.test(rest) ? null : { message: `is not an id of \`${namespace}\``, hint: numbered.hint };
  const near = nearest(namespace, ["maestro", ...NUMBERED.keys()]);
  return near !== null && near !== namespace && !/[0-9]/.test(namespace) ? { message: `has an unknown namespace \`${namespace}\``, hint: `did you mean \`${near}\`?` } : null;
}

function maestroProblem(rest: string): { readonly message: string; readonly hint: string } | null {
  const [layer = "", slug = ""] = rest.split("/", 2);
  const known = MAESTRO_THREATS.get(layer);
  if (known === undefined) return { message: "names no MAESTRO layer", hint: "layers are L1 to L7, and X for cross-layer threats" };
  if (known.includes(slug)) return null;
  const near = nearest(slug, known);
  return { message: `is no MAESTRO threat of ${layer}`, hint: near === null ? `${layer} has ${known.map((name) => `\`${name}\``).join(", ")}` : `did you mean \`maestro:${layer}/${near}\`?` };
}
