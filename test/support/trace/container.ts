// Runs lines for real, each by bash under strace, in throwaway containers without a network: what the evaluator says is held against that.

import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CHECKOUT } from "../../soak/checkout.js";

/** What a program did, as strace saw it. `by`: the programs that led to it, first to last. */
export type TraceEvent =
  | { readonly kind: "exec"; readonly program: string; readonly path: string; readonly argv: readonly string[]; readonly by: readonly string[]; readonly ok: boolean }
  | { readonly kind: "file"; readonly operation: "read" | "write" | "create" | "delete" | "metadata"; readonly path: string; readonly real: string | null; readonly by: readonly string[]; readonly ok: boolean; readonly error?: string | null; readonly folder?: boolean; readonly own?: boolean }
  | { readonly kind: "connect"; /** An address, `unix:` and a path, or `packet` for frames without one. */ readonly to: string; readonly by: readonly string[] };

/** One line to be run. `seed`: shell text that lays out more of the project before it. */
export interface Order {
  readonly id: string;
  readonly text: string;
  readonly cwd: string;
  /** As root on a writable copy of the whole system, instead of as the agent with a read-only one. */
  readonly root: boolean;
  readonly seconds: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly seed: string;
  /** With a card, a router and a resolver of its own, beside which there is nothing; needs `root`. */
  readonly network?: boolean;
  /** On a terminal that says yes to every question and then says the line itself, instead of an empty input. */
  readonly answers?: boolean;
  /** Without what every program looks at in the system's folders; there are thousands of such events. */
  readonly quiet?: boolean;
}

export interface Traced {
  readonly id: string;
  readonly code: number | null;
  readonly timedOut: boolean;
  /** bash was reached; else the runner itself failed. */
  readonly started: boolean;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly events: readonly TraceEvent[];
}

const FOLDER = join(CHECKOUT, "test", "support", "trace");
const BUILD_MS = 15 * 60_000;
const LABEL = "dev.ringfence.trace";

/** Whether an engine and the default sandbox are there; null when they are. */
export function whyNoTrace(): string | null {
  const found = spawnSync("docker", ["image", "inspect", "ringfence/kimi-dev"], { stdio: "ignore", timeout: 20_000 });
  return found.status === 0 ? null : "no engine with the image ringfence/kimi-dev";
}

/** The image to run lines in: the default sandbox, strace and these Debian packages. Built when it is not there. */
export function traceImage(packages: readonly string[]): string {
  const file = readFileSync(join(FOLDER, "Dockerfile"), "utf8");
  const parent = spawnSync("docker", ["image", "inspect", "-f", "{{.Id}}", "ringfence/kimi-dev"], { encoding: "utf8", timeout: 20_000 }).stdout.trim();
  const tag = `ringfence/trace:${createHash("sha256").update([parent, file, ...packages].join("\n")).digest("hex").slice(0, 16)}`;
  if (spawnSync("docker", ["image", "inspect", tag], { stdio: "ignore", timeout: 20_000 }).status === 0) return tag;
  const built = spawnSync("docker", ["build", "-q", "--network", "host", "--label", `${LABEL}=1`, "--build-arg", "PARENT=ringfence/kimi-dev", "--build-arg", `PACKAGES=${packages.join(" ")}`, "-t", tag, "-"], { input: file, encoding: "utf8", timeout: BUILD_MS });
  if (built.status !== 0) throw new Error(`the image for tracing could not be built: ${built.stderr.slice(-800)}`);
  return tag;
}

/** The programs that an image has in the folders of its path, and bash's own. */
export function programsIn(image: string): ReadonlySet<string> {
  const told = spawnSync("docker", ["run", "--rm", "--network", "none", "--label", `${LABEL}=1`, image, "bash", "--noprofile", "--norc", "-c", "compgen -c"], { encoding: "utf8", timeout: 60_000 });
  if (told.status !== 0) throw new Error(`the programs of the image cannot be told: ${told.stderr.slice(-400)}`);
  return new Set(told.stdout.split("\n").filter((name) => name !== ""));
}

/** The program that runs inside, as one module. */
function program(): string {
  const parser = readFileSync(join(FOLDER, "strace.mjs"), "utf8").replace("export function parseTrace", "function parseTrace");
  return `${parser}\n${readFileSync(join(FOLDER, "inside.mjs"), "utf8").replace('import { parseTrace } from "./strace.mjs";\n', "")}`;
}

function start(image: string): ChildProcessWithoutNullStreams {
  const words = ["run", "--rm", "-i", "--label", `${LABEL}=1`, "--network", "none", "--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE", "--cap-add", "NET_ADMIN", "--security-opt", "apparmor=unconfined", "--read-only", "--memory", "3g", "--pids-limit", "512", "--tmpfs", "/out:exec,size=256m", "--tmpfs", "/scene:exec,size=64m", "--tmpfs", "/run", "--tmpfs", "/dev/shm"];
  return spawn("docker", [...words, image, "node", "--input-type=module", "-e", program()], { stdio: ["pipe", "pipe", "pipe"] });
}

/** `scene`: the texts of the project's files, by path. An order that is returned is run next: the same line once more, in another way. */
export type OnResult = (order: Order, traced: Traced, scene: ReadonlyMap<string, string>) => Order | undefined | void;

/** Runs lines, `workers` at a time; each is taken when it is to run, each result handed on as it comes. A line that takes its container down is told as not started. */
export async function traceLines(image: string, orders: Iterable<Order>, workers: number, onResult: OnResult, signal?: AbortSignal): Promise<void> {
  const queue = orders[Symbol.iterator]();
  const next: Next = () => {
    if (signal?.aborted === true) return undefined;
    const taken = queue.next();
    return taken.done === true ? undefined : taken.value;
  };
  const worker = async (): Promise<void> => {
    for (let order = next(); order !== undefined; order = next()) await oneContainer(image, order, next, onResult, signal);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

type Next = () => Order | undefined;

async function oneContainer(image: string, first: Order, next: Next, onResult: OnResult, signal?: AbortSignal): Promise<void> {
  const child = start(image);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-1_000)));
  child.stdin.on("error", () => undefined);
  const stop = (): void => void child.kill("SIGTERM");
  signal?.addEventListener("abort", stop, { once: true });
  let current: Order | undefined = first;
  let ready = false;
  let scene: ReadonlyMap<string, string> = new Map();
  for await (const line of createInterface({ input: child.stdout })) {
    const answer = JSON.parse(line) as Traced & { readonly ready?: boolean; readonly scene?: Readonly<Record<string, string>> };
    if (answer.ready === true) {
      ready = true;
      scene = new Map(Object.entries(answer.scene ?? {}));
    } else if (current !== undefined) current = onResult(current, answer, scene) ?? next();
    if (signal?.aborted === true) current = undefined;
    if (current === undefined) child.stdin.end();
    else child.stdin.write(`${JSON.stringify(current)}\n`);
  }
  signal?.removeEventListener("abort", stop);
  if (!ready && signal?.aborted !== true) throw new Error(`the container for tracing did not start: ${stderr}`);
  if (current !== undefined && signal?.aborted !== true) onResult(current, { id: current.id, code: null, timedOut: false, started: false, stderr, truncated: false, events: [] }, scene);
}
