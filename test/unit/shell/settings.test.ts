// What variables make other programs do, and the programs that load environment files or take orders in a language of their own.

import { describe, expect, test } from "vitest";
import { starts, touches } from "./support.js";

describe("variables that hold a command line", () => {
  test.each([
    ["GIT_EDITOR='rm -rf src' git commit", "delete /w/src tree"],
    ["export PAGER='rm x'", "delete /w/x"],
    ["env EDITOR='cp /h/.ssh/id_rsa x' crontab -e", "read /h/.ssh/id_rsa"],
    ["LESSOPEN='|cat /h/.netrc; cat %s' less a", "read /h/.netrc"],
    ["declare -x VISUAL='rm x'", "delete /w/x"],
    ["GIT_EXTERNAL_DIFF='rm -r src' git diff", "delete /w/src tree"],
  ])("%s", (text, effect) => expect(touches(text)).toContain(effect));

  test("a known pager or editor starts and does nothing else", () => {
    expect(touches("PAGER=cat git log").filter((one) => /^(?:write|delete|create|opaque)/.test(one))).toEqual([]);
    expect(starts("GIT_EDITOR=true git commit --amend")).toContain("git");
  });

  test("a value that holds itself ends", () => {
    expect(() => touches("PAGER='PAGER=$PAGER; eval \"$PAGER\"'; export PAGER")).not.toThrow();
  });
});

describe("variables that name a file", () => {
  test.each([
    ["GIT_TRACE=/h/.bashrc git status", "write /h/.bashrc"],
    ["GIT_TRACE2_EVENT=/w/t git status", "write /w/t"],
    ["NODE_REDIRECT_WARNINGS=x node a.js", "write /w/x"],
    ["NODE_OPTIONS=--env-file=.env node a.js", "read /w/.env"],
  ])("%s", (text, effect) => expect(touches(text)).toContain(effect));

  test("a descriptor or a switch is none", () => expect(touches("GIT_TRACE=1 git --version").filter((one) => one.startsWith("write"))).toEqual([]));
});

describe("loaders of environment files", () => {
  test.each([
    ["dotenv -e .env.local -- node a.js", "read /w/.env.local"],
    ["dotenv -- node a.js", "read /w/.env"],
    ["dotenv list", "read /w/.env"],
    ["dotenv -f prod.env get KEY", "read /w/prod.env"],
    ["dotenv set KEY v", "write /w/.env"],
    ["python3 -m dotenv run rm x", "read /w/.env"],
    ["npx dotenv-cli -e .env printenv", "read /w/.env"],
    ["env-cmd -f .env printenv", "read /w/.env"],
    ["env-cmd rm x", "delete /w/x"],
    ["dotenvx run -f .env.prod -- rm x", "read /w/.env.prod"],
    ["honcho -e .env run env", "read /w/.env"],
    ["node --env-file-if-exists=.env a.js", "read /w/.env"],
    ["node -r dotenv/config a.js", "read /w/.env"],
    ["ruby -rdotenv/load a.rb", "read /w/.env"],
    ["just --dotenv-path .env build", "read /w/.env"],
    ["uvicorn --env-file .env a:b", "read /w/.env"],
  ])("%s", (text, effect) => expect(touches(text)).toContain(effect));

  test("what is started is judged", () => expect(touches("dotenv -e .env.test -- rm -r src")).toContain("delete /w/src tree"));
  test("`direnv exec` runs what the folder says", () => {
    const readText = (path: string): string | null => (path === "/w/.envrc" ? "dotenv_if_exists .env\nexport A=1\n" : null);
    expect(touches("direnv exec . env", { readText })).toContain("read /w/.env");
  });
  test("a file that is named is the only one", () => expect(touches("dotenv -e .env.test -- true")).not.toContain("read /w/.env"));
});

describe("orders of sqlite3", () => {
  test.each([
    ["sqlite3 :memory: '.output /w/ci.yml' 'select 1'", "write /w/ci.yml"],
    ["sqlite3 x.db <<< '.system rm y'", "delete /w/y"],
    ["sqlite3 x.db <<< $'select 1;\\n.shell rm y'", "delete /w/y"],
    ["sqlite3 :memory: \"select readfile('/h/.netrc')\"", "read /h/.netrc"],
    ["sqlite3 :memory: \"select writefile('a.js','')\"", "write /w/a.js"],
    ["sqlite3 :memory: -cmd '.import /h/.netrc t' 'select * from t'", "read /h/.netrc"],
    ["sqlite3 :memory: '.import \"| rm y\" t'", "delete /w/y"],
    ["sqlite3 x.db \"vacuum into 'y.db'\"", "write /w/y.db"],
    ["sqlite3 x.db \".backup 'y.db'\"", "write /w/y.db"],
    ["duckdb -c \"copy (select 1) to 'y.csv'\"", "write /w/y.csv"],
  ])("%s", (text, effect) => expect(touches(text)).toContain(effect));
});

describe("git", () => {
  test("`hash-object` reads what it is given", () => expect(touches("git hash-object -w .env")).toContain("read /w/.env"));
  test("`rm --cached` leaves the files", () => {
    expect(touches("git rm -r --cached .").filter((one) => one.startsWith("delete"))).toEqual([]);
    expect(touches("git rm --cached a")).toContain("read /w/a");
  });
  test("drivers that are asked for run", () => expect(touches("git log -p --ext-diff")).toContain("code project git"));
  test("a repository can be moved away", () => expect(touches("git init --separate-git-dir /tmp/g")).toContain("delete /w/.git tree"));
});

test("`http.server` gives out its folder", () => {
  expect(touches("python3 -m http.server -d /h/.ssh")).toContain("read /h/.ssh tree");
  expect(touches("python3 -m http.server --directory=/h/.ssh")).toContain("read /h/.ssh tree");
});

test("`make --eval` runs `$(shell …)`", () => {
  expect(touches("make --eval='$(shell rm x)'")).toContain("delete /w/x");
  expect(touches("make --eval='A != rm x'")).toContain("delete /w/x");
});
