// The copy-on-write view as the engine mounts it. Paths become part of an option string, so none may hold what parts options.

import { isAbsolute } from "node:path";
import { GuardError, printable } from "../../core/shared/index.js";
import type { OverlayMount } from "../../ports/sandbox.js";

/** Most bytes of mount options the kernel takes; a page, less what the engine adds. */
const OPTION_BYTES = 4000;

/** Characters that part options or layers, or that an unescaping reader would change; control characters are found by `printable`. */
const UNSAFE = /[:,\\"']/;

/**
 * Driver options of a `local` volume that mounts the overlay. Redirects, metadata-only copies and the index are switched
 * off by name, because kernels differ in their defaults and each breaks the reading of the upper layer.
 * Throws WORKSPACE_REFUSED for a path that cannot be named safely.
 */
export function overlayOptions(mount: OverlayMount): Record<string, string> {
  const paths = [...mount.lower, mount.upper, mount.work];
  for (const path of paths) {
    if (UNSAFE.test(path) || printable(path, path.length) !== path || !isAbsolute(path)) throw new GuardError("WORKSPACE_REFUSED", `the layer \`${printable(path)}\` cannot be named in mount options`);
  }
  if (mount.lower.length === 0) throw new GuardError("WORKSPACE_REFUSED", "a workspace needs a lower layer");
  const options = ["nosuid", "nodev", `lowerdir=${mount.lower.join(":")}`, `upperdir=${mount.upper}`, `workdir=${mount.work}`, "redirect_dir=off", "metacopy=off", "index=off"].join(",");
  if (Buffer.byteLength(options) > OPTION_BYTES) throw new GuardError("WORKSPACE_REFUSED", "the paths of the workspace are too long to be mounted");
  return { type: "overlay", device: "overlay", o: options };
}
