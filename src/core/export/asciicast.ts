// asciicast version 2: a session to be played on a terminal. Text of the session is made printable, so that playing it steers nothing.

import { count, printableBlock } from "../shared/index.js";
import { endOf, titleOf, verdictOf, type Step, type Timeline } from "../replay/timeline.js";
import type { StepTexts } from "../replay/page-step.js";

const WIDTH = 120;
const HEIGHT = 32;
/** Seconds between a command and its output, at least and at most: a pause of hours shows nothing. */
const PAUSE = { least: 0.4, most: 3 };
const LINES = 60;

/** The recording as JSON Lines. */
export function asciicastOf({ state, steps }: Timeline, textsOf: (step: Step) => StepTexts): string {
  const lines: string[] = [JSON.stringify({ version: 2, width: WIDTH, height: HEIGHT, title: `${state.id}${state.opened.imported === undefined ? "" : " (imported, not witnessed)"}`, env: { TERM: "xterm", SHELL: "/bin/bash" } })];
  let at = 0;
  const say = (text: string, pause: number): void => {
    lines.push(JSON.stringify([Number(at.toFixed(3)), "o", printableBlock(text).replaceAll("\n", "\r\n")]));
    at += pause;
  };
  for (const step of steps) {
    const verdict = verdictOf(step);
    const duration = (step.call.execution?.durationMs ?? step.call.claimed?.result?.durationMs ?? 0) / 1000;
    const rules = (step.decision?.reasons ?? []).filter((reason) => verdict !== "allow" && reason.effect === verdict).map((reason) => `${reason.rule}: ${reason.message}`);
    say(`[${step.number}/${steps.length}] ${verdict} $ ${titleOf(step)}\n`, Math.min(PAUSE.most, Math.max(PAUSE.least, duration)));
    for (const rule of rules.slice(0, 5)) say(`  ${rule}\n`, 0);
    const output = textsOf(step).output.replace(/\n$/u, "").split("\n");
    if (output.join("") !== "") say(`${output.slice(0, LINES).join("\n")}${output.length > LINES ? `\n… ${count(output.length - LINES, "more line")}` : ""}\n`, PAUSE.least);
    say(`  ${endOf(step)}${step.after === null ? "" : `, AIVSS ${step.after.score}`}\n\n`, PAUSE.least);
  }
  return `${lines.join("\n")}\n`;
}
