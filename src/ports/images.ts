// What is known of an image besides its name: what its layers are, and what is installed in it.

import type { Digest } from "../core/shared/index.js";
import type { Inventory } from "../core/image/index.js";

export interface ImageFacts {
  readonly id: string;
  /** Digest over the digests of its layers; null where the engine tells none. */
  readonly content: Digest | null;
  /** Null where the image cannot tell: it has no shell, or lists more than is kept. */
  readonly inventory: Inventory | null;
}

export interface ImageCatalogue {
  /** By the id on the engine. Asks the image once and keeps what it told; never rejects for what the image is. */
  describe(id: string, signal: AbortSignal): Promise<ImageFacts>;
}
