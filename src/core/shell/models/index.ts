// All models of programs in one table. Data only; programs with handlers of their own are not here.

import { compileModels, type Model } from "../model.js";
import { NETWORK_MODELS } from "./network.js";
import { READER_MODELS } from "./readers.js";
import { WRITER_MODELS } from "./writers.js";

/** Models by program name. */
export const MODELS: ReadonlyMap<string, Model> = compileModels([...READER_MODELS, ...WRITER_MODELS, ...NETWORK_MODELS]);
