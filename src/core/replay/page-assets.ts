// Style sheet and script of the page. Both are fixed texts, so that the page can allow them by their hash and nothing else.

export const PAGE_STYLE = `
:root{--bg:#f6f6f3;--card:#fff;--ink:#1c2127;--soft:#5d6670;--line:#dfdfd9;--code:#f1f1ec;--deny:#b3261e;--deny-bg:#fbe9e7;--ask:#9a5b00;--ask-bg:#fdf1dc;--allow:#1f6f43;--allow-bg:#e6f3ea;--thought:#5d6670;--link:#1d4f91;--add:#e3f4e6;--del:#fbe5e3}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1c2024;--ink:#e5e7e9;--soft:#98a1aa;--line:#30363c;--code:#15181b;--deny:#ff8a80;--deny-bg:#3a1f1d;--ask:#f2b857;--ask-bg:#35290f;--allow:#7bd09b;--allow-bg:#172e21;--thought:#98a1aa;--link:#8ab8f5;--add:#17301f;--del:#3a1f1d}}
*{box-sizing:border-box}
html{scroll-padding-top:4.5rem}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.86em}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
.bar{position:sticky;top:0;z-index:2;background:var(--card);border-bottom:1px solid var(--line);padding:.6rem 1.2rem;display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center}
.bar .name{font-weight:650}.bar .mono{color:var(--soft)}
.tools{margin-left:auto;display:none;gap:.35rem;align-items:center;flex-wrap:wrap}.js .tools{display:flex}
.tools button,.tools input{font:inherit;font-size:.85rem;border:1px solid var(--line);background:var(--bg);color:var(--ink);border-radius:6px;padding:.2rem .6rem}
.tools button[aria-pressed=true]{background:var(--ink);color:var(--card);border-color:var(--ink)}
.tools input{width:15rem}.tools kbd{font-size:.75rem;color:var(--soft)}
main{max-width:1120px;margin:0 auto;padding:1.2rem}
.claimed{background:var(--ask-bg);border:1px solid var(--line);border-left:4px solid var(--ask);border-radius:6px;padding:.6rem .9rem;margin:0 0 1rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:.9rem;margin-bottom:1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem}
.card h2,section>h2{font-size:.75rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:0 0 .5rem;font-weight:600}
.big{font-size:2rem;font-weight:650;line-height:1.1}.soft{color:var(--soft)}
dl{margin:0;display:grid;grid-template-columns:auto 1fr;gap:.15rem .8rem;font-size:.9rem}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
svg{display:block;width:100%;margin:.35rem 0}.strip{height:34px;margin:.2rem 0 0}
.f-deny{fill:var(--deny)}.f-ask{fill:var(--ask)}.f-allow{fill:var(--allow)}.f-thought{fill:var(--line)}.f-bg{fill:var(--code)}
.strip .f-allow{opacity:.35}
table{border-collapse:collapse;width:100%;font-size:.9rem}th{text-align:left;color:var(--soft);font-weight:500;padding:.2rem .6rem .2rem 0}td{padding:.3rem .6rem .3rem 0;border-top:1px solid var(--line);vertical-align:top}td.num,th.num{text-align:right;font-variant-numeric:tabular-nums}
.pill{display:inline-block;min-width:3.6rem;text-align:center;border-radius:999px;font-size:.75rem;font-weight:650;padding:.05rem .6rem}
.pill.deny{background:var(--deny-bg);color:var(--deny)}.pill.ask{background:var(--ask-bg);color:var(--ask)}.pill.allow{background:var(--allow-bg);color:var(--allow)}.pill.thought{background:var(--code);color:var(--thought)}
section{margin:1.2rem 0}
ol.steps{list-style:none;margin:0;padding:0}
.step{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--line);border-radius:8px;margin:0 0 .55rem;padding:.55rem .9rem;content-visibility:auto;contain-intrinsic-size:auto 3.2rem}
.step.deny{border-left-color:var(--deny)}.step.ask{border-left-color:var(--ask)}.step.allow{border-left-color:var(--allow)}
.step.at{outline:2px solid var(--link);outline-offset:1px}
.step[hidden]{display:none}
.head{display:flex;gap:.7rem;align-items:baseline;flex-wrap:wrap}
.head .no{color:var(--soft);min-width:2.4rem;text-align:right;font-variant-numeric:tabular-nums}
.head .what{flex:1 1 24rem;overflow-wrap:anywhere;white-space:pre-wrap}
.head .end{color:var(--soft);font-size:.85rem;white-space:nowrap}
.why{margin:.45rem 0 0 3.1rem;padding:0;list-style:none;font-size:.9rem}.why li{margin:.2rem 0}.why .rule{font-weight:600}
.tag{display:inline-block;border:1px solid var(--line);border-radius:4px;padding:0 .35rem;font-size:.75rem;color:var(--soft);margin:0 .2rem .1rem 0}
.moved{color:var(--deny);font-weight:600}
details{margin:.4rem 0 0 3.1rem}summary{cursor:pointer;color:var(--soft);font-size:.85rem}
pre{background:var(--code);border:1px solid var(--line);border-radius:6px;padding:.5rem .7rem;margin:.35rem 0 0;white-space:pre-wrap;overflow-wrap:anywhere;max-height:28rem;overflow:auto}
pre .a{display:block;background:var(--add)}pre .d{display:block;background:var(--del)}
footer{color:var(--soft);font-size:.85rem;padding:1rem 0 3rem}
.none{display:none;color:var(--soft);padding:1rem}
@media print{.bar{position:static}.tools{display:none!important}.step{break-inside:avoid}pre{max-height:none}}
`;

