// `ringfence replay view`: the steps of a session, printed whole, or one after the other on a terminal. Plain keys, no mouse, no colour
// needed. Text of the session reaches the terminal only as printable text.

import { emitKeypressEvents, type Key } from "node:readline";
import { searchText, timelineHeadOf, type Step } from "../../core/replay/index.js";
import { GuardError, count, printable } from "../../core/shared/index.js";
import type { OpenedStep, ReplayView } from "../../compose-replay.js";
import type { Io } from "./io.js";
import { noteBundle } from "./named-session.js";
import { breakLine, columnsOf, cut } from "./render/layout.js";
import { fileLines } from "./render/step-files.js";
import { stepLines, timelineHead, type StepText } from "./render/timeline.js";

export interface ViewFlags {
  readonly step?: number;
  readonly find?: string;
  readonly findings?: boolean;
  readonly html?: string;
  readonly diff?: boolean;
  readonly workspace?: boolean;
}

const INTERRUPTED = 130;
/** The alternate screen, without a cursor. */
const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";

/** Shows a session, or writes it as a page. */
export async function showView(wanted: string, flags: ViewFlags, io: Io): Promise<void> {
  const { openReplay, openStep, writeSessionPage } = await import("../../compose-replay.js");
  await noteBundle(wanted, io);
  if (flags.html !== undefined) {
    const { session, bytes } = await writeSessionPage(wanted, flags.html, io.env);
    if (io.options.json) io.json({ session, file: flags.html, bytes });
    else io.note(`wrote ${session} to ${printable(flags.html, 300)}, ${count(bytes, "byte")}`);
    return;
  }
  const isBrowsed = !io.options.json && io.isTerminal.out && io.isTerminal.in;
  // The step that is asked for is there at once, however long the session is.
  const alone = flags.find === undefined && flags.findings !== true && flags.diff !== true && flags.workspace !== true && !io.options.json && (isBrowsed || flags.step !== undefined) ? await openStep(wanted, flags.step ?? 1, io.env) : null;
  if (alone !== null && !isBrowsed) return printAlone(alone, io);
  if (alone !== null) paintAlone(alone, io);
  const view = await openReplay(wanted, io.env).catch((error: unknown) => {
    if (alone !== null) process.stdout.write(LEAVE);
    throw error;
  });
  try {
    const chosen = choose(view.timeline.steps, flags);
    if (io.options.json) for (const step of chosen) io.json({ ...step, texts: await view.textsOf(step), ...(flags.diff === true || flags.workspace === true ? { files: await view.filesOf(step) } : {}) });
    else if (isBrowsed) await browse(view, chosen, flags, io);
    else await print(view, chosen, flags, io);
  } finally {
    await view.close();
  }
}

function linesAlone({ head, step, texts }: OpenedStep, outputLines: number, io: Io): readonly string[] {
  const total = Object.values(head.verdicts).reduce((sum, one) => sum + one, 0);
  return ["", ...stepLines(step, texts, { width: columnsOf(process.stdout), outputLines, total }, io.paint)];
}

/** One step, of a record that was not read as a whole. */
function printAlone(opened: OpenedStep, io: Io): void {
  const { head } = opened;
  for (const line of [...timelineHead(head, io.paint), ...linesAlone(opened, 2_000, io)]) io.out(line);
  const total = Object.values(head.verdicts).reduce((sum, one) => sum + one, 0);
  if (total > 1) io.out(io.paint.dim(`\n1 of ${count(total, "call")}; this one is what was signed, \`ringfence log verify ${head.id}\` looks at all of them`));
}

/** The first screen, while the whole record is read and verified for the others. */
function paintAlone(opened: OpenedStep, io: Io): void {
  const rows = Math.max(4, process.stdout.rows);
  const lines = [...timelineHead(opened.head, io.paint).slice(0, 1), ...linesAlone(opened, 12, io)].flatMap((line) => breakLine(line, Math.max(20, process.stdout.columns)));
  process.stdout.write(`${ENTER}\u001b[H\u001b[2J${lines.slice(0, rows - 1).join("\r\n")}`);
}

