// Archives as bytes.

export { readTar, type TarLimits } from "./read-tar.js";
export { sparseMap, TAR_BLOCK, TAR_END, tarHeader, tarPadding, type Extent, type TarEntry } from "./tar.js";
