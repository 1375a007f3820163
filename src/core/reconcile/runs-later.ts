// Files that a program of the user runs by itself later: hooks, build files, CI, editor and agent settings. Taking such a
// change over is like running it. Judges by name; letter case never hides one.

import type { Entry } from "./change.js";

/** Base names, lower case. */
const NAMES = new Set([
  ..."package.json package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml .npmrc .yarnrc .yarnrc.yml .pnpmfile.cjs pnpm-workspace.yaml binding.gyp bunfig.toml deno.json".split(" "),
  ..."makefile gnumakefile justfile .justfile taskfile.yml taskfile.yaml cmakelists.txt meson.build build.ninja configure build.xml".split(" "),
  ..."setup.py setup.cfg pyproject.toml tox.ini noxfile.py conftest.py pytest.ini sitecustomize.py usercustomize.py tasks.py fabfile.py dodo.py pipfile manage.py".split(" "),
  ..."build.rs cargo.toml rakefile gemfile guardfile build.gradle build.gradle.kts settings.gradle settings.gradle.kts gradlew pom.xml mvnw build.sbt go.mod mix.exs composer.json gruntfile.js gulpfile.js".split(" "),
  ..."dockerfile containerfile docker-compose.yml docker-compose.yaml compose.yml compose.yaml vagrantfile jenkinsfile .gitlab-ci.yml .travis.yml azure-pipelines.yml bitbucket-pipelines.yml appveyor.yml .drone.yml cloudbuild.yaml".split(" "),
  ..."codeowners dependabot.yml renovate.json .pre-commit-config.yaml lefthook.yml .lefthook.yml .huskyrc .lintstagedrc .gitattributes .gitmodules .gitconfig".split(" "),
  ..."agents.md claude.md gemini.md .cursorrules .windsurfrules .mcp.json .envrc .mise.toml mise.toml .tool-versions .bashrc .bash_profile .profile .zshrc .zshenv .zprofile".split(" "),
]);

/** Folders, lower case; everything in them counts. */
const FOLDERS = [
  ..."/.git/ /.github/workflows/ /.github/actions/ /.husky/ /.githooks/ /.circleci/ /.buildkite/ /.gitlab/ /.vscode/ /.idea/ /.devcontainer/ /.cargo/ /.mvn/ /gradle/wrapper/".split(" "),
  ..."/.claude/ /.codex/ /.gemini/ /.cursor/ /.kimi/ /.opencode/ /.aider/ /.continue/ /.windsurf/ /.config/ /.ssh/ /.direnv/ /node_modules/.bin/".split(" "),
];

/** Build settings that are programs themselves: `vite.config.ts`, `jest.config.js`, `.eslintrc.cjs`. */
const PROGRAM_SETTINGS = /(\.config|rc)\.(c|m)?(j|t)s$|\.(pth|mk|cmake|gradle|csproj|props|targets|bazel|bzl)$|^\.env(\..*)?$|^build(\.bazel)?$|^workspace(\.bazel)?$|^dockerfile\..*$/;

/** Tells whether something on the host is likely to run this file without being asked for it by name; so is a program file. */
export function isRunLater(path: string, after: Entry | null): boolean {
  const lower = path.toLowerCase();
  const name = lower.slice(lower.lastIndexOf("/") + 1);
  if (NAMES.has(name) || PROGRAM_SETTINGS.test(name)) return true;
  const whole = `/${lower}/`;
  // The name itself counts as well: a nested `.git` may be a file that points elsewhere.
  if (FOLDERS.some((folder) => whole.includes(folder))) return true;
  return after?.kind === "file" && (after.mode & 0o111) !== 0;
}
