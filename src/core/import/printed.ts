// The output of a command as the program printed it. Agents' own programs put words of their own around it, each its own; where a command
// is run again there are none. The forms are theirs, in the versions that were seen; what is not known is left as it is.

import type { ImportFormat } from "./form.js";

/** Codex: what came of the command, then the output. Without an end it still ran, and the text is a part. */
const CODEX = /^(?:Chunk ID: [^\n]{0,80}\n)?(?:Exit code: -?\d{1,6}\n)?Wall time: [^\n]{0,40}\n(?:Process (?:exited with code -?\d{1,6}|(running) with session ID [^\n]{0,40})\n)?(?:Original token count: \d{1,9}\n)?(?:Total output lines: \d{1,9}\n)?Output:\n?/u;
/** Gemini CLI: named fields; which of them there are differs by version. */
const GEMINI_STARTS = ["Output: ", "Stdout: "] as const;
const GEMINI_ENDS = /^(?:Error: \(none\)|(?:Exit Code|Signal|Background PIDs|Process Group PGID): [^\n]{0,200})$/u;
const CLAUDE_HEAD = /^(?:Error: )?Exit code \d{1,3}(?:\n|$)/u;
const CLAUDE_END = /^Shell cwd was reset to [^\n]{0,4096}$/u;
const CLAUDE_NOTHING = "(Bash completed with no output)";
/** OpenHands: how the command ended and where its shell stands, after the output; earlier versions show the shell's prompt. */
const OPENHANDS_END = /^(?:\[(?:The command completed with exit code -?\d{1,6}\.|(?:Jupyter )?[Cc]urrent working directory: [^\n]{0,4096}|Python [Ii]nterpreter: [^\n]{0,4096}|Command (?:-?\d{1,9} )?finished with exit code -?\d{1,6})\]|[\w.-]{1,64}@[\w.-]{1,255}:[^\n]{0,4096} [#$])$/u;
const SWE_END = /^(?:\((?:Open file|Current directory): [^\n]{0,4096}\)|bash-\$)$/u;
const SWE_NOTHING = "Your command ran successfully and did not produce any output.";
/** Kimi Code: the message that stands for an output where there is none. */
const KIMI_NOTHING = /^Command (?:executed successfully|failed with exit code: -?\d{1,6})\.$/u;
/** The first line of an output with which a command of mini-swe-agent ends its session. */
const MINI_SIGN = /^\s{0,1000}(?:COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT|MINI_SWE_AGENT_FINAL_OUTPUT)[ \t\r]{0,1000}(?:\n|$)/u;

/** What the program printed, of what a file claims to be the output of a command; null where the file has only a part of it. */
export function printedOutput(format: ImportFormat, claimed: string): string | null {
  switch (format) {
    case "codex": {
      const head = CODEX.exec(claimed);
      return head?.[1] === undefined ? claimed.slice(head?.[0].length ?? 0) : null;
    }
    case "gemini-cli":
      return geminiOutput(claimed);
    case "claude-code":
      return claimed === CLAUDE_NOTHING ? "" : withoutEnd(claimed.replace(CLAUDE_HEAD, ""), CLAUDE_END);
    case "openhands":
    case "chat":
      return withoutEnd(claimed, OPENHANDS_END);
    case "swe-agent": {
      const text = withoutEnd(claimed, SWE_END);
      return text.trim() === SWE_NOTHING ? "" : text;
    }
    case "kimi-wire":
      return KIMI_NOTHING.test(claimed) ? "" : claimed;
    case "mini-swe-agent":
    case "atif":
      return claimed;
  }
}

/** What the agent's own program would have kept of what a command printed. */
export function shownOutput(format: ImportFormat, printed: string): string {
  return format === "mini-swe-agent" ? printed.replace(MINI_SIGN, "") : printed;
}

function geminiOutput(claimed: string): string | null {
  const isNamed = claimed.startsWith("Command: ");
  const first = GEMINI_STARTS.map((start) => (claimed.startsWith(start) ? start.length : isNamed ? after(claimed, `\n${start}`) : -1)).filter((at) => at !== -1);
  if (first.length === 0) return isNamed ? null : claimed;
  const [out = "", ...errors] = withoutEnd(claimed.slice(Math.min(...first)), GEMINI_ENDS).split("\nStderr: ");
  return [out, errors.join("\nStderr: ")].filter((text) => text !== "" && text !== "(empty)").join("\n");
}

function after(text: string, part: string): number {
  const at = text.indexOf(part);
  return at === -1 ? -1 : at + part.length;
}

/** Without the lines at its end that are of one form, and the blanks after them. */
function withoutEnd(text: string, form: RegExp): string {
  const whole = text.trimEnd().length;
  let end = whole;
  while (end > 0) {
    const start = text.lastIndexOf("\n", end - 1);
    if (!form.test(text.slice(start + 1, end).trimEnd())) break;
    end = Math.max(0, start);
  }
  return end === whole ? text : text.slice(0, end);
}
