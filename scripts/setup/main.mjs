// The set-up itself: facts, list, one question, then the steps that are left, two tracks at a time.

import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { build, buildReady, buildRuntimeStep, runtimeReady } from "./build-step.mjs";
import { installModules, modulesReady } from "./deps.mjs";
import { aptInstall, startEngine } from "./engine-start.mjs";
import { SetupError, explainFailure } from "./errors.mjs";
import { imagesManifest, readFacts, viewEngine } from "./facts.mjs";
import { buildImages, imageIds, removeImages, tagLatest } from "./images.mjs";
import { supersededTags } from "./images-plan.mjs";
import { listImages } from "./inventory.mjs";
import { makeLink } from "./link.mjs";
import { takeLock } from "./lock.mjs";
import { readMachine, which } from "./machine.mjs";
import { setupPaths } from "./paths.mjs";
import { fetchPayload } from "./payload.mjs";
import { planLines } from "./plan.mjs";
import { readRecord, writeRecord } from "./record.mjs";
import { isSet, terminalUi } from "./ui.mjs";

/** @typedef {import("./plan.mjs").SetupOptions} SetupOptions */
/** @typedef {ReturnType<typeof setupPaths>} Paths */
/** @typedef {{readonly paths: Paths, readonly options: SetupOptions, readonly env: NodeJS.ProcessEnv, readonly ui: import("./ui.mjs").Ui, readonly signal: AbortSignal, readonly stop: () => void}} Run */

/**
 * Brings everything that is missing, or says what it may not do. Silent when there is nothing to do.
 * @param {Partial<SetupOptions>} [wanted]
 * @returns {Promise<{readonly exit: number, readonly env: NodeJS.ProcessEnv}>} `env`: in which the engine is found
 */
export async function ensureSetup(wanted = {}) {
  const env = process.env;
  const options = { yes: false, check: false, help: false, refresh: false, link: true, only: null, ...wanted };
  if (isSet(env["RINGFENCE_NO_LINK"])) options.link = false;
  const ui = terminalUi();
  const controller = new AbortController();
  const state = { interrupted: false };
  const onSignal = () => {
    state.interrupted = true;
    controller.abort();
  };
  for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(name, onSignal);
  const paths = setupPaths({ env });
  try {
    requireNode(process.versions.node);
    return await work({ paths, options, env, ui, signal: controller.signal, stop: () => controller.abort() });
  } catch (error) {
    ui.close();
    if (!state.interrupted) return { exit: report(error, ui, paths), env };
    await tellLeft(paths, options, env, ui);
    return { exit: 130, env };
  } finally {
    ui.close();
    for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.off(name, onSignal);
  }
}

/** @param {Run} run */
async function work(run) {
  const { paths, options, env, ui, signal } = run;
  let facts = await readFacts(paths, { env, refresh: options.refresh, link: options.link && options.only === null });
  const lines = wantedLines(facts, options);
  const result = () => ({ exit: 0, env: facts.view === null ? env : commandEnv(facts.view.host, env) });
  if (options.check) return { exit: tellCheck(facts, lines, ui), env };
  if (facts.engine.kind === "stuck") throw new SetupError(facts.engine.message, { hint: facts.engine.hint });
  if (lines.length === 0) {
    if (facts.view?.untagged) await finishImages(paths, facts.view);
    tellBlockedLink(facts, paths, ui);
    return result();
  }
  ui.say(ui.bold("Ringfence sets up what is missing:"));
  for (const line of lines) ui.say(`  - ${line.text}`);
  if (ui.interactive && !options.yes && lines.some((line) => line.asks)) {
    if (!(await ui.ask("Go on?"))) {
      ui.say("Nothing was changed. `npm run setup -- --check` lists this again.");
      return { exit: 1, env };
    }
  }
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
  chmodSync(paths.state, 0o700);
  const release = await takeLock(paths.lock, { signal, onWait: (pid) => ui.say(`Another set-up is at work (process ${pid}); waiting for it.`) });
  try {
    writeFileSync(paths.log, `set-up of ${paths.checkout}\n`, { mode: 0o600 });
    facts = await readFacts(paths, { env, refresh: options.refresh, link: options.link && options.only === null });
    if (facts.engine.kind === "stuck") throw new SetupError(facts.engine.message, { hint: facts.engine.hint });
    const view = await apply(run, facts);
    facts = { ...facts, view };
    tellBlockedLink(facts, paths, ui);
    return result();
  } finally {
    release();
  }
}

/** @param {import("./facts.mjs").Facts} facts @param {SetupOptions} options */
function wantedLines(facts, options) {
  return planLines(facts).filter((line) => options.only === null || line.step === options.only);
}

