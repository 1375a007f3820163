// Every limit on what an agent controls, in one place. Each has a test.

export const LIMITS = {
  /** Longest command text judged, in characters; longer is denied as opaque. `execve` takes 131072 bytes an argument. */
  commandChars: 100_000,
  /** Longest script of the workspace that is followed when a command runs it, in bytes; a longer one counts as code that cannot be told. */
  scriptBytes: 256 * 1024,
  /** Most scripts read for one call. */
  scripts: 16,
  /** Most files whose content one approval is bound to; a command that runs more is not approved. */
  boundFiles: 32,
  /** Largest file an approval is bound to, in bytes; a command that runs a larger one of the workspace is not approved. */
  boundFileBytes: 8 * 1024 * 1024,
  /** Deepest nesting of shells, substitutions and wrappers followed. */
  shellDepth: 32,
  /** Most effects one action may have; past it the action is opaque. */
  effects: 5_000,
  /** Largest tool call, in bytes of JSON. */
  callBytes: 8 * 1024 * 1024,
  /** Deepest JSON of a tool call. */
  callDepth: 32,
  /** Largest file the edit tools read or write, in bytes. */
  editBytes: 8 * 1024 * 1024,
  /** Output kept of one stream of one call, in bytes; the rest is counted and dropped. */
  outputBytes: 8 * 1024 * 1024,
  /** Output of one stream of one call passed on to who watches it, in bytes. */
  watchedOutputBytes: 1024 * 1024 * 1024,
  /** Output of one call shown to the model, in characters. */
  observationChars: 32_000,
  /** Part of an output kept inside the ledger record, in characters; all of it is in the blob store. */
  recordOutputChars: 2_000,
  /** Longest ledger record, in bytes. */
  recordBytes: 4 * 1024 * 1024,
  /** Longest arguments kept inside the record of a call, in bytes of JSON; longer ones are in the blob store. */
  recordArgumentBytes: 256 * 1024,
  /** Most changes, and most findings, kept in one record, in bytes of JSON; a call with more has several such records. */
  recordChangeBytes: 1024 * 1024,
  /** Deepest JSON of a ledger record or of anything else that is canonicalised. */
  recordDepth: 64,
  /** Largest policy file, in bytes. */
  policyBytes: 1024 * 1024,
  /** Most policy files of one tier, and largest one of a workspace, in bytes: nobody vouches for those. */
  tierFiles: 32,
  workspacePolicyBytes: 64 * 1024,
  /** Most rules in one policy set. */
  policyRules: 5_000,
  /** Most expansions of braces in one glob. */
  globBraces: 200,
  /** Most changed paths listed of one call; past it the call is refused as a whole and reverted. */
  changes: 50_000,
  /** Largest content of one file held in memory, for a patch, an undoing or a look inside, in bytes. */
  compareBytes: 256 * 1024 * 1024,
  /** Largest regular file whose content is compared in a change, in bytes; a larger one counts as changed once it was opened for writing. */
  digestBytes: 4 * 1024 * 1024 * 1024,
  /** Most rules the live risk score keeps apart in one session; evidence of further rules goes into one common finding. */
  riskFindings: 256,
  /** Most bytes of one file, and of all, and most files in a forensic copy; the rest is named in its manifest. */
  forensicFileBytes: 32 * 1024 * 1024,
  forensicBytes: 256 * 1024 * 1024,
  forensicFiles: 5_000,
  /** Most calls of one session of which a copy is kept when they are killed at their deadline. */
  forensicCopies: 3,
  /** Most calls whose approval the live risk score waits for at once; the oldest is forgotten and stays `asked`. */
  riskPending: 256,
  /** Longest model answer of a recorded Kimi-Dev stage, in characters; the model itself stops at 16384 tokens. */
  answerChars: 1024 * 1024,
  /** Most SEARCH/REPLACE edits in one answer. */
  answerEdits: 200,
  /** Most files one localisation answer may name. */
  answerFiles: 5,
  /** Most lines of one trajectory file. */
  trajectoryLines: 100_000,
  /** Longest path in a call, in characters; `PATH_MAX`. */
  pathChars: 4_096,
  /** Most words of one argv. */
  argvWords: 10_000,
  /** Longest time limit a call may ask for, in seconds. */
  timeoutSeconds: 86_400,
  /** Most changed lines for which a diff shown to a person is computed; past it the file is shown as replaced. */
  diffEdits: 1_000,
  /** Longest text, before or after, of which a diff is shown, in characters. */
  diffChars: 1024 * 1024,
  /** Most bytes and files of a bundle, written or read. */
  bundleBytes: 1024 * 1024 * 1024,
  bundleFiles: 10_000,
  /** Most findings listed of one call; the undoing is not limited by it. */
  findings: 1_000,
  /** Most findings of one call on attempts that the kernel held; the last says how many more there were. */
  attempts: 16,
  /** Most lines of one output read for refusals of the kernel, and longest command or word named in a finding on one, in characters. */
  refusals: 400,
  attemptName: 120,
  /** Most programs, and most files opened for writing, kept of one call; the rest is counted, and judged all the same. */
  programs: 2_000,
  programWrites: 2_000,
  /** Arguments kept of one program, and of all of a call with their paths, in bytes. */
  programArgumentBytes: 2_048,
  programBytes: 512 * 1024,
  /** Most findings of one call on programs that ran or were refused. */
  programFindings: 16,
  /** Most names looked at in the upper folder, or in one deleted folder of the user; past it nothing is known and the call fails. */
  scanNames: 400_000,
  /** Most bytes read in one look through the workspace; sparse files can claim far more than the disk holds. */
  scanBytes: 16 * 1024 * 1024 * 1024,
  /** Longest path inside a workspace, in bytes; an agent can nest deeper than the kernel's 4096 by changing directory. */
  pathBytes: 32 * 1024,
  /** Largest content kept of one file for undoing a later call, in bytes. */
  preimageBytes: 64 * 1024 * 1024,
  /** Most content kept for undoing in one session, in bytes. */
  preimageTotalBytes: 2 * 1024 * 1024 * 1024,
  /** Largest file shown line by line in a patch, in bytes; larger ones are shown as differing. */
  patchBytes: 4 * 1024 * 1024,
  /** Most edit steps tried for one file's diff; past it the whole file is shown as replaced. */
  patchEdits: 2_000,
  /** Most project files of one call whose content is compared for what decides the tests; past it each counts as changed there. */
  projectFiles: 200,
  /** Largest project file compared so, in bytes; a larger one counts as changed there. */
  projectFileBytes: 1024 * 1024,
  /** Most changed files of one call whose content is looked at by rules about content. */
  contentFiles: 64,
  /** Largest file looked at so, in bytes. */
  contentFileBytes: 256 * 1024,
  /** Most names of a folder sent to an engine that does not see it. */
  packNames: 200_000,
  /** Most bytes of it, holes counted: they take room where it is unpacked. */
  packBytes: 4 * 1024 * 1024 * 1024,
  /** Most names of the user's folder looked at for what policy hides or protects; past it no session starts. */
  protectNames: 2_000_000,
  /** Largest list of a folder's names kept between sessions, in bytes; a longer one is not kept. */
  keptNamesBytes: 32 * 1024 * 1024,
  /** Most mounts that protect names of one session; what is past it is held by reconciliation. */
  protectMounts: 192,
  /** Most names hidden from one session; past it no session starts. */
  maskedNames: 20_000,
  /** Most repositories of one workspace whose places for hooks and settings are held before they exist. */
  protectRepositories: 16,
  /** Most hidden and protected names tried from inside when a session starts. */
  protectProbes: 200,
  /** Most names looked at in the sandbox's own folders after a call; past it the session ends. */
  scratchNames: 50_000,
  /** Most sandboxes kept ready for sessions of one kind: each takes a container, some 2 MB of disk and a watch on the folder. */
  pooledSandboxes: 64,
  /** Most folders of the user's watched for new names while a session runs; past it they are not watched, and the record says so. */
  watchedFolders: 20_000,
  /** Most names of the user's looked at when they come to be at once, and most of them hidden in one session. */
  userEdits: 20_000,
  /** Most bytes a session writes in its workspace, and most of any one file. */
  workspaceBytes: 4 * 1024 * 1024 * 1024,
  /** Most files a session makes or copies in its workspace. */
  workspaceFiles: 500_000,
  /** Most names, and most bytes of contents, of the user's folder kept so that a session can be run again; past it the folder is not kept, and the record says so. */
  baseNames: 20_000,
  baseBytes: 128 * 1024 * 1024,
  /** Largest trajectory file played or imported, in bytes. */
  trajectoryBytes: 256 * 1024 * 1024,
  /** Longest line of an imported file, in bytes; a longer one is skipped, counted and named. */
  importLineBytes: 128 * 1024 * 1024,
  /** Most calls of one imported session; more are counted and named. */
  importCalls: 100_000,
  /** Most files of a folder imported at once, and most sessions of one file. */
  importFiles: 10_000,
  /** Most processes handed over that live at once in one session. */
  processes: 4,
  /** Longest text written to a process by one call, and all that was written to a shell, in characters: the next line is judged after all of it. */
  processInputChars: 16_384,
  processHistoryChars: 32_768,
  /** Largest terminal that a program is given. */
  terminalRows: 500,
  terminalColumns: 1_000,
  /** Longest wait of one call for the output of a process, in milliseconds. */
  processWaitMs: 60_000,
  /** A process that no call names for this long is ended, in milliseconds. */
  processLeaseMs: 30 * 60_000,
  /** Output of a process passed on in its whole life, and kept of each stream until a call reads it, in bytes; the rest is counted and dropped. */
  processOutputBytes: 256 * 1024 * 1024,
  processUnreadBytes: 1024 * 1024,
  /** Longest thought kept of an imported call, in characters. */
  importThoughtChars: 4_000,
} as const;
