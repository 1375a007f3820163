// Sends spans to an OpenTelemetry collector: OTLP over HTTP, as JSON. Attempts, times and answers are limited; no redirect is followed.

import { GuardError, count, printable } from "../../core/shared/index.js";

/** Attempts of one request, and what is waited between them where the collector does not say, in milliseconds. */
const ATTEMPTS = 3;
const PAUSES_MS = [1_000, 3_000] as const;
/** Longest wait that a collector may ask for. */
const MOST_PAUSE_MS = 10_000;
const REQUEST_MS = 15_000;
const ANSWER_BYTES = 64 * 1024;
/** Answers after which the specification of OTLP/HTTP wants the same request again. */
const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface OtlpTarget {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

export interface SendOptions {
  readonly signal: AbortSignal;
  /** Told before each further attempt. */
  readonly onAgain?: (why: string, pauseMs: number) => void;
}

/**
 * The address of traces at a collector: `/v1/traces` where the address names no path. Throws USAGE_INVALID for one that is no http address.
 * @param headers as in OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`, percent-encoded
 */
export function otlpTarget(address: string, headers: string | undefined): OtlpTarget {
  const url = parsedUrl(address);
  if (url === null || !["http:", "https:"].includes(url.protocol)) throw new GuardError("USAGE_INVALID", `\`${printable(address, 100)}\` is no http address`, { hint: "give the address of a collector: http://127.0.0.1:4318" });
  if (url.username !== "" || url.password !== "") throw new GuardError("USAGE_INVALID", "an address with a user and a password in it would be seen by others", { hint: "put them into OTEL_EXPORTER_OTLP_HEADERS" });
  if (url.pathname === "/" || url.pathname === "") url.pathname = "/v1/traces";
  return { url, headers: headersOf(headers ?? "") };
}

function parsedUrl(address: string): URL | null {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}

function headersOf(text: string): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(",")) {
    if (pair.trim() === "") continue;
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(0, at)).trim();
    if (!/^[\w!#$%&'*+.^`|~-]{1,100}$/u.test(name)) throw new GuardError("USAGE_INVALID", "OTEL_EXPORTER_OTLP_HEADERS is not a list of name=value");
    headers[name] = decoded(pair.slice(at + 1).trim());
  }
  return headers;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Sends one request. Throws EXPORT_FAILED when it was not taken, or not wholly; CANCELLED on an abort. */
export async function sendOtlp({ url, headers }: OtlpTarget, body: string, { signal, onAgain }: SendOptions): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await once(url, headers, body, signal);
    if (result.outcome === "taken") return;
    if (result.outcome === "refused" || attempt === ATTEMPTS) throw new GuardError("EXPORT_FAILED", `${where(url)} ${result.why}${attempt === 1 ? "" : `, after ${String(attempt)} attempts`}`);
    const pauseMs = Math.min(MOST_PAUSE_MS, result.pauseMs ?? PAUSES_MS[attempt - 1] ?? MOST_PAUSE_MS);
    onAgain?.(result.why, pauseMs);
    await pause(pauseMs, signal);
  }
}

type Attempt = { readonly outcome: "taken" } | { readonly outcome: "refused"; readonly why: string } | { readonly outcome: "again"; readonly why: string; readonly pauseMs: number | null };

async function once(url: URL, headers: OtlpTarget["headers"], body: string, signal: AbortSignal): Promise<Attempt> {
  const limit = AbortSignal.timeout(REQUEST_MS);
  try {
    const response = await fetch(url, { method: "POST", headers: { ...headers, "content-type": "application/json" }, body, redirect: "manual", signal: AbortSignal.any([signal, limit]) });
    const answer = await beginning(response);
    if (response.status >= 200 && response.status < 300) return taken(answer);
    const why = `answered ${String(response.status)}${answer === "" ? "" : `: ${printable(messageOf(answer), 300)}`}`;
    return AGAIN.has(response.status) ? { outcome: "again", why, pauseMs: retryAfter(response.headers.get("retry-after")) } : { outcome: "refused", why };
  } catch (error) {
    if (signal.aborted) throw new GuardError("CANCELLED", "sending was cancelled", { cause: error });
    if (limit.aborted) return { outcome: "again", why: `did not answer within ${String(REQUEST_MS / 1000)} s`, pauseMs: null };
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : cause instanceof Error ? cause.message : "unknown";
    return { outcome: "refused", why: `cannot be reached: ${printable(code, 100)}` };
  }
}

/** A collector that took the request may still have refused some of its spans, and says so. */
function taken(answer: string): Attempt {
  const partial = fieldOf(parsedJson(answer), "partialSuccess");
  const rejected = Number(fieldOf(partial, "rejectedSpans") ?? 0);
  const message = fieldOf(partial, "errorMessage");
  if (!Number.isFinite(rejected) || rejected <= 0) return { outcome: "taken" };
  return { outcome: "refused", why: `refused ${count(rejected, "span")}${typeof message === "string" && message !== "" ? `: ${printable(message, 300)}` : ""}` };
}

function messageOf(answer: string): string {
  const message = fieldOf(parsedJson(answer), "message");
  return typeof message === "string" ? message : answer;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** The beginning of an answer; the rest is not waited for. */
async function beginning(response: Response): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < ANSWER_BYTES) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    bytes += value.length;
  }
  await reader.cancel().catch(() => undefined);
  return Buffer.concat(chunks).toString("utf8", 0, ANSWER_BYTES);
}

/** Seconds, as a collector asks for them; a date is not taken. */
function retryAfter(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/u.test(header) ? Number(header) * 1000 : null;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      signal.removeEventListener("abort", stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(new GuardError("CANCELLED", "sending was cancelled"));
    }
    signal.addEventListener("abort", stop, { once: true });
  });
}

function where(url: URL): string {
  return `the collector at ${printable(`${url.protocol}//${url.host}${url.pathname}`, 200)}`;
}
