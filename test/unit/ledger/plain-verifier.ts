// A verifier written from docs/log-format.md alone. It imports nothing of ours, on purpose: it shows that the page is enough.

import { createHash, createPublicKey, verify } from "node:crypto";

const sha256 = (bytes: string | Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = value as Record<string, unknown>;
  const keys = Object.keys(members).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(members[key])}`).join(",")}}`;
}

function treeRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256("");
  if (leaves.length === 1) return leaves[0] ?? Buffer.alloc(0);
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return sha256(Buffer.concat([Buffer.of(1), treeRoot(leaves.slice(0, half)), treeRoot(leaves.slice(half))]));
}

/** `ok`, or the first bad line, or `head` when the head itself or what it vouches for is wrong. */
export function plainVerify(ledger: Uint8Array, checkpoint: string, publicKeyPem: string): string {
  const [text = "", signatures = ""] = checkpoint.split("\n\n");
  const [origin = "", size = "", root = ""] = text.split("\n");
  const signature = Buffer.from(signatures.split("\n").find((line) => line.startsWith(`— ${origin} `))?.split(" ")[2] ?? "", "base64").subarray(4);
  if (!verify(null, Buffer.from(`${text}\n`), createPublicKey(publicKeyPem), signature)) return "head";
  const session = origin.slice("ringfence/".length);
  const lines = Buffer.from(ledger).toString("utf8").split("\n");
  let prev = `sha256:${sha256(`ringfence/ledger/v1/genesis\n${session}`).toString("hex")}`;
  const leaves: Buffer[] = [];
  for (const [i, line] of lines.slice(0, -1).entries()) {
    let record: Record<string, unknown>;
    try {
      record = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return `line ${i + 1}`;
    }
    const { hash, ...rest } = record;
    const computed = sha256(`ringfence/ledger/v1/record\n${canonical(rest)}`);
    const whole = canonical(record) === line && hash === `sha256:${computed.toString("hex")}`;
    if (!whole || record["seq"] !== i || record["session"] !== session || record["prev"] !== prev || record["v"] !== 1) return `line ${i + 1}`;
    leaves.push(sha256(Buffer.concat([Buffer.of(0), computed])));
    prev = hash as string;
  }
  if (lines.at(-1) !== "" || leaves.length < Number(size)) return `line ${leaves.length + 1}`;
  return treeRoot(leaves.slice(0, Number(size))).toString("base64") === root ? "ok" : "head";
}
