// The workspace of an engine that does not see this machine's files: a plain volume, filled through a container that never
// runs, and the mounts over its protected names. Nothing of this machine is mounted.

import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { TAR_END, tarHeader, tarPadding } from "../../core/archive/index.js";
import type { Control } from "../../core/session/event.js";
import { GuardError, printable } from "../../core/shared/index.js";
import type { ProtectMount, SandboxSpec } from "../../ports/sandbox.js";
import { engineCall } from "./engine-call.js";
import type { Nonce } from "./nonce.js";
import { runtimeImage } from "./runtime-image.js";

const STEP_MS = 60_000;
/** Longest time to send a workspace. */
const SEND_MS = 600_000;
/** Users that a mapping engine has, the guard's own left out. */
const MOST_MAPPED = 59_999;
const AGENT = 1000;

export interface TarVolumeInput {
  readonly docker: Docker;
  readonly spec: SandboxSpec;
  /** Name of the volume, and of what is made for it. */
  readonly name: string;
  /** An image that the engine has; nothing of it runs. */
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly nonce: Nonce;
  readonly signal: AbortSignal;
}

/** The spec with a user that the engine can map: in a copy of the files everything belongs to whoever it is sent for. */
export function mappedUser(spec: SandboxSpec, mapsUsers: boolean): SandboxSpec {
  const isMapped = !mapsUsers || (spec.uid <= MOST_MAPPED && spec.gid <= MOST_MAPPED);
  return isMapped ? spec : { ...spec, uid: AGENT, gid: AGENT };
}

/** A nonce that travels with the workspace; it is there for nobody but the container that gets this volume. */
export function travellingNonce(): Nonce {
  const name = `.ringfence-nonce-${randomBytes(16).toString("hex")}`;
  return { name, content: randomBytes(32).toString("hex"), stays: () => false, remove: async () => undefined };
}

/** Fills the volume, which exists and is empty. Gives the protective mounts, from the volume's own place on the engine. */
async function fillVolume(input: TarVolumeInput): Promise<readonly ProtectMount[]> {
  const { docker, spec, name, imageId, labels, signal } = input;
  if (spec.fill === undefined) throw new GuardError("INTERNAL_BUG", "a workspace to send without content");
  const owner = { uid: spec.uid, gid: spec.gid };
  const volume = { Type: "volume" as const, Source: name, Target: spec.root, ReadOnly: false, VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: "local", Options: {} } } };
  const container = await engineCall({ what: "preparing the workspace volume", limitMs: STEP_MS, signal }, (abortSignal) =>
    docker.createContainer({ name: `${name}-fill`, Image: imageId, Entrypoint: ["/never"], Labels: { ...labels }, HostConfig: { NetworkMode: "none", Mounts: [volume] }, abortSignal }),
  );
  try {
    // From above it: engines pass over an archive's entry of the very folder they unpack in, and leave it to root.
    await send(container, [Buffer.concat([tarHeader({ name: spec.root.slice(1), kind: "directory", mode: 0o755, ...owner, bytes: 0, modifiedMs: 0, target: "" }), TAR_END])], "/", signal);
    await send(container, spec.fill(owner, signal), spec.root, signal);
    await send(container, [nonceArchive(input.nonce, owner)], spec.root, signal);
  } finally {
    await container.remove({ force: true }).catch(() => undefined);
  }
  const { Mountpoint } = await engineCall({ what: "looking at the workspace volume", limitMs: STEP_MS, signal }, () => docker.getVolume(name).inspect());
  return (spec.protect ?? []).map((mount) => ({ ...mount, source: `${Mountpoint}/${mount.path}` }));
}

/** What a container stands on where nothing of this machine can be mounted: an image that carries the runtime, and a filled volume. */
export async function tarGrounds(input: TarVolumeInput & { readonly runtimeDir: string }): Promise<{ readonly spec: SandboxSpec; readonly imageId: string; readonly runtimeDir: null }> {
  const { name } = input;
  const imageId = await runtimeImage({ ...input, name: `${name}-runtime` });
  return { spec: { ...input.spec, protect: await fillVolume({ ...input, imageId }) }, imageId, runtimeDir: null };
}

/** Sends one archive. A failure of whoever makes it is the failure, not what the engine says of a broken archive. */
async function send(container: Docker.Container, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, path: string, signal: AbortSignal): Promise<void> {
  const stopped = new AbortController();
  const source = Readable.from(pieces, { objectMode: false });
  const state: { cause: unknown } = { cause: null };
  source.once("error", (cause) => {
    state.cause = cause;
    stopped.abort();
  });
  try {
    await engineCall({ what: "sending the workspace", limitMs: SEND_MS, signal: AbortSignal.any([signal, stopped.signal]) }, (abortSignal) => container.putArchive(source, { path, abortSignal }));
  } catch (error) {
    if (state.cause instanceof GuardError) throw state.cause;
    if (state.cause !== null && state.cause !== undefined && !signal.aborted) throw new GuardError("WORKSPACE_UNREADABLE", `the workspace could not be sent: ${printable(String(state.cause))}`, { cause: state.cause });
    throw error;
  } finally {
    source.destroy();
  }
}

function nonceArchive({ name, content }: Nonce, owner: { readonly uid: number; readonly gid: number }): Uint8Array {
  const bytes = Buffer.from(content, "latin1");
  return Buffer.concat([tarHeader({ name, kind: "file", mode: 0o600, ...owner, bytes: bytes.length, modifiedMs: 0, target: "" }), bytes, tarPadding(bytes.length), TAR_END]);
}

/**
 * What was tested inside, as it counts for a workspace that was sent: the agent's copy is a copy whatever the volume's mount
 * options are, and what such a volume cannot hold is said.
 * @param isOurs the nonce was read back through the mount
 */
export function tarControls(controls: readonly Control[], isOurs: boolean): readonly Control[] {
  return [
    ...controls.map((control): Control => {
      if (control.id === "workspace-copy") return { id: control.id, state: isOurs ? "attested" : "missing", detail: `sent to a volume of the engine; ${control.detail}` };
      if (control.id === "disk-limited" && control.state !== "missing") return { id: control.id, state: "configured", detail: "the workspace lies on the engine's disk, and only its files are limited, each in size; the folders in memory are limited in bytes and files" };
      return control;
    }),
    { id: "workspace-mode", state: "configured", detail: "tar: no limit of the workspace's disk while a call runs, its set-id bits not switched off by the mount, no hints of changes while a call runs; looked through as a whole after each call" },
  ];
}
