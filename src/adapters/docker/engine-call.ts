// Every request to the engine: under a deadline and an abort signal, its failure told as one of our codes.
// Never relies on the client's own time-out, which can hang.

import { GuardError, printable, type ErrorCode } from "../../core/shared/index.js";

export interface EngineCall {
  /** The work in words, for the message: "creating the container". */
  readonly what: string;
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Code of a failure that is none of the special ones. */
  readonly code?: ErrorCode;
}

/** Runs one request. Rejects with GuardError: CANCELLED, ENGINE_UNAVAILABLE, IMAGE_MISSING, or the call's own code. */
export async function engineCall<T>(call: EngineCall, request: (signal: AbortSignal) => Promise<T>): Promise<T> {
  // A signal of our own: one composed of both would be held by the caller's, which may live as long as the process.
  const ending = new AbortController();
  const { promise: aborted, reject } = deferred();
  const state = { isLate: false };
  const end = (): void => {
    ending.abort();
    reject(new Error("aborted"));
  };
  const timer = setTimeout(() => {
    state.isLate = true;
    end();
  }, call.limitMs);
  call.signal?.addEventListener("abort", end, { once: true });
  try {
    call.signal?.throwIfAborted();
    return await Promise.race([request(ending.signal), aborted]);
  } catch (cause) {
    if (cause instanceof GuardError) throw cause;
    if (call.signal?.aborted === true) throw new GuardError("CANCELLED", `${call.what} was cancelled`, { cause });
    if (state.isLate) throw new GuardError(call.code ?? "SANDBOX_FAILED", `${call.what} did not end within ${call.limitMs} ms`, { cause });
    throw explain(call, cause);
  } finally {
    clearTimeout(timer);
    call.signal?.removeEventListener("abort", end);
  }
}

function deferred(): { readonly promise: Promise<never>; readonly reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<never>((_resolve, no) => {
    reject = no;
  });
  promise.catch(() => undefined);
  return { promise, reject };
}

/** HTTP status of an engine's answer; null for everything else. */
export function statusOf(cause: unknown): number | null {
  const status = typeof cause === "object" && cause !== null && "statusCode" in cause ? cause.statusCode : null;
  return typeof status === "number" ? status : null;
}

/** Tells whether a request failed because no engine answered. */
export function isUnreachable(cause: unknown): boolean {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : null;
  return typeof code === "string" && ["ENOENT", "ECONNREFUSED", "EACCES", "EPERM", "ECONNRESET", "EPIPE", "ENOTSOCK"].includes(code);
}

function explain(call: EngineCall, cause: unknown): GuardError {
  const message = printable(cause instanceof Error ? cause.message : String(cause), 600);
  if (isUnreachable(cause)) return new GuardError("ENGINE_UNAVAILABLE", `${call.what} failed: the engine does not answer (${message})`, { cause });
  if (statusOf(cause) === 404 && /no such image/i.test(message)) return new GuardError("IMAGE_MISSING", `${call.what} failed: ${message}`, { cause });
  return new GuardError(call.code ?? "SANDBOX_FAILED", `${call.what} failed: ${message}`, { cause });
}
