// Defaults of a session, in one place. Each can be set by an option of the surfaces.

import { LIMITS } from "../core/shared/index.js";
import type { SessionDefaults } from "../ports/settings.js";

const MIB = 1024 * 1024;

/** Image of a session unless another is named. Built by set-up. */
export const DEFAULT_IMAGE = "ringfence/kimi-dev:latest";
/** Profile of a session unless a policy file is named. */
export const DEFAULT_PROFILE = "kimi-dev";

/** Limits of one session: two CPUs, 2 GiB of memory, 512 processes, ten minutes a call. */
export const DEFAULTS: SessionDefaults = {
  root: "/workspace",
  home: "/home/agent",
  timeoutMs: 600_000,
  approvalTimeoutMs: 300_000,
  outputBytes: LIMITS.outputBytes,
  record: "exec",
  sandbox: { memoryBytes: 2048 * MIB, processes: 512, cpus: 2, tmpBytes: 512 * MIB },
};
