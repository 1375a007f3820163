// The table of what a secret looks like. Every pattern is linear: no nested repetition, every open end bounded, and a literal
// that must occur in the text before the pattern is tried at all.

import { entropy, isPlausibleSecret } from "./secret-value.js";

export interface SecretRule {
  /** Name in the placeholder: lower-case letters, digits and hyphens. */
  readonly kind: string;
  /** Lower-case literals; without any of them in the text the pattern cannot match. */
  readonly hints: readonly string[];
  /** With flag `g`. The secret is the group named `s`, or the whole match. */
  readonly pattern: RegExp;
  /** Last word on a candidate; without it, all are secrets. */
  readonly accept?: (secret: string) => boolean;
}

const mixed = (secret: string): boolean => entropy(secret) >= 3;
const notFiller = (secret: string): boolean => entropy(secret) >= 2.3;
const withDigit = (secret: string): boolean => mixed(secret) && /[0-9]/.test(secret);

/** A token known by its first characters, then `body`, and then no further character of a word. */
function prefixed(kind: string, prefix: string, body: string, accept: (secret: string) => boolean = mixed): SecretRule {
  const hints = [prefix.replace(/\(\?:.*$|\[.*$|\\/s, "").toLowerCase()];
  return { kind, hints, pattern: new RegExp(`(?<![A-Za-z0-9_])${prefix}${body}(?![A-Za-z0-9_])`, "g"), accept };
}

const TOKENS: readonly SecretRule[] = [
  { kind: "aws-access-key", hints: ["akia", "asia", "abia", "acca"], pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/g, accept: mixed },
  { kind: "aws-bedrock-key", hints: ["abskqmvkcm9ja0"], pattern: /ABSKQmVkcm9ja0[A-Za-z0-9+/]{90,300}={0,2}/g },
  { kind: "github-token", hints: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], pattern: /(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,255}(?![A-Za-z0-9])/g, accept: mixed },
  prefixed("github-token", "github_pat_", "[A-Za-z0-9_]{40,255}"),
  { kind: "gitlab-token", hints: ["glpat-", "glptt-", "glrt-", "gldt-", "gloas-", "glft-", "glimt-", "glagent-", "glsoat-", "glcbt-"], pattern: /(?<![A-Za-z0-9])gl(?:pat|ptt|rt|dt|oas|ft|imt|agent|soat|cbt)-[A-Za-z0-9_.-]{20,300}/g, accept: mixed },
  prefixed("npm-token", "npm_", "[A-Za-z0-9]{36}"),
  prefixed("pypi-token", "pypi-", "AgE[A-Za-z0-9_-]{50,1000}"),
  prefixed("rubygems-token", "rubygems_", "[0-9a-f]{48}"),
  prefixed("docker-token", "dckr_pat_", "[A-Za-z0-9_-]{27,64}"),
  { kind: "slack-token", hints: ["xox", "xapp-"], pattern: /(?<![A-Za-z0-9])(?:xox[abeoprs]|xapp|xoxe\.xox[bp])-[A-Za-z0-9-]{10,300}/g, accept: (secret) => withDigit(secret) && secret.split("-").length >= 3 && secret.length >= 24 },
  { kind: "slack-webhook", hints: ["hooks.slack.com"], pattern: /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<s>[A-Za-z0-9+/]{40,80})/g },
  { kind: "discord-webhook", hints: ["/api/webhooks/"], pattern: /discord(?:app)?\.com\/api\/webhooks\/(?<s>[0-9]{16,20}\/[A-Za-z0-9_-]{60,80})/g },
  { kind: "telegram-token", hints: [":aa"], pattern: /(?<![A-Za-z0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{32,33}(?![A-Za-z0-9_-])/g, accept: mixed },
  { kind: "google-api-key", hints: ["aiza"], pattern: /(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g, accept: mixed },
  prefixed("google-client-secret", "GOCSPX-", "[A-Za-z0-9_-]{28}"),
  prefixed("google-oauth-token", "ya29\\.", "[A-Za-z0-9_-]{20,1000}"),
  { kind: "stripe-key", hints: ["_live_", "_test_", "_prod_"], pattern: /(?<![A-Za-z0-9])[srp]k_(?:live|test|prod)_[A-Za-z0-9]{10,120}(?![A-Za-z0-9])/g, accept: mixed },
  prefixed("stripe-webhook-secret", "whsec_", "[A-Za-z0-9+/]{24,80}"),
  prefixed("anthropic-key", "sk-ant-", "[A-Za-z0-9_-]{60,200}"),
  { kind: "openai-key", hints: ["t3blbkfj"], pattern: /(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{16,120}T3BlbkFJ[A-Za-z0-9_-]{16,120}/g },
  { kind: "openai-key", hints: ["sk-"], pattern: /(?<![A-Za-z0-9_-])sk-(?:(?:proj|svcacct|admin|or-v1|lf)-)?[A-Za-z0-9_]{32,200}(?![A-Za-z0-9_-])/g, accept: (secret) => withDigit(secret) && entropy(secret) >= 3.5 },
  prefixed("huggingface-token", "hf_", "[A-Za-z]{34}", (secret) => entropy(secret) >= 3.8),
  prefixed("sendgrid-key", "SG\\.", "[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}"),
  prefixed("digitalocean-token", "do[opr]_v1_", "[0-9a-f]{64}"),
  { kind: "shopify-token", hints: ["shpat_", "shpca_", "shppa_", "shpss_"], pattern: /(?<![A-Za-z0-9])shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}(?![A-Za-z0-9])/g, accept: mixed },
  { kind: "vault-token", hints: ["hvs.", "hvb.", "hvr."], pattern: /(?<![A-Za-z0-9])hv[sbr]\.[A-Za-z0-9_-]{24,300}/g, accept: mixed },
  { kind: "vault-token", hints: ["s."], pattern: /(?<![A-Za-z0-9_./])s\.[A-Za-z0-9]{24}(?![A-Za-z0-9_.(])/g, accept: (secret) => withDigit(secret) && /[A-Z]/.test(secret) && entropy(secret) >= 3.8 },
  { kind: "terraform-token", hints: [".atlasv1."], pattern: /[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,80}/g },
  { kind: "grafana-token", hints: ["glc_", "glsa_"], pattern: /(?<![A-Za-z0-9])gl(?:c_[A-Za-z0-9+/]{32,400}={0,2}|sa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8})/g, accept: mixed },
  { kind: "1password-token", hints: ["ops_eyj"], pattern: /ops_eyJ[A-Za-z0-9+/_-]{200,4000}={0,3}/g, accept: (secret) => entropy(secret) >= 4 },
  { kind: "1password-secret-key", hints: ["a3-"], pattern: /(?<![A-Za-z0-9])A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}(?![A-Za-z0-9])/g, accept: (secret) => entropy(secret) >= 3.5 },
  prefixed("age-secret-key", "AGE-SECRET-KEY-1", "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
  prefixed("notion-token", "ntn_", "[0-9]{11}[A-Za-z0-9]{35}", (secret) => entropy(secret) >= 4),
  prefixed("linear-key", "lin_api_", "[A-Za-z0-9]{40}"),
  prefixed("databricks-token", "dapi", "[0-9a-f]{32}(?:-[0-9])?"),
  prefixed("pulumi-token", "pul-", "[0-9a-f]{40}"),
  prefixed("sourcegraph-token", "sgp_", "(?:[A-Za-z0-9]{16}_|local_)?[0-9a-fA-F]{40}"),
  prefixed("perplexity-key", "pplx-", "[A-Za-z0-9]{48}"),
  prefixed("postman-key", "PMAK-", "[0-9a-f]{24}-[0-9a-f]{34}"),
  prefixed("new-relic-key", "NRAK-", "[A-Z0-9]{27}"),
  prefixed("sentry-token", "sntry[su]_", "[A-Za-z0-9+/=_-]{40,400}"),
  prefixed("doppler-token", "dp\\.pt\\.", "[A-Za-z0-9]{43}"),
  prefixed("atlassian-token", "ATATT3", "[A-Za-z0-9_=-]{180,200}"),
  prefixed("openshift-token", "sha256~", "[A-Za-z0-9_-]{43}"),
  { kind: "artifactory-key", hints: ["akcp", "cmvmd"], pattern: /(?<![A-Za-z0-9])(?:AKCp[A-Za-z0-9]{69}|cmVmd[A-Za-z0-9]{59})(?![A-Za-z0-9])/g, accept: (secret) => entropy(secret) >= 4 },
  { kind: "azure-client-secret", hints: ["q~"], pattern: /(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])/g, accept: (secret) => entropy(secret) >= 3.8 },
  { kind: "azure-storage-key", hints: ["accountkey"], pattern: /AccountKey=(?<s>[A-Za-z0-9+/]{86}==)/g },
  { kind: "json-web-token", hints: ["eyj"], pattern: /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,8000}(?:\.[A-Za-z0-9_-]{0,2000})?/g },
];

const NAMES = "passw(?:or)?d|passphrase|pwd|secret(?:[_-]?(?:access)?[_-]?key)?|token|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key|credentials?";
const NAME_HINTS = ["passw", "passphrase", "pwd", "secret", "token", "apikey", "api_key", "api-key", "access_key", "access-key", "accesskey", "private_key", "private-key", "privatekey", "auth_key", "auth-key", "authkey", "credential"];

const PLACES: readonly SecretRule[] = [
  { kind: "url-password", hints: ["://"], pattern: /:\/\/[^\s:/@"'`<>]{0,100}:(?<s>[^\s/@"'`<>]{3,200})@/g, accept: (secret) => !/^[$<{%]|^x+$|^\*+$|^pass(?:word)?$/i.test(secret) && !secret.startsWith("[redacted:") },
  {
    kind: "authorization",
    hints: ["authorization"],
    pattern: /authorization\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?(?:(?:bearer|basic|token|apikey|digest)\s{1,3})?(?<s>[A-Za-z0-9_~+/.=-]{8,8000})/gi,
    accept: (secret) => notFiller(secret) && !/^\.+$|^(?:bearer|basic|token)$/i.test(secret) && /[0-9]|[a-z][A-Z]/.test(secret),
  },
  { kind: "bearer-token", hints: ["bearer"], pattern: /(?<![a-z])bearer\s{1,3}(?<s>[A-Za-z0-9_~+/.-]{16,8000}={0,2})/gi, accept: withDigit },
  { kind: "assigned-secret", hints: NAME_HINTS, pattern: new RegExp(`(?:${NAMES})(?:[_-][a-z0-9_-]{0,20})?\\\\?["']?\\s{0,3}(?:=>|:=|=|:)\\s{0,3}\\\\?["'](?<s>[^\\s"'\`\\\\]{6,300})`, "gi"), accept: (secret) => isPlausibleSecret(secret, "quoted") },
  { kind: "assigned-secret", hints: NAME_HINTS, pattern: new RegExp(`(?:${NAMES})(?:[_-][a-z0-9_-]{0,20})?\\s{0,3}(?:=>|:=|=|:)\\s{0,3}(?<s>[^\\s"'\`\\\\,;&|<>(){}]{6,300})`, "gi"), accept: (secret) => isPlausibleSecret(secret, "bare") },
  { kind: "argument-secret", hints: ["--"], pattern: /--(?:[a-z]{1,20}-){0,2}(?:password|passwd|passphrase|token|secret|api-?key|secret-key|access-key)(?:\s{1,3}|=)["']?(?<s>[^\s"'`$<>|;&-][^\s"'`<>|;&]{5,299})/gi, accept: (secret) => isPlausibleSecret(secret, "bare") },
  { kind: "argument-secret", hints: ["curl", "wget"], pattern: /(?<![a-z0-9])(?:curl|wget)\s[^\n|;]{0,400}?\s(?:-u|--user|--password)[\s=]{0,3}["']?[^\s:"'$]{1,100}["']?:["']?(?<s>[^\s"'$`][^\s"'`]{5,200})/gi, accept: (secret) => isPlausibleSecret(secret, "quoted") },
  { kind: "argument-secret", hints: ["mysql", "mariadb", "sshpass"], pattern: /(?<![a-z0-9])(?:mysql[a-z]{0,8}|mariadb|sshpass)\s(?:[^\n|;]{0,300}?\s)?-p\s?["']?(?<s>[^\s"'$`-][^\s"'`]{4,100})/g, accept: (secret) => isPlausibleSecret(secret, "quoted") },
];

/** Kinds whose form belongs to one issuer. A web token is signed by anybody, and most in source code are examples. */
export const ISSUED_TOKENS: ReadonlySet<string> = new Set(TOKENS.map((rule) => rule.kind).filter((kind) => kind !== "json-web-token"));

/** All rules; where two find the same place, the earlier one names it. */
export const SECRET_RULES: readonly SecretRule[] = [...TOKENS, ...PLACES];

/** Ends the name of a JSON member or variable whose value is a secret by its name alone. */
export const SECRET_NAME = new RegExp(`(?:^|[^a-z])(?:${NAMES})$`, "i");
