// How much of one stream may still be sent before the receiver has asked for more. Keeps memory on both sides bounded.

/** Credit on the sending side of one stream. */
export interface CreditWindow {
  /** Bytes that may be sent now. */
  readonly available: () => number;
  /** Takes at most `wanted` bytes of credit and tells how many were there. */
  readonly take: (wanted: number) => number;
  /** Adds what the receiver gave back. */
  readonly give: (bytes: number) => void;
}

/** A window that starts full. It never grows past `windowBytes`, whatever the other side claims to give back. */
export function createCreditWindow(windowBytes: number): CreditWindow {
  let left = windowBytes;
  return {
    available: () => left,
    take: (wanted) => {
      const taken = Math.max(0, Math.min(wanted, left));
      left -= taken;
      return taken;
    },
    give: (bytes) => {
      left = Math.min(windowBytes, left + Math.max(0, bytes));
    },
  };
}

/** Collects small returns of credit, so that one frame gives back many chunks. Returns what to give back now, or 0. */
export function createCreditReturn(thresholdBytes: number): (consumed: number) => number {
  let owed = 0;
  return (consumed) => {
    owed += consumed;
    if (owed < thresholdBytes) return 0;
    const give = owed;
    owed = 0;
    return give;
  };
}
