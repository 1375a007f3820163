// Wraps ports so that each call is journalled and can be made to throw, to hang past every signal, or to answer what is not so.

export type Fault =
  | { readonly kind: "throw"; readonly error?: unknown; readonly at?: number }
  | { readonly kind: "hang"; readonly at?: number }
  /** @property answer gets what the port really answered */
  | { readonly kind: "lie"; readonly answer: (real: unknown) => unknown; readonly at?: number };

export interface Faults {
  /** Orders a fault of `port.method`; with `at` only of that call, counted from 0. */
  order(slot: string, fault: Fault): void;
  clear(): void;
  /** Every `port.method` that was ever wrapped. */
  readonly slots: ReadonlySet<string>;
  /** How often each was called. */
  readonly calls: ReadonlyMap<string, number>;
  readonly wrap: <T extends object>(port: string, target: T, product?: (made: unknown) => unknown) => T;
}

/** What an ordered throw throws. */
export class OrderedFault extends Error {}

export function createFaults(journal: string[]): Faults {
  const ordered = new Map<string, Fault>();
  const slots = new Set<string>();
  const calls = new Map<string, number>();

  const faultOf = (slot: string, count: number): Fault | null => {
    const fault = ordered.get(slot);
    return fault === undefined || (fault.at !== undefined && fault.at !== count) ? null : fault;
  };

  const wrap = <T extends object>(port: string, target: T, product: (made: unknown) => unknown = (made) => made): T => {
    const methods = Object.entries(target).filter(([, member]) => typeof member === "function") as readonly [string, (...args: unknown[]) => unknown][];
    const wrapped = methods.map(([name, method]) => {
      const slot = `${port}.${name}`;
      slots.add(slot);
      const call = (...args: unknown[]): unknown => {
        const count = calls.get(slot) ?? 0;
        calls.set(slot, count + 1);
        const fault = faultOf(slot, count);
        // What waits for its beginning is an effect only then.
        const first = args[0] as { readonly beforeStart?: () => Promise<void> } | undefined;
        const begin = slot === "sandbox.run" && first?.beforeStart !== undefined ? async () => first.beforeStart?.().then(() => journal.push(slot)) : null;
        if (begin === null) journal.push(slot);
        if (fault?.kind === "throw") {
          const error = fault.error ?? new OrderedFault(`${slot} fails`);
          if (isPlain(slot)) throw error;
          return Promise.resolve(begin?.()).then(() => Promise.reject(error));
        }
        if (fault?.kind === "hang") return Promise.resolve(begin?.()).then(() => new Promise(() => undefined));
        const real = method.apply(target, begin === null ? args : [{ ...first, beforeStart: begin }, ...args.slice(1)]);
        if (!(real instanceof Promise)) return fault === null ? real : fault.answer(real);
        return real.then((value) => {
          if (slot === "ledger.append") journal.push(`durable: ${(value as readonly { type: string }[]).map((event) => event.type).join(" ")}`);
          return fault === null ? product(value) : fault.answer(value);
        });
      };
      return [name, call] as const;
    });
    return { ...target, ...Object.fromEntries(wrapped) };
  };
  return { order: (slot, fault) => void ordered.set(slot, fault), clear: () => ordered.clear(), slots, calls, wrap };
}

/** These answer at once, not by a promise. */
function isPlain(slot: string): boolean {
  return /^(?:clock|ids|telemetry|redactor)\./u.test(slot);
}
