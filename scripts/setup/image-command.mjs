// Builds the sandbox images that are named, with the parents they need, or runs the check of each in a container of its own.

import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { SetupError } from "./errors.mjs";
import { readFacts } from "./facts.mjs";
import { buildImages, checkImage, imageIds } from "./images.mjs";
import { takeLock } from "./lock.mjs";
import { readMachine } from "./machine.mjs";
import { finishImages, report } from "./main.mjs";
import { setupPaths } from "./paths.mjs";
import { readRecord, writeRecord } from "./record.mjs";
import { terminalUi } from "./ui.mjs";

/** @typedef {{readonly verb: "build" | "check", readonly names: readonly string[], readonly refresh: boolean, readonly json: boolean}} ImageCommand */
/** @typedef {{readonly image: string, readonly tag: string, readonly id: string, readonly state: "built" | "present" | "holds" | "fails" | "absent", readonly problem: string | null, readonly ms: number}} ImageResult */

/**
 * @param {readonly string[]} words
 * @returns {{readonly ok: true, readonly command: ImageCommand} | {readonly ok: false, readonly message: string}}
 */
export function parseImageWords([verb, ...rest]) {
  if (verb !== "build" && verb !== "check") return { ok: false, message: "say `build` or `check`" };
  const names = rest.filter((word) => !word.startsWith("--"));
  const unknown = rest.find((word) => word.startsWith("--") && !["--refresh", "--json"].includes(word));
  if (unknown !== undefined) return { ok: false, message: `unknown option \`${unknown.slice(0, 80)}\`` };
  return { ok: true, command: { verb, names, refresh: rest.includes("--refresh"), json: rest.includes("--json") } };
}

/** Exit codes: 0 done, 1 a check does not hold, 2 no such image, 75 no engine or a build that failed, 130 interrupted. @param {ImageCommand} command @returns {Promise<number>} */
export async function runImageCommand(command) {
  const ui = terminalUi();
  const paths = setupPaths();
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(name, stop);
  try {
    const facts = await readFacts(paths, { env: process.env, refresh: false, link: false });
    if (facts.view === null) throw new SetupError("no container engine answers", { hint: "run `npm run setup`, or `ringfence doctor` to see why" });
    const known = facts.view.plan.images;
    const strange = command.names.find((name) => !known.some((image) => image.name === name));
    if (strange !== undefined) throw new SetupError(`there is no sandbox image \`${strange.slice(0, 80)}\``, { exit: 2, hint: `there are ${known.map((image) => image.name).join(", ")}` });
    const work = { command, paths, view: facts.view, ui, signal: controller.signal };
    const results = command.verb === "build" ? await build(work) : await check(work);
    ui.close();
    if (command.json) for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`);
    else for (const result of results) process.stdout.write(`${lineOf(result)}\n`);
    return results.some(({ state }) => state === "fails") ? 1 : 0;
  } catch (error) {
    ui.close();
    return report(error, ui, paths);
  } finally {
    ui.close();
    for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.off(name, stop);
  }
}

/** @typedef {{readonly command: ImageCommand, readonly paths: ReturnType<typeof setupPaths>, readonly view: import("./facts.mjs").EngineView, readonly ui: import("./ui.mjs").Ui, readonly signal: AbortSignal}} Work */

/** @param {Work} work @returns {Promise<readonly ImageResult[]>} */
async function build({ command, paths, view, ui, signal }) {
  const { images } = view.plan;
  const wanted = command.names.length > 0 ? command.names : images.filter((image) => !image.onDemand).map((image) => image.name);
  /** @type {Set<string>} */
  const names = new Set();
  for (let list = wanted; list.length > 0; list = list.flatMap((name) => images.find((image) => image.name === name)?.parents ?? [])) for (const name of list) names.add(name);
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
  const release = await takeLock(paths.lock, { signal, onWait: (pid) => ui.say(`Another set-up is at work (process ${pid}); waiting for it.`) });
  /** @type {ImageResult[]} */
  const results = [];
  try {
    writeFileSync(paths.log, `images of ${paths.checkout}\n`, { mode: 0o600 });
    // Parents before children, as they are planned.
    for (const image of images.filter(({ name }) => names.has(name))) {
      const begun = Date.now();
      const present = await imageIds([image.tag], view.env);
      // Anew is what was named; a parent only when it is not there.
      const anew = command.refresh && wanted.includes(image.name);
      if (present.has(image.tag) && !anew) {
        if (wanted.includes(image.name)) results.push({ image: image.name, tag: image.tag, id: present.get(image.tag) ?? "", state: "present", problem: null, ms: Date.now() - begun });
        continue;
      }
      const progress = ui.begin(`image ${image.name}`);
      appendFileSync(paths.log, `\n== image ${image.name}\n`);
      try {
        const made = await buildImages({ signal, log: paths.log, note: (text) => progress.note(text), plan: view.plan, names: [image.name], arch: view.arch, machine: readMachine(), env: view.env, cache: paths.cache, refresh: anew });
        const record = readRecord(paths.record);
        writeRecord(paths.record, { ...record, made: [...new Set([...record.made, ...made])] });
        progress.done();
      } catch (error) {
        progress.failed();
        throw error;
      }
      results.push({ image: image.name, tag: image.tag, id: (await imageIds([image.tag], view.env)).get(image.tag) ?? "", state: "built", problem: null, ms: Date.now() - begun });
    }
    await finishImages(paths, view);
  } finally {
    release();
  }
  return results;
}

/** @param {Work} work @returns {Promise<readonly ImageResult[]>} */
async function check({ command, view, ui, signal }) {
  const { images } = view.plan;
  const ids = await imageIds(images.map((image) => image.tag), view.env);
  /** @type {ImageResult[]} */
  const results = [];
  for (const image of images.filter(({ name }) => command.names.length === 0 || command.names.includes(name))) {
    const begun = Date.now();
    const id = ids.get(image.tag);
    if (id === undefined) {
      // One that is named must be there; of all, those nobody asked for yet are only told.
      const problem = `not built; \`ringfence image build ${image.name}\``;
      results.push({ image: image.name, tag: image.tag, id: "", state: command.names.length > 0 || !image.onDemand ? "fails" : "absent", problem, ms: 0 });
      continue;
    }
    const progress = ui.begin(`check ${image.name}`);
    const problem = await checkImage(image, id, { env: view.env, signal });
    if (problem === null) progress.done();
    else progress.failed();
    results.push({ image: image.name, tag: image.tag, id, state: problem === null ? "holds" : "fails", problem, ms: Date.now() - begun });
  }
  return results;
}

/** @param {ImageResult} result */
function lineOf({ image, tag, id, state, problem, ms }) {
  const what = { built: "built and checked", present: "there already", holds: "holds what it promises", fails: "FAILS", absent: "not built" }[state];
  const lines = (problem ?? "").split("\n").filter((line) => line !== "").slice(0, 20);
  return [`${image.padEnd(10)} ${what}  ${id === "" ? tag : id.slice(0, 19)}  ${(ms / 1000).toFixed(1)} s`, ...lines.map((line) => `  | ${line.replace(/[^\x20-\x7e]+/g, " ").slice(0, 300)}`)].join("\n");
}