/** Two tracks, because one waits for npm and the compiler, the other for apt and the engine. @param {Run} run @param {import("./facts.mjs").Facts} facts */
async function apply(run, facts) {
  const { paths, options, ui } = run;
  if (options.only === "engine") return engineTrack(run, facts);
  const packages = packagesTrack(run);
  const [, view] = await together(run, [packages.then(() => buildTrack(run)), engineTrack(run, facts).then((seen) => imagesTrack(run, seen, packages))]);
  if (facts.link.kind === "link") {
    makeLink({ prefix: facts.link.prefix, checkout: paths.checkout });
    ui.say(`✓ \`ringfence\` is linked into ${facts.link.prefix}/bin`);
  }
  return view;
}

/**
 * Waits for all; the first that fails interrupts the others, and its failure is the one that is told.
 * @template {readonly Promise<any>[]} T
 * @param {Run} run @param {T} tracks
 * @returns {Promise<{-readonly [K in keyof T]: Awaited<T[K]>}>}
 */
async function together(run, tracks) {
  /** @type {unknown[]} */
  const failures = [];
  const settled = await Promise.all(tracks.map((track) => track.catch((error) => (failures.push(error), run.stop()))));
  if (failures.length > 0) throw failures[0];
  return /** @type {any} */ (settled);
}

/** @param {Run} run */
async function packagesTrack(run) {
  if (!modulesReady(run.paths)) await step(run, "npm packages", (work) => installModules(run.paths, work));
}

/** @param {Run} run */
async function buildTrack(run) {
  if (!buildReady(run.paths)) await step(run, "build", (work) => build(run.paths, work));
}

/** @param {Run} run @param {import("./facts.mjs").Facts} facts */
async function engineTrack(run, facts) {
  const { paths, env, options } = run;
  const { engine } = facts;
  if (facts.view !== null) return facts.view;
  if (engine.kind === "stuck" || engine.kind === "use") throw new SetupError("no engine to work with", { exit: 70 });
  const host = await step(run, "container engine", async (work) => {
    if (engine.kind === "install") {
      await aptInstall(engine.packages, work);
      if (which("docker", env) === null) await aptInstall(["docker-cli"], work);
    }
    return startEngine(engine.how, paths, { ...work, installed: engine.kind === "install" });
  });
  return viewEngine(paths, host, env, options.refresh);
}

/**
 * The first image, then the others and the runtime side by side: both need only the first (and the runtime, esbuild).
 * @param {Run} run @param {import("./facts.mjs").EngineView} view @param {Promise<unknown>} packages
 */
async function imagesTrack(run, view, packages) {
  const { paths, options, env } = run;
  const base = view.plan.images[0];
  const rest = view.missing.filter((name) => name !== base?.name);
  const make = (/** @type {string} */ name, /** @type {readonly string[]} */ names) =>
    step(run, name, async (work) => {
      const made = await buildImages({ ...work, plan: view.plan, names, arch: view.arch, machine: readMachine(), env: view.env, cache: paths.cache, refresh: options.refresh });
      const record = readRecord(paths.record);
      writeRecord(paths.record, { ...record, made: [...new Set([...record.made, ...made])] });
    });
  // Fetched while Debian is made; who needs it asks again and is told what went wrong.
  const folder = view.plan.images.find((image) => image.payload !== null)?.folder;
  if (folder !== undefined && (view.missing.length > 0 || !view.runtime)) fetchPayload({ folder, arch: view.arch, cache: paths.cache, signal: run.signal, log: paths.log }).catch(() => undefined);
  if (base !== undefined && view.missing.includes(base.name)) await make("base image", [base.name]);
  const runtime = async () => {
    await packages;
    const baseTag = base?.tag ?? "";
    if (!runtimeReady(paths, baseTag, view.arch)) await step(run, "sandbox runtime", (work) => buildRuntimeStep(paths, { ...work, baseTag, arch: view.arch, env: view.env }));
  };
  await together(run, [rest.length === 0 ? Promise.resolve() : make("sandbox images", rest), runtime()]);
  await finishImages(paths, view);
  return viewEngine(paths, view.host, env, false);
}

