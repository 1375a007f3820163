// Package managers as data: what each verb does, and which folders and files an installation writes.

import { once } from "../../shared/index.js";
import { compile, type Model } from "../model.js";

/** reads, queries (network), runs (project code), exec (a named program), installs, removes (without a network), fetches, writes, publishes, nested (verbs follow), else unknown code. */
export interface PackageManager {
  readonly model: Model;
  readonly verbs: ReadonlyMap<string, string>;
  /** Without a verb. */
  readonly bare: string;
  /** An unlisted verb. */
  readonly other: string;
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

interface Row {
  readonly names: string;
  readonly verbs: Readonly<Record<string, string>>;
  readonly bare?: string;
  readonly other?: string;
  readonly folders?: string;
  readonly files?: string;
  readonly options?: string;
}

const NODE_FLAGS = "--prefix:p -C:p --cwd:p --dir:p --registry:u --userconfig:r --globalconfig:r --script-shell:x --cache:C -w:t --workspace:t --filter:t -F:t --loglevel:t --tag:t --otp:t --omit:t --include:t --node-options:t";
const PIP_FLAGS = "-r:r --requirement:r -c:r --constraint:r -e:R --editable:R -t:C --target:C --prefix:C --root:C --src:C -d:C --dest:C -w:C --wheel-dir:C -i:u --index-url:u --extra-index-url:u -f:t --find-links:t --proxy:u --cert:r --client-cert:r --cache-dir:C --log:w --report:w --platform:t --python-version:t --implementation:t --abi:t --python:t --timeout:t --retries:t --trusted-host:t --upgrade-strategy:t --only-binary:t --no-binary:t --progress-bar:t --config-settings:t --format:t --exists-action:t --global-option:t";

const ROWS: readonly Row[] = [
  {
    names: "npm pnpm yarn cnpm",
    verbs: {
      reads: "ls list ll la root prefix bin config get help version docs explain why fund doctor completion ping why",
      queries: "view info show outdated audit search ping whoami",
      runs: "test t tst run run-script start stop restart build lint rebuild rb pack prepare dedupe",
      exec: "exec x dlx create init",
      installs: "install i in ins inst add ci isntall clean-install install-test it update up upgrade link ln import",
      removes: "uninstall un remove rm r unlink prune",
      publishes: "publish unpublish deprecate dist-tag login logout adduser owner access token team org star hook",
      writes: "set pkg shrinkwrap",
    },
    bare: "installs",
    other: "runs",
    folders: "node_modules",
    files: "package.json package-lock.json",
    options: NODE_FLAGS,
  },
  { names: "npx bunx pnpx", verbs: {}, other: "exec", bare: "reads", folders: "node_modules", options: `${NODE_FLAGS} -p:t --package:t -c:s --call:s --shell:x` },
  { names: "pip pipx pip-compile pip-sync conda mamba micromamba easy_install", verbs: { reads: "list freeze show check config help debug inspect hash completion env info", queries: "search index download", installs: "install wheel sync upgrade reinstall inject create update", removes: "uninstall remove", writes: "cache", exec: "run" }, bare: "reads", other: "installs", options: PIP_FLAGS },
  { names: "uv", verbs: { reads: "version help tree", nested: "pip tool", installs: "add remove sync lock venv build python self init", exec: "run", publishes: "publish", fetches: "cache" }, bare: "reads", folders: ".venv", files: "pyproject.toml uv.lock", options: PIP_FLAGS },
  { names: "uvx", verbs: {}, other: "exec", bare: "reads" },
  { names: "poetry pdm hatch rye pipenv flit", verbs: { reads: "show version env check config list about help info graph cache source", queries: "search", installs: "install add update lock sync self export", removes: "remove uninstall clean", writes: "init new", exec: "run", runs: "shell test build", publishes: "publish" }, bare: "reads", other: "installs", folders: ".venv", files: "pyproject.toml poetry.lock" },
  { names: "cargo", verbs: { reads: "version help metadata tree locate-project pkgid read-manifest verify-project", queries: "search", runs: "build b test t run r check c bench doc d clippy rustc fix", installs: "install add update fetch vendor generate-lockfile", removes: "remove rm uninstall", publishes: "publish yank login owner", writes: "clean fmt init new logout" }, bare: "reads", folders: "target", files: "Cargo.toml Cargo.lock", options: "--manifest-path:r --target-dir:C -C:p --config:t -p:t --package:t --features:t -F:t --bin:t --example:t --test:t -j:t --jobs:t --target:t --profile:t" },
  { names: "go", verbs: { reads: "version env doc list help", runs: "build run test generate tool vet", installs: "get install", fetches: "mod work", writes: "fmt fix clean" }, bare: "reads", files: "go.mod go.sum", options: "-C:p" },
  { names: "gem bundle bundler rake rails", verbs: { reads: "list env help which info specification", queries: "search outdated", installs: "install update add remove uninstall init", exec: "exec", publishes: "push" }, bare: "runs", other: "runs", folders: "vendor", files: "Gemfile.lock" },
  { names: "composer", verbs: { reads: "show licenses validate status diagnose about help", installs: "install update require remove create-project global", exec: "exec", runs: "run-script run dump-autoload" }, bare: "reads", other: "runs", folders: "vendor", files: "composer.json composer.lock" },
  { names: "gradle gradlew mvn mvnw ant sbt lein bazel bazelisk buck nx turbo lerna gulp grunt just task invoke fab scons waf meson xmake swiftpm mix rebar3 stack cabal dune opam dub zig nimble shards dotnet msbuild xcodebuild flutter dart pub", verbs: {}, bare: "runs", other: "runs", options: "-f:r --file:r -p:p -b:r --build-file:r --project-dir:p -C:p -D?:t -P?:t" },
  { names: "tox nox pytest py.test nosetests nose2 trial behave jest mocha vitest ava tap karma cypress playwright phpunit rspec ctest bats eslint prettier tsc webpack vite rollup esbuild parcel babel next nuxt ng vue-cli-service tslint mypy pylint flake8 black isort ruff pyright pre-commit sphinx-build mkdocs coverage bandit rubocop stylelint standard xo nyc c8 cucumber robot locust pyinstaller cython rst2html alembic celery gunicorn uvicorn flask django-admin scrapy jupyter streamlit ipdb hypothesis", verbs: {}, bare: "runs", other: "runs", options: "-o:w --output:w --outDir:C --junitxml:w --junit-xml:w --cov-report:t -c:r --config:r --rootdir:p -k:t -m:t -n:t -p:t -x -W:t --tb:t --maxfail:t --ignore:t" },
  { names: "apt apt-get aptitude dpkg-reconfigure yum dnf zypper pacman apk brew snap flatpak port nix nix-env nix-shell emerge xbps-install opkg guix choco cpan cpanm luarocks apt-key add-apt-repository", verbs: { reads: "list search show info depends rdepends policy --version help rdepends showsrc changelog moo why config", queries: "update", removes: "remove purge autoremove clean autoclean uninstall rm hold unhold mark" }, bare: "reads", other: "installs", folders: "/usr /etc /var", options: "-o:t -c:r -t:t -i!install -C:p --root:C" },
  { names: "apt-cache dpkg-query apt-file equery", verbs: {}, bare: "reads", other: "reads" },
  { names: "corepack nvm fnm volta asdf mise rbenv pyenv rustup sdk jenv", verbs: { reads: "list ls current which version versions help status local global shell rehash hook init prefix root whence commands shims completions default show home where bin env use alias unalias uninstall remove which-key doctor config disable enable", exec: "exec x run" }, bare: "reads", other: "installs" },
  { names: "direnv", verbs: { exec: "exec", reads: "help status version stdlib show_dump fetchurl hook", runs: "reload export edit allow permit grant deny block revoke prune dotenv" }, bare: "reads", other: "reads" },
];

const NESTED: readonly Row[] = [
  { names: "uv\u0000pip", verbs: { reads: "list freeze show check tree", installs: "install uninstall sync compile" }, bare: "reads", folders: ".venv", options: PIP_FLAGS },
  { names: "uv\u0000tool", verbs: { reads: "list dir", exec: "run", installs: "install uninstall upgrade" }, bare: "reads" },
];

function compileRow(row: Row): PackageManager {
  const verbs = once(() => new Map(Object.entries(row.verbs).flatMap(([kind, names]) => names.split(" ").map((name): [string, string] => [name, kind]))));
  return {
    model: compile("t*", row.options ?? "", ""),
    get verbs() {
      return verbs();
    },
    bare: row.bare ?? "unknown",
    other: row.other ?? "unknown",
    folders: row.folders?.split(" ") ?? [],
    files: row.files?.split(" ") ?? [],
  };
}

/** Every package manager and project tool by name; a nested one as `uv pip`. */
export const PACKAGE_MANAGERS: ReadonlyMap<string, PackageManager> = new Map(
  [...ROWS, ...NESTED].flatMap((row) => {
    const made = compileRow(row);
    return row.names.split(" ").map((name): [string, PackageManager] => [name.replace("\u0000", " "), made]);
  }),
);
