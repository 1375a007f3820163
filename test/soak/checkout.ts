import { fileURLToPath } from "node:url";

/** The checkout. This file lies two folders deep, as source and in the bundle. */
export const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/u, "");