/** Tags, package lists, manifest, and the images nobody uses any more. @param {Paths} paths @param {import("./facts.mjs").EngineView} view */
export async function finishImages(paths, view) {
  const tags = [view.plan.rootfs.tag, ...view.plan.images.map((image) => image.tag)];
  await tagLatest(view.plan.images, view.env);
  mkdirSync(dirname(paths.imagesManifest), { recursive: true });
  const ids = await imageIds(tags, view.env);
  await listImages(paths, view.plan.images.flatMap((image) => ids.get(image.tag) ?? []), view.env);
  writeFileSync(paths.imagesManifest, `${JSON.stringify(imagesManifest(view.plan, ids), null, 2)}\n`);
  const record = readRecord(paths.record);
  const checkouts = { ...record.checkouts, [paths.checkout]: tags };
  const superseded = supersededTags({ made: record.made, checkouts });
  if (superseded.length > 0) await removeImages(superseded, view.env);
  writeRecord(paths.record, { ...record, checkouts, made: record.made.filter((tag) => !superseded.includes(tag)) });
}

/**
 * One step with its progress line; its output goes to the set-up log.
 * @template T
 * @param {Run} run @param {string} name
 * @param {(work: {signal: AbortSignal, note: (text: string) => void, log: string}) => Promise<T>} action
 * @returns {Promise<T>}
 */
async function step({ ui, signal, paths }, name, action) {
  const progress = ui.begin(name);
  appendFileSync(paths.log, `\n== ${name}\n`);
  try {
    const result = await action({ signal, log: paths.log, note: (text) => progress.note(text) });
    progress.done();
    return result;
  } catch (error) {
    progress.failed();
    throw error;
  }
}

/** @param {import("./facts.mjs").Facts} facts @param {readonly import("./plan.mjs").PlanLine[]} lines @param {import("./ui.mjs").Ui} ui */
function tellCheck(facts, lines, ui) {
  if (facts.engine.kind === "stuck") ui.say(`engine: ${facts.engine.message}\n  ${facts.engine.hint}`);
  for (const line of lines) ui.say(`${line.step}: ${line.text}`);
  if (facts.link.kind === "blocked") ui.say(`link: ${facts.link.reason}; by hand: ${facts.link.command}`);
  if (lines.length === 0 && facts.engine.kind === "use") {
    ui.say(`everything is set up (engine: ${facts.engine.host})`);
    return 0;
  }
  return 75;
}

/** A link that cannot be made is no failure; it is told once a checkout. @param {import("./facts.mjs").Facts} facts @param {Paths} paths @param {import("./ui.mjs").Ui} ui */
function tellBlockedLink({ link }, paths, ui) {
  if (link.kind !== "blocked") return;
  const record = readRecord(paths.record);
  if (record.told[paths.checkout] === link.reason) return;
  ui.say(`The command \`ringfence\` was not linked: ${link.reason}.\n  By hand: ${link.command}`);
  writeRecord(paths.record, { ...record, told: { ...record.told, [paths.checkout]: link.reason } });
}

/** Names the engine to the programs that follow, where they would not find it themselves. @param {string} host @param {NodeJS.ProcessEnv} env */
function commandEnv(host, env) {
  return host === "unix:///var/run/docker.sock" ? env : { ...env, DOCKER_HOST: host };
}

/** @param {string} version */
export function requireNode(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 20)) return;
  throw new SetupError(`Node ${version} is too old: Ringfence needs 20.20 or newer`, { hint: "install a newer Node (https://nodejs.org) and run set-up again" });
}

/** After an interruption: what is not there yet. @param {Paths} paths @param {SetupOptions} options @param {NodeJS.ProcessEnv} env @param {import("./ui.mjs").Ui} ui */
async function tellLeft(paths, options, env, ui) {
  ui.warn("Interrupted. What was done stays; `npm run setup` goes on from here.");
  try {
    const lines = wantedLines(await readFacts(paths, { env, refresh: false, link: options.link }), options);
    if (lines.length > 0) ui.warn("Left to do:");
    for (const line of lines) ui.warn(`  - ${line.text}`);
  } catch {
    // the machine is in between two states; the next set-up looks again
  }
}

/** @param {unknown} error @param {import("./ui.mjs").Ui} ui @param {Paths} paths */
export function report(error, ui, paths) {
  const known = error instanceof SetupError ? null : explainFailure(String(error));
  const message = error instanceof Error ? error.message : String(error);
  ui.warn(`ringfence: ${known === null ? message : `${known.meaning} (${message})`}`);
  const hint = error instanceof SetupError ? error.hint : (known?.hint ?? "");
  if (error instanceof SetupError && error.detail !== "") {
    for (const line of error.detail.split("\n")) ui.warn(ui.dim(`  | ${line.slice(0, 300)}`));
    ui.warn(ui.dim(`  whole log: ${paths.log}`));
  }
  if (hint !== "") ui.warn(`  ${hint}`);
  if (!(error instanceof SetupError) && known === null && error instanceof Error) ui.warn(ui.dim(error.stack ?? ""));
  return error instanceof SetupError ? error.exit : known === null ? 70 : 75;
}
