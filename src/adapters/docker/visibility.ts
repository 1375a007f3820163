// Does an engine see this machine's files? Asked where a view of them could not be mounted: a nonce in a folder of ours is read
// back through a container that never runs. An engine behind a forwarded socket, or in a machine of its own, gives none.

import { randomBytes } from "node:crypto";
import { unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { engineCall, statusOf } from "./engine-call.js";

const STEP_MS = 30_000;
/** Largest archive of one small file. */
const ARCHIVE_BYTES = 64 * 1024;

export interface VisibilityInput {
  readonly docker: Docker;
  /** A folder of ours, on this machine. */
  readonly folder: string;
  /** An image the engine has; nothing of it runs. */
  readonly imageId: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** False only where the engine says that the folder is not there, or shows another one. Whatever else fails tells nothing. */
export async function seesOurFiles({ docker, folder, imageId, name, labels }: VisibilityInput): Promise<boolean> {
  const file = `.ringfence-look-${randomBytes(8).toString("hex")}`;
  const content = randomBytes(32).toString("hex");
  await writeFile(join(folder, file), content, { flag: "wx", mode: 0o600 });
  try {
    const container = await docker
      .createContainer({ name, Image: imageId, Entrypoint: ["/never"], Labels: { ...labels }, HostConfig: { NetworkMode: "none", Mounts: [{ Type: "bind", Source: folder, Target: "/look", ReadOnly: true }] } })
      .catch((cause: unknown) => (statusOf(cause) === 400 ? null : undefined));
    if (container === null) return false;
    if (container === undefined) return true;
    try {
      const archive = await engineCall({ what: "reading back a file of this machine", limitMs: STEP_MS }, () => container.getArchive({ path: `/look/${file}` }));
      return (await contentIn(archive)).includes(content);
    } catch (cause) {
      return !/not find the file|no such file/iu.test(String(cause));
    } finally {
      await container.remove({ force: true }).catch(() => undefined);
    }
  } finally {
    await unlink(join(folder, file)).catch(() => undefined);
  }
}

async function contentIn(archive: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of archive) {
    text += Buffer.from(chunk as Buffer).toString("latin1");
    if (text.length > ARCHIVE_BYTES) break;
  }
  return text;
}
