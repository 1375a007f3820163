// Images that carry the sandbox runtime for engines that do not see this machine's files, and that nothing will ask for again: their
// base was replaced, or their runtime. Removed by the person's command only, never one that a container stands on.

import type Docker from "dockerode";
import { engineCall, statusOf } from "./engine-call.js";

/** Name of every image of this kind; the tag says which. */
export const RUNTIME_REPOSITORY = "ringfence/sandbox";
/** The base image's id and the runtime's digest, on each such image. */
export const BASE_LABEL = "dev.ringfence.base";
export const RUNTIME_LABEL = "dev.ringfence.runtime";

const STEP_MS = 60_000;
/** No image younger than this goes: somebody else's start, or another version of Ringfence on the same engine, may be about to use it. */
const YOUNG_MS = 24 * 60 * 60_000;

/** What an engine lists of an image. */
export interface ListedImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null | undefined;
  readonly Labels?: Readonly<Record<string, string>> | null | undefined;
  /** Seconds since 1970. */
  readonly Created: number;
}

/**
 * Names of the images of ours that are of no more use. Pure.
 * @param images all images of the engine
 * @param runtime digest of the runtime of this installation, in hexadecimal digits
 */
export function staleImages(images: readonly ListedImage[], runtime: string, nowMs: number): readonly string[] {
  const named = new Set(images.filter((image) => tagsOf(image).length > 0).map(({ Id }) => Id));
  return images
    .filter(({ Labels, Created }) => Labels?.[BASE_LABEL] !== undefined && nowMs - Created * 1000 > YOUNG_MS)
    .filter(({ Labels }) => !named.has(Labels?.[BASE_LABEL] ?? "") || Labels?.[RUNTIME_LABEL] !== runtime)
    .flatMap((image) => tagsOf(image).filter((tag) => tag.startsWith(`${RUNTIME_REPOSITORY}:`)));
}

function tagsOf({ RepoTags }: ListedImage): readonly string[] {
  return (RepoTags ?? []).filter((tag) => tag !== "<none>:<none>");
}

/** Removes them, and gives the names of those that went. What a container stands on, the engine keeps. Throws ENGINE_UNAVAILABLE. */
export async function removeStaleImages(docker: Docker, runtime: string, nowMs: number): Promise<readonly string[]> {
  const images = await engineCall({ what: "listing images", limitMs: STEP_MS }, () => docker.listImages({ all: false }));
  const removed: string[] = [];
  for (const name of staleImages(images, runtime, nowMs)) {
    if (await engineCall({ what: "removing an image of ours", limitMs: STEP_MS }, () => removeImage(docker, name))) removed.push(name);
  }
  return removed;
}

/** False where the engine keeps it: in use, or another command was first. */
async function removeImage(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).remove({ force: false });
    return true;
  } catch (cause) {
    if (statusOf(cause) === 409 || statusOf(cause) === 404) return false;
    throw cause;
  }
}
