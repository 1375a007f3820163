// Redaction: what is found, what is left alone, and that no text makes it slow.

import { join as pathJoin } from "node:path";
import { createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findSecrets } from "../../../src/core/content/index.js";
import { redactJson, redactText } from "../../../src/core/ledger/index.js";
import { LIMITS, type JsonValue } from "../../../src/core/shared/index.js";

const digest = (text: string): string => createHmac("sha256", "test key").update(text).digest("hex");
const mark = (kind: string, secret: string): string => `[redacted:${kind}:${digest(secret).slice(0, 8)}]`;
// Put together here, so that no scanner takes this file for a leak.
const join = (...parts: readonly string[]): string => parts.join("");
const ALNUM = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
const HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
const JWT = join("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NTY3ODkwIn0", ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U");
const PEM = join("-----BEGIN RSA ", "PRIVATE KEY-----\n", `${ALNUM}${ALNUM}\n`.repeat(5), "-----END RSA PRIVATE KEY-----");

type Case = readonly [kind: string, secret: string, before?: string, after?: string];
const FOUND: readonly Case[] = [
  ["private-key", PEM, "x = '", "'"],
  ["private-key", PEM.replaceAll("\n", "\\n"), '{"key":"', '"}'],
  ["aws-access-key", join("AKIA", "Q3EGRIL7JZ5XW2TN"), "id ", "."],
  ["github-token", join("ghp_", ALNUM.slice(0, 36)), "https://"],
  ["github-token", join("github_pat_", "11AAAAAAA0", ALNUM, ALNUM), "(", ")"],
  ["gitlab-token", join("glpat-", ALNUM.slice(0, 20)), "-H PRIVATE: "],
  ["npm-token", join("npm_", ALNUM.slice(0, 36)), "//registry.npmjs.org/:_authToken="],
  ["pypi-token", join("pypi-", "AgEIcHlwaS5vcmc", ALNUM, ALNUM)],
  ["slack-token", join("xoxb-", "123456789012-123456789012-", ALNUM.slice(0, 24))],
  ["slack-webhook", join("T0123ABCD/B0123ABCD/", ALNUM.slice(0, 24)), "https://hooks.slack.com/services/"],
  ["google-api-key", join("AIza", "SyD3_", ALNUM.slice(0, 30)), "key: ", "\n"],
  ["stripe-key", join("sk_", "live_", ALNUM.slice(0, 24)), '"', '"'],
  ["anthropic-key", join("sk-", "ant-api03-", ALNUM, ALNUM, "AA")],
  ["openai-key", join("sk-", "proj-", ALNUM.slice(0, 20), "T3BlbkFJ", ALNUM.slice(0, 20))],
  ["huggingface-token", join("hf_", "aBcDeFgHiJkLmNoPqRsTuVwXyZabcdefgh")],
  ["sendgrid-key", join("SG.", ALNUM.slice(0, 22), ".", ALNUM, "xyz")],
  ["digitalocean-token", join("dop_v1_", HEX)],
  ["vault-token", join("hvs.", ALNUM)],
  ["json-web-token", JWT, "cookie: session is "],
  ["age-secret-key", join("AGE-SECRET-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE")],
  ["url-password", "hunter2hunter2", "git clone https://me:", "@example.com/x.git"],
  ["url-password", "p4ss", "postgres://admin:", "@db:5432/app"],
  ["authorization", "5eb4223e-5008-46e5-be67", "curl -H 'Authorization: ", "' https://x"],
  ["bearer-token", join("sha1x", HEX), "use bearer ", " here"],
  ["assigned-secret", "tr0ub4dor&3", 'password = "', '"'],
  ["assigned-secret", "correct-horse-battery", '"db_password": "', '"'],
  ["assigned-secret", "Zx81_spectrum", "export API_TOKEN=", "\nls"],
  ["assigned-secret", ALNUM, "AWS_SECRET_ACCESS_KEY=", " aws s3 ls"],
  ["argument-secret", "s3cr3tvalue", "deploy --admin-password ", " --force"],
  ["argument-secret", "h0pk1ns~21s", "curl -sS --user 'johns:", "' https://x"],
  ["argument-secret", "hunter22", "mysql -u root -p", " -e 'select 1'"],
];

describe("redactText", () => {
  it.each(FOUND.map((one) => ({ kind: one[0], one })))("finds: $kind", ({ one: [kind, secret, before = "", after = ""] }) => {
    expect(redactText(`${before}${secret}${after}`, digest)).toBe(`${before}${mark(kind, secret)}${after}`);
  });

  it.each([
    "cd /workspace && npm test -- --grep token && git log --oneline",
    "password: process.env.PASSWORD, token = getToken(); secret = config.secret",
    'password = "${DB_PASSWORD}"; token: "<your token>"; API_KEY=xxxxxxxxxxxx',
    "const tokenizer = new Tokenizer(tokens, passwordField)",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 commit 19d51d7fe467d4706a3ff08adf8a748f29fc21e0",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx AKIAAAAAAAAAAAAAAAAA",
    "git@github.com:owner/repo.git https://example.com:8080/path?a=b@c s.split(',') s.trimStartAndEndButLonger()",
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "integrity sha512-zZ8uS2kq4c8Cw2bqVQd0u8bH4sPqgZ6mQyq0vVnFQ4jVYHkS8m4QqXy0hX8lX1mB6nJr1oE1wq3o3p0k2m1n8A==",
  ])("leaves alone: %s", (text) => {
    expect(redactText(text, digest)).toBe(text);
  });

  it("marks equal secrets equally, wherever they stand, and others differently", () => {
    const secret = join("ghp_", ALNUM.slice(0, 36));
    const other = join("ghp_", ALNUM.slice(1, 37));
    const out = redactText(`${secret} ${secret} ${other}`, digest).split(" ");
    expect([out[0] === out[1], out[0] === out[2]]).toEqual([true, false]);
  });

  it("finds a secret in base 64 to its last character, wherever the encoding ends", () => {
    const secret = `ghp_${"aB3dE6gH9jK2mN5pQ8sT".repeat(2).slice(0, 36)}`;
    for (const around of [["", ""], ["", "\n"], ["x=", ""], ["ab ", ""], ["a ", "\n\n"]] as const) {
      const encoded = Buffer.from(around.join(secret)).toString("base64");
      for (const form of [encoded, encoded.replace(/=+$/u, "")]) expect([around, redactText(`echo ${form} | base64 -d`, digest)]).toEqual([around, `echo ${mark("base64-github-token", secret)} | base64 -d`]);
    }
  });

  it("finds a secret in base 64 of several lines, wherever a line ends in it", () => {
    const secret = `ghp_${"aB3dE6gH9jK2mN5pQ8sT".repeat(2).slice(0, 36)}`;
    for (const [width, end] of [[76, "\n"], [64, "\n"], [76, "\r\n"]] as const) {
      for (let before = 0; before < 120; before++) {
        const encoded = Buffer.from(`${"y ".repeat(before)}token=${secret} and what comes after it`).toString("base64");
        const lines = encoded.match(new RegExp(`.{1,${String(width)}}`, "gu"))?.join(end) ?? "";
        expect([width, before, redactText(`$ base64 f\n${lines}\n$ ls\n`, digest)]).toEqual([width, before, `$ base64 f\n${mark("base64-github-token", secret)}\n$ ls\n`]);
      }
    }
  });

  it("finds secrets in base 64, and marks them like the plain ones", () => {
    const secret = join("ghp_", ALNUM.slice(0, 36));
    const encoded = Buffer.from(`user: me\ntoken: ${secret}\n`).toString("base64");
    expect(redactText(`echo ${encoded} | base64 -d`, digest)).toBe(`echo ${mark("base64-github-token", secret)} | base64 -d`);
  });

  it("redacts a private key that was cut off before its end", () => {
    const cut = PEM.slice(0, 300);
    expect(redactText(cut, digest)).toBe(mark("private-key", cut));
  });

  it("changes nothing more when it is done twice", () => {
    for (const [, secret, before = "", after = ""] of FOUND) {
      const once = redactText(`${before}${secret}${after}`, digest);
      expect(redactText(once, digest)).toBe(once);
    }
  });

  it("stays linear on texts made to slow it down", () => {
    const pieces = ["a", "-----BEGIN PRIVATE KEY-----", "://a:b", "password=", "password ", "eyJaaaaaaaaaaaaaaaaaa.", "eyJaaaaaaaaaaaaaaaaaa", "curl a ", "sk-a", "--a-a-token ", "xoxb-1-", "mysql -", "A3-AAAAAA-", "bearer a ", "authorization: ", " ", "gl", "s.", "AKIA"];
    // Processor time, the least of three: other work on the machine does not count.
    const time = (text: string): number => {
      const runs = [1, 2, 3].map(() => {
        const start = process.cpuUsage();
        findSecrets(text);
        return process.cpuUsage(start).user / 1_000;
      });
      return Math.min(...runs);
    };
    for (const piece of pieces) {
      const small = piece.repeat(Math.ceil(25_000 / piece.length));
      time(small);
      // Eight times the text may take eight times as long; a quadratic pattern takes sixty-four times.
      const ratio = time(small.repeat(8)) / Math.max(time(small), 4);
      expect({ piece, slow: ratio > 32 }).toEqual({ piece, slow: false });
    }
  });
});

describe("redactJson", () => {
  const secret = join("ghp_", ALNUM.slice(0, 36));

  it("goes through texts, keys and members named like secrets, and keeps the rest", () => {
    const value = { cmd: `use ${secret}`, n: 1.5, ok: true, none: null, list: [secret, 2], [`k ${secret}`]: "v", env: { DB_PASSWORD: "tr0ub4dor", apiKey: "Zx81spectrum", password: "${PASSWORD}", token: 12 } };
    expect(redactJson(value, digest)).toEqual({
      cmd: `use ${mark("github-token", secret)}`,
      n: 1.5,
      ok: true,
      none: null,
      list: [mark("github-token", secret), 2],
      [`k ${mark("github-token", secret)}`]: "v",
      env: { DB_PASSWORD: mark("assigned-secret", "tr0ub4dor"), apiKey: mark("assigned-secret", "Zx81spectrum"), password: "${PASSWORD}", token: 12 },
    });
  });

  it("mends lone surrogates and keeps a member called __proto__ as data", () => {
    const value = JSON.parse('{"a\\ud800":"b\\udfff","__proto__":{"x":1}}') as JsonValue;
    const out = redactJson(value, digest);
    expect(JSON.stringify(out)).toBe('{"a\ufffd":"b\ufffd","__proto__":{"x":1}}');
    expect(Object.getPrototypeOf(out)).toBe(Object.prototype);
  });

  it("replaces what is nested too deep", () => {
    let value: JsonValue = secret;
    for (let i = 0; i < 10_000; i++) value = [value];
    const text = JSON.stringify(redactJson(value, digest));
    expect(text).toBe(`${"[".repeat(LIMITS.recordDepth)}"[redacted:too-deep]"${"]".repeat(LIMITS.recordDepth)}`);
  });
});

const CORPUS = pathJoin(import.meta.dirname, "..", "..", "..", "..", "shared", "corpora", "gitleaks-cases", "cases.jsonl");

describe.skipIf(!existsSync(CORPUS))(`the gitleaks cases (${existsSync(CORPUS) ? "present" : "absent: skipped"})`, () => {
  it("are found but for two, with false alarms that only redact too much", () => {
    const rows = readFileSync(CORPUS, "utf8").trim().split("\n").map((line) => JSON.parse(line) as { rule: string; expected: string; text: string });
    const hit = (row: { text: string }): boolean => findSecrets(row.text).length > 0;
    const secrets = rows.filter((row) => row.expected === "secret");
    expect(secrets.filter((row) => !hit(row)).map((row) => row.rule)).toEqual(["gcp-service-account", "sourcegraph-access-token"]);
    // 16 of them are keys of a public list of examples, which have the form of real ones.
    expect(rows.filter((row) => row.expected !== "secret" && hit(row)).length).toBeLessThanOrEqual(28);
  });
});
