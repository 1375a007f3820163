// Places that matter before anything is there: what a person's machine, a CI or another agent would start. Only where policy
// denies changing them is a place held; the list says where to look and in what form a place is kept.

/** How a name is kept that does not exist. A folder shows up in no commit and no patch; git itself needs files. */
export interface Place {
  readonly path: string;
  readonly form: "directory" | "file";
  /** Content of a file. */
  readonly content: string;
}

const folder = (path: string): Place => ({ path, form: "directory", content: "" });

/** Below the workspace, whatever is there. Few, and all begin with a dot: each shows in a listing. */
export const WORKSPACE_PLACES: readonly Place[] = [
  ".github/workflows",
  ".github/actions",
  ".husky",
  ".mcp.json",
  ".cursor",
  ".claude/settings.json",
  ".claude/settings.local.json",
  ".claude/hooks",
  ".vscode/settings.json",
  ".vscode/tasks.json",
  ".vscode/launch.json",
  ".vscode/mcp.json",
  ".vscode/extensions.json",
].map(folder);

/** Below a folder that is there already; elsewhere reconciliation holds them, and a listing stays what it was. */
export const FURTHER_PLACES: readonly Place[] = [".gitlab/ci", ".gitea/workflows", ".forgejo/workflows", ".claude/agents", ".claude/commands", ".claude/skills", ".claude/plugins"].map(folder);

/** Below a `.git` folder. A `commondir` of `.` means what its absence means: this very folder. */
export const REPOSITORY_PLACES: readonly Place[] = [
  folder("hooks"),
  { path: "commondir", form: "file", content: "." },
  { path: "config.worktree", form: "file", content: "" },
  { path: "info/attributes", form: "file", content: "" },
];