export const PAGE_SCRIPT = `
"use strict";
(() => {
  document.documentElement.classList.add("js");
  const steps = [...document.querySelectorAll(".step")];
  const buttons = [...document.querySelectorAll("[data-filter]")];
  const search = document.querySelector("#search");
  const none = document.querySelector(".none");
  let filter = "all", at = -1;
  const texts = steps.map((step) => step.textContent.toLowerCase());
  const fits = (step) => filter === "all" || (filter === "finding" ? step.dataset.finding === "1" : step.dataset.verdict === filter);
  const apply = () => {
    const words = search.value.toLowerCase().split(" ").filter((word) => word !== "");
    let shown = 0;
    steps.forEach((step, index) => {
      step.hidden = !(fits(step) && words.every((word) => texts[index].includes(word)));
      if (!step.hidden) shown += 1;
    });
    none.style.display = shown === 0 ? "block" : "none";
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.filter === filter)));
  };
  const go = (index) => {
    if (index < 0 || index >= steps.length) return;
    if (at >= 0) steps[at].classList.remove("at");
    at = index;
    steps[at].classList.add("at");
    steps[at].scrollIntoView({ block: "nearest" });
  };
  const next = (by, only) => {
    for (let index = at + by; index >= 0 && index < steps.length; index += by) if (!steps[index].hidden && (!only || steps[index].dataset.finding === "1")) return go(index);
  };
  buttons.forEach((button) => button.addEventListener("click", () => { filter = button.dataset.filter; apply(); }));
  search.addEventListener("input", apply);
  document.addEventListener("keydown", (event) => {
    if (event.target === search) { if (event.key === "Escape") search.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") next(1, false);
    else if (event.key === "k") next(-1, false);
    else if (event.key === "n") next(1, true);
    else if (event.key === "N") next(-1, true);
    else if (event.key === "o" && at >= 0) { const all = [...steps[at].querySelectorAll("details")]; const open = all.some((one) => !one.open); all.forEach((one) => { one.open = open; }); }
    else if (event.key === "/") { event.preventDefault(); search.focus(); }
  });
  addEventListener("hashchange", () => go(steps.findIndex((step) => "#" + step.id === location.hash)));
  apply();
})();
`;
