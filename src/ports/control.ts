// Orders of a person to a session that another process runs.

export interface SessionOrder {
  readonly order: "pause" | "resume";
  /** Who gives it; recorded, never trusted. */
  readonly by: string;
  readonly reason: string | null;
}

export interface SessionControl {
  /** Hands on orders for a session, in order, until the returned function is called. Never keeps the process alive. */
  listen(sessionId: string, take: (order: SessionOrder) => void): () => void;
  /** Leaves an order for whoever runs the session. */
  give(sessionId: string, order: SessionOrder): void;
}
