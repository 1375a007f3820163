// Unguessable id suffixes from the machine's random source.

import { randomBytes } from "node:crypto";
import type { IdSource } from "../../ports/system.js";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH = 12;

/** Sixty random bits, written with digits and letters that are not mistaken for one another. */
export function createRandomIds(): IdSource {
  return {
    next: () => {
      let id = "";
      for (const byte of randomBytes(LENGTH)) id += ALPHABET[byte & 31];
      return id;
    },
  };
}