function choose(steps: readonly Step[], { find, findings }: ViewFlags): readonly Step[] {
  const words = (find ?? "").toLowerCase().split(/\s+/u).filter((word) => word !== "");
  return steps.filter((step) => (findings !== true || step.isFinding) && words.every((word) => searchText(step).includes(word)));
}

async function print(view: ReplayView, steps: readonly Step[], flags: ViewFlags, io: Io): Promise<void> {
  const width = columnsOf(process.stdout);
  const one = flags.step === undefined ? steps : steps.filter((step) => step.number === flags.step);
  if (flags.step !== undefined && one.length === 0) throw noSuchStep(flags.step, view.timeline.steps.length);
  for (const line of timelineHead(timelineHeadOf(view.timeline), io.paint)) io.out(line);
  const show = { diff: flags.diff === true, workspace: flags.workspace === true };
  for (const step of one) {
    const files = show.diff || show.workspace ? fileLines(await view.filesOf(step), show, io.paint) : [];
    for (const line of ["", ...stepLines(step, await view.textsOf(step), { width, outputLines: flags.step === undefined ? 12 : 2_000, total: view.timeline.steps.length }, io.paint), ...files]) io.out(line);
  }
  if (one.length < view.timeline.steps.length) io.out(io.paint.dim(`\n${one.length} of ${count(view.timeline.steps.length, "call")}`));
}

/** Left out by --find or --findings is not absent. */
function noSuchStep(step: number, total: number): GuardError {
  if (step >= 1 && step <= total) return new GuardError("USAGE_INVALID", `call ${step} is none of those that --find and --findings leave`, { hint: "leave them out, or --step" });
  return new GuardError("USAGE_INVALID", `there is no call ${step}`, { hint: `the session has ${total}` });
}

/** Where a person stands in a session. */
export interface Place {
  at: number;
  /** First line shown of the step. */
  top: number;
  isOpen: boolean;
  /** What the step changed, and the workspace after it, are shown. */
  diff: boolean;
  workspace: boolean;
  search: string;
  /** Words being typed; null when none are. */
  typing: string | null;
  said: string;
}

