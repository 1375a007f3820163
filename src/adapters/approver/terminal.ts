// Asks the person at the terminal. Anything but a clear yes is a rejection; without a terminal there is nobody to ask.

import type { Readable, Writable } from "node:stream";
import { printable } from "../../core/shared/index.js";
import type { ApprovalOutcome, ApprovalRequest, Approver } from "../../ports/approver.js";

export interface TerminalApproverOptions {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean };
  /** Name of the person recorded with the outcome. */
  readonly user: string;
}

/** A prompt on a terminal. The action is shown escaped and whole: what is shown is what runs. */
export function createTerminalApprover(options: TerminalApproverOptions): Approver {
  return {
    request: async (request, signal) => {
      if (options.input.isTTY !== true || options.output.isTTY !== true) return nobody("no terminal to ask on");
      if (signal.aborted) return { outcome: "expired", by: "timer", detail: "no answer in time" };
      const { select, isCancel } = await import("@clack/prompts");
      options.output.write(`${describe(request)}\n`);
      const answer = await select({
        message: "Run this?",
        options: [
          { value: "reject", label: "No, reject it" },
          { value: "approve", label: "Yes, run it once" },
        ],
        initialValue: "reject",
        input: options.input as never,
        output: options.output as never,
        signal,
      });
      if (signal.aborted) return { outcome: "expired", by: "timer", detail: "no answer in time" };
      if (isCancel(answer) || answer !== "approve") return { outcome: "rejected", by: options.user, detail: null };
      return { outcome: "approved", by: options.user, detail: null };
    },
  };
}

/** Rejects everything: for runs without a person. */
export function createAbsentApprover(detail: string): Approver {
  return { request: async () => nobody(detail) };
}

function nobody(detail: string): ApprovalOutcome {
  return { outcome: "unavailable", by: "nobody", detail };
}

function describe(request: ApprovalRequest): string {
  const lines = [
    "",
    `  The agent asks for something that needs a person (${printable(request.tool)}${request.role === null ? "" : `, as ${printable(request.role)}`}):`,
    "",
    ...request.action.split("\n").map((line) => `    ${printable(line, Number.MAX_SAFE_INTEGER)}`),
    "",
    ...(request.cwd === null ? [] : [`  in   ${printable(request.cwd)}`]),
    ...request.files.flatMap(fileLines),
    ...(request.rejectedBefore === 0 ? [] : [`  was rejected ${request.rejectedBefore === 1 ? "once" : `${request.rejectedBefore} times`} before in this session`]),
    ...request.reasons.filter((reason) => reason.effect === "ask").flatMap((reason) => [`  why  ${reason.rule} (${reason.threats.join(", ")})`, `       ${printable(reason.message, 400)}`]),
    "",
  ];
  return lines.join("\n");
}

/** A file that would run: its name, the beginning of its digest, and its text. */
function fileLines({ path, digest, state, text }: ApprovalRequest["files"][number]): readonly string[] {
  const what = digest === null ? state.replaceAll("-", " ") : digest.slice(0, 19);
  return [`  runs ${printable(path, Number.MAX_SAFE_INTEGER)} (${what})`, ...(text === null ? [] : text.replace(/\n$/u, "").split("\n").map((line) => `     | ${printable(line, Number.MAX_SAFE_INTEGER)}`))];
}
