// Where the runtime lies inside the container, and the guard's user. The native programs know the same.

export const RUNTIME_DIR = "/.ringfence";
export const GUARD_UID = 64000;
/** Descriptors that rf-enter hands over: the spawner's socket and the killer's. */
export const SPAWNER_FD = 3;
export const KILLER_FD = 4;