/** Steps on the terminal until `q`. The screen is the alternate one, so that what was there comes back. */
async function browse(view: ReplayView, steps: readonly Step[], flags: ViewFlags, io: Io): Promise<void> {
  if (steps.length === 0) return io.note("no call fits");
  const place: Place = { at: Math.max(0, steps.findIndex((step) => step.number >= (flags.step ?? 1))), top: 0, isOpen: false, diff: flags.diff === true, workspace: flags.workspace === true, search: flags.find ?? "", typing: null, said: "" };
  const texts = new Map<number, StepText>();
  const draw = async (): Promise<void> => {
    const step = steps[place.at];
    if (step === undefined) return;
    const known = texts.get(step.number) ?? (await view.textsOf(step));
    texts.set(step.number, known);
    const files = place.diff || place.workspace ? fileLines(await view.filesOf(step), place, io.paint) : [];
    paintScreen([...screenLines(view, steps, step, known, place, io), ...files], place, io);
  };
  const { stdin, stdout } = process;
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.resume();
  stdout.write(ENTER);
  try {
    await new Promise<void>((resolve, reject) => {
      let queue: Promise<void> = draw();
      const onKey = (text: string | undefined, key: Key): void => {
        queue = queue.then(async () => {
          if (press(place, steps, text ?? "", key) === "quit") return stop();
          await draw();
        });
        queue.catch(reject);
      };
      const onResize = (): void => {
        queue = queue.then(draw);
      };
      const stop = (): void => {
        stdin.off("keypress", onKey);
        stdout.off("resize", onResize);
        resolve();
      };
      stdin.on("keypress", onKey);
      stdout.on("resize", onResize);
      stdin.once("end", stop);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write(LEAVE);
  }
}

function screenLines(view: ReplayView, steps: readonly Step[], step: Step, texts: StepText, place: Place, io: Io): readonly string[] {
  const width = columnsOf(process.stdout);
  const head = timelineHead(timelineHeadOf(view.timeline), io.paint).slice(0, 1);
  const body = stepLines(step, texts, { width, outputLines: place.isOpen ? 2_000 : 12, total: view.timeline.steps.length }, io.paint);
  return [...head, io.paint.dim(`${place.at + 1} of ${steps.length}${steps.length < view.timeline.steps.length ? " chosen" : ""}`), "", ...body];
}

function paintScreen(whole: readonly string[], place: Place, io: Io): void {
  const rows = Math.max(4, process.stdout.rows);
  const columns = Math.max(20, process.stdout.columns);
  const lines = whole.flatMap((line) => breakLine(line, columns));
  place.top = Math.max(0, Math.min(place.top, lines.length - (rows - 1)));
  const shown = lines.slice(place.top, place.top + rows - 1);
  const more = lines.length > place.top + rows - 1 ? " · more below (space)" : "";
  const keys = place.typing !== null ? `/${place.typing}` : place.said !== "" ? place.said : `j k step · n N finding · / search · o output · d diff · w workspace · g G ends · q quit${more}`;
  process.stdout.write(`\u001b[H\u001b[2J${shown.join("\r\n")}\u001b[${rows};1H${io.paint.inverse(cut(` ${printable(keys, columns)} `, columns - 1))}`);
}

/** What a key does to the place. */
export function press(place: Place, steps: readonly Step[], text: string, key: Key): "quit" | "go on" {
  if (key.ctrl === true && key.name === "c") {
    process.exitCode = INTERRUPTED;
    return "quit";
  }
  place.said = "";
  if (place.typing !== null) return type(place, steps, text, key);
  const name = key.name ?? "";
  const go = (at: number): void => {
    place.at = Math.max(0, Math.min(steps.length - 1, at));
    place.top = 0;
  };
  if (text === "q" || name === "escape") return "quit";
  if (text === "j" || name === "down" || name === "right" || name === "return") go(place.at + 1);
  else if (text === "k" || name === "up" || name === "left") go(place.at - 1);
  else if (text === "g" || name === "home") go(0);
  else if (text === "G" || name === "end") go(steps.length - 1);
  else if (text === " " || name === "pagedown") place.top += Math.max(1, process.stdout.rows - 4);
  else if (text === "b" || name === "pageup") place.top -= Math.max(1, process.stdout.rows - 4);
  else if (text === "o") place.isOpen = !place.isOpen;
  else if (text === "d") place.diff = !place.diff;
  else if (text === "w") place.workspace = !place.workspace;
  else if (text === "n") seek(place, steps, 1, (step) => step.isFinding, "no finding after this one");
  else if (text === "N") seek(place, steps, -1, (step) => step.isFinding, "no finding before this one");
  else if (text === "/") place.typing = "";
  return "go on";
}

function type(place: Place, steps: readonly Step[], text: string, key: Key): "go on" {
  if (key.name === "escape") place.typing = null;
  else if (key.name === "backspace") place.typing = (place.typing ?? "").slice(0, -1);
  else if (key.name === "return") {
    place.search = (place.typing === "" ? place.search : (place.typing ?? "")).toLowerCase();
    place.typing = null;
    if (place.search !== "") seek(place, steps, 1, (step) => searchText(step).includes(place.search), `no call after this one has \`${place.search}\``);
  } else if (text >= " " && key.ctrl !== true && key.meta !== true) place.typing = `${place.typing ?? ""}${text}`.slice(0, 200);
  return "go on";
}

function seek(place: Place, steps: readonly Step[], by: 1 | -1, fits: (step: Step) => boolean, none: string): void {
  for (let at = place.at + by; at >= 0 && at < steps.length; at += by) {
    const step = steps[at];
    if (step === undefined || !fits(step)) continue;
    place.at = at;
    place.top = 0;
    return;
  }
  place.said = none;
}
