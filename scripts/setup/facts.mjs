// Looks at the machine and says what is left to do. Changes nothing; takes well under a second when all is well.

import { buildReady, runtimeReady } from "./build-step.mjs";
import { modulesReady } from "./deps.mjs";
import { engineEnv, findEngine } from "./engine-find.mjs";
import { planEngine } from "./engine-plan.mjs";
import { engineArch, imageIds, latest } from "./images.mjs";
import { planImages } from "./images-plan.mjs";
import { isListed } from "./inventory.mjs";
import { planLink } from "./link.mjs";
import { readMachine, which } from "./machine.mjs";
import { readJson } from "./hash.mjs";

/** @typedef {ReturnType<typeof import("./paths.mjs").setupPaths>} Paths */

/**
 * @typedef {object} EngineView what can be known only from an engine that answers
 * @property {string} host
 * @property {Record<string, string | undefined>} env
 * @property {"amd64" | "arm64"} arch
 * @property {ReturnType<typeof planImages>} plan
 * @property {readonly string[]} missing names of the images to build
 * @property {boolean} untagged `latest` tags or the manifest lag behind
 * @property {boolean} runtime the sandbox runtime is there and fresh
 *
 * @typedef {object} Facts
 * @property {import("./machine.mjs").Machine} machine
 * @property {boolean} modules
 * @property {boolean} built
 * @property {import("./engine-plan.mjs").EngineStep} engine
 * @property {EngineView | null} view null while no engine answers
 * @property {import("./link.mjs").LinkStep} link
 */

/**
 * @param {Paths} paths
 * @param {{readonly env: Readonly<Record<string, string | undefined>>, readonly refresh: boolean, readonly link: boolean}} options
 * @returns {Promise<Facts>}
 */
export async function readFacts(paths, { env, refresh, link }) {
  const machine = readMachine();
  const [fact, linkStep] = await Promise.all([
    findEngine(env),
    link ? planLink({ launcher: paths.launcher, checkout: paths.checkout, env }) : Promise.resolve(/** @type {const} */ ({ kind: "done" })),
  ]);
  const engine = planEngine({ engine: fact, machine, hasDockerd: which("dockerd", env) !== null, hasClient: which("docker", env) !== null });
  const view = engine.kind === "use" ? await viewEngine(paths, engine.host, env, refresh) : null;
  return { machine, modules: modulesReady(paths), built: buildReady(paths), engine, view, link: linkStep };
}

/**
 * @param {Paths} paths @param {string} host @param {Readonly<Record<string, string | undefined>>} env @param {boolean} refresh
 * @returns {Promise<EngineView>}
 */
export async function viewEngine(paths, host, env, refresh) {
  const talk = engineEnv(env, host);
  const arch = await engineArch(talk);
  const plan = planImages({ folder: paths.images, arch, source: env["RINGFENCE_DEBIAN_IMAGE"] ?? "" });
  const tags = plan.images.map((image) => image.tag);
  const ids = await imageIds([...tags, ...plan.images.map((image) => latest(image.name))], talk);
  // What nobody asked for yet is not missing; what was built once is kept fresh.
  const missing = plan.images.filter((image) => (refresh && (!image.onDemand || ids.has(image.tag))) || (!image.onDemand && !ids.has(image.tag))).map((image) => image.name);
  const untagged = plan.images.some((image) => ids.has(image.tag) && (ids.get(image.tag) !== ids.get(latest(image.name)) || !isListed(paths, ids.get(image.tag) ?? "")));
  const manifest = JSON.stringify(readJson(paths.imagesManifest)) !== JSON.stringify(imagesManifest(plan, ids));
  return { host, env: talk, arch, plan, missing, untagged: untagged || manifest, runtime: runtimeReady(paths, plan.images[0]?.tag ?? "", arch) };
}

/**
 * What dist/images.json holds: for each image its content tag and the id the engine gave it.
 * @param {ReturnType<typeof planImages>} plan @param {ReadonlyMap<string, string>} ids
 */
export function imagesManifest(plan, ids) {
  return Object.fromEntries(plan.images.map((image) => [image.name, { tag: image.tag, id: ids.get(image.tag) ?? "", user: image.user }]));
}
