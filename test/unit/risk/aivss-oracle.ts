// Published AIVSS scores to compare with. Worked examples: OWASP AIVSS v0.8 and v0.5 (OWASP, CC BY-SA 4.0); directory pages: scores
// printed by agent.distributedapps.ai; candidate: reference scenarios of the AIVSS 2.0 candidate; traps: recomputed with exact fractions.

export interface WorkedExample {
  readonly risk: string;
  readonly cvss: string;
  readonly base: string;
  /** In v0.8 order. */
  readonly factors: readonly number[];
  readonly sum: string;
  readonly aars: string;
  /** Published, ThM 0.97, MF 1. */
  readonly aivss: string;
  /** Recomputed for MF 0.83 and 0.67: v0.8, then the floored form. */
  readonly v08: readonly [string, string];
  readonly floor: readonly [string, string];
}

/** AIVSS v0.8, section 3.6. */
export const V08_EXAMPLES: readonly WorkedExample[] = [
  { risk: "Tool Misuse", cvss: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", base: "9.4", factors: [1, 1, 1, 1, 1, 1, 0.5, 1, 1, 0.5], sum: "9", aars: "0.5238", aivss: "9.9", v08: ["8.2", "6.6"], floor: ["9.8", "9.8"] },
  { risk: "Access Control Violation", cvss: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", base: "8.7", factors: [1, 1, 1, 1, 0.5, 1, 1, 1, 0.5, 0], sum: "8", aars: "1.0088", aivss: "9.7", v08: ["8.1", "6.5"], floor: ["9.5", "9.4"] },
  { risk: "Cascading Failures", cvss: "CVSS:4.0/AV:N/AC:H/AT:N/PR:L/UI:N/VC:N/VI:N/VA:H/SC:N/SI:H/SA:H", base: "7.1", factors: [1, 0.5, 1, 1, 1, 1, 0.5, 0.5, 1, 0.5], sum: "8", aars: "2.2504", aivss: "9.4", v08: ["7.8", "6.3"], floor: ["9.0", "8.6"] },
  { risk: "Orchestration / Multi-Agent", cvss: "CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", base: "9.4", factors: [1, 1, 1, 1, 1, 1, 1, 1, 1, 0.5], sum: "9.5", aars: "0.5529", aivss: "10.0", v08: ["8.3", "6.7"], floor: ["9.9", "9.8"] },
  { risk: "Identity Impersonation", cvss: "CVSS:4.0/AV:N/AC:H/AT:N/PR:N/UI:A/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N", base: "7.4", factors: [1, 1, 1, 1, 1, 1, 0, 1, 0.5, 0], sum: "7.5", aars: "1.8915", aivss: "9.3", v08: ["7.7", "6.2"], floor: ["9.0", "8.7"] },
  { risk: "Memory & Context", cvss: "CVSS:4.0/AV:A/AC:H/AT:N/PR:H/UI:N/VC:L/VI:H/VA:L/SC:N/SI:N/SA:N", base: "5.8", factors: [1, 0.5, 1, 1, 0.5, 1, 1, 0, 0.5, 1], sum: "7.5", aars: "3.0555", aivss: "8.9", v08: ["7.4", "5.9"], floor: ["8.3", "7.8"] },
  { risk: "Critical Systems", cvss: "CVSS:4.0/AV:A/AC:L/AT:N/PR:H/UI:N/VC:N/VI:H/VA:H/SC:N/SI:N/SA:N", base: "6.9", factors: [1, 1, 0.5, 1, 0.5, 1, 0.5, 0, 1, 1], sum: "7.5", aars: "2.25525", aivss: "9.2", v08: ["7.6", "6.1"], floor: ["8.8", "8.4"] },
  { risk: "Supply Chain", cvss: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", base: "9.3", factors: [1, 1, 0, 0, 1, 1, 0.5, 1, 1, 0], sum: "6.5", aars: "0.44135", aivss: "9.7", v08: ["8.1", "6.5"], floor: ["9.7", "9.6"] },
  { risk: "Untraceability", cvss: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N", base: "5.3", factors: [1, 1, 0, 0, 1, 1, 0.5, 0.5, 1, 0.5], sum: "6.5", aars: "2.96335", aivss: "8.3", v08: ["6.9", "5.5"], floor: ["7.8", "7.3"] },
  { risk: "Goal & Instruction", cvss: "CVSS:4.0/AV:N/AC:H/AT:N/PR:N/UI:A/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N", base: "2.1", factors: [0.5, 0, 1, 1, 1, 1, 1, 0, 0, 1], sum: "6.5", aars: "4.98095", aivss: "7.1", v08: ["5.9", "4.7"], floor: ["6.2", "5.4"] },
];

/** AIVSS v0.5, section 4.2, ThM 0.97: risk, base, factor sum, score. */
export const V05_EXAMPLES: readonly (readonly [risk: string, base: string, sum: string, aivss: string])[] = [
  ["Tool Misuse", "9.4", "8.5", "8.7"],
  ["Access Control Violation", "8.7", "7", "7.6"],
  ["Cascading Failures", "7.1", "7.5", "7.1"],
  ["Orchestration / Multi-Agent", "8.3", "6.5", "7.2"],
  ["Identity Impersonation", "7.4", "5.5", "6.3"],
  ["Memory & Context", "5.8", "6", "5.7"],
  ["Critical Systems", "6.9", "5", "5.8"],
  ["Supply Chain", "9.3", "1", "5.0"],
  ["Untraceability", "5.3", "4.5", "4.8"],
  ["Goal & Instruction", "2.1", "4", "3.0"],
];

/** The vector of the v0.5 row whose vector differs from v0.8's. */
export const V05_ORCHESTRATION = ["CVSS:4.0/AV:A/AC:L/AT:N/PR:H/UI:N/VC:L/VI:H/VA:L/SC:N/SI:H/SA:H", "8.3"] as const;

/** Directory pages, v0.8 with ThM and MF off the tables: page, base, sum, ThM, MF, AARS as shown, score. */
export const DIRECTORY_PAGES: readonly (readonly [page: string, base: string, sum: string, thm: string, mf: string, aars: string, aivss: string])[] = [
  ["defense-in-depth", "1.5", "0.6", "0.9", "0.7", "0.46", "1.4"],
  ["kagi-search", "6.8", "2.7", "1", "1", "0.86", "7.7"],
  ["koddy-ai", "4.3", "2.1", "1", "1", "1.20", "5.5"],
  ["code-review-and-quality", "6.3", "4.1", "1", "0.9", "1.52", "7.0"],
  ["receiving-code-review-skill", "6.3", "3.3", "1", "0.9", "1.22", "6.8"],
  ["code-review-anthropic", "6.8", "4.3", "1", "0.9", "1.38", "7.4"],
  ["review-agent-governance", "6.3", "1.6", "0.9", "0.5", "0.53", "3.4"],
  ["verification-before-completion-skill", "4.3", "2.4", "0.95", "0.8", "1.30", "4.5"],
];

/** CVSS-BTE of the 2.0 candidate's scenarios. */
export const CANDIDATE_CVSS: readonly (readonly [scenario: string, vector: string, score: string])[] = [
  ["ASI01", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:H/SI:L/SA:N/E:P", "9.2"],
  ["ASI02", "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:N/SC:H/SI:N/SA:N/E:P", "8.3"],
  ["ASI03", "CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H/E:P", "8.5"],
  ["ASI04", "CVSS:4.0/AV:N/AC:H/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:H/SI:L/SA:N/E:P", "8.8"],
  ["ASI05", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:P", "8.9"],
  ["ASI06", "CVSS:4.0/AV:N/AC:H/AT:N/PR:N/UI:N/VC:H/VI:L/VA:L/SC:H/SI:N/SA:N/E:P", "7.8"],
  ["ASI07", "CVSS:4.0/AV:A/AC:L/AT:N/PR:N/UI:N/VC:L/VI:H/VA:N/SC:H/SI:L/SA:N/E:P", "7.1"],
  ["ASI08", "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:N/VI:H/VA:H/SC:H/SI:H/SA:L/E:P", "7.9"],
  ["ASI09", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:L/VI:H/VA:N/SC:H/SI:N/SA:N/E:P", "7.0"],
  ["ASI10", "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H/E:P", "8.6"],
];

/** Sums that binary floating point rounds the wrong way: base, sum, ThM, MF, score. */
export const ROUNDING_TRAPS: readonly (readonly [base: string, sum: string, thm: string, mf: string, aivss: string])[] = [
  ["0.0", "5", "1", "0.83", "4.2"],
  ["0.3", "5", "1", "1", "5.2"],
  ["1.0", "1.5", "1", "1", "2.4"],
  ["1.0", "3", "0.5", "1", "2.4"],
];
