// Archives as bytes.

export { sparseMap, TAR_BLOCK, TAR_END, tarHeader, tarPadding, type Extent, type TarEntry } from "./tar.js";
