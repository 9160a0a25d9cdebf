/** The style sheet of the server's own pages; colours follow the system's light or dark choice, contrast is at least 4.5:1. */
export const STYLE_PATH = '/assets/pages.css';

export const style = `
:root {
  color-scheme: light dark;
  --ground: #f6f8fa; --sheet: #ffffff; --ink: #16222e; --soft: #52606d; --line: #c9d3dc;
  --accent: #0b6070; --on-accent: #ffffff; --bad: #a3142e; --bad-ground: #fdecef; --good: #17683a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10171d; --sheet: #182128; --ink: #e6edf2; --soft: #9fb0bd; --line: #33424e;
    --accent: #5cc3d3; --on-accent: #06252b; --bad: #ff9aa9; --bad-ground: #3a1a21; --good: #79d79d;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
header { padding: 1rem 1.5rem; }
header a { display: inline-flex; gap: .6rem; align-items: center; color: var(--accent); font-weight: 650; text-decoration: none; }
main { max-width: 34rem; margin: 4vh auto 3rem; padding: 1.8rem 2rem 2rem; background: var(--sheet); border: 1px solid var(--line); border-radius: .75rem; }
h1 { margin: 0 0 .6rem; font-size: 1.45rem; line-height: 1.25; }
h2 { margin: 1.8rem 0 .4rem; font-size: 1.05rem; }
p { margin: .4rem 0 1rem; }
.soft { color: var(--soft); }
a { color: var(--accent); }
label { display: block; margin: 1rem 0 .3rem; font-weight: 600; }
input { width: 100%; padding: .6rem .75rem; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--soft); border-radius: .45rem; }
button, .button { display: inline-block; margin-top: 1.4rem; padding: .62rem 1.3rem; font: inherit; font-weight: 650; color: var(--on-accent); background: var(--accent); border: 0; border-radius: .45rem; cursor: pointer; text-decoration: none; }
.button.second { background: none; color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.fault { padding: .7rem .9rem; color: var(--bad); background: var(--bad-ground); border-radius: .45rem; }
.state { font-weight: 650; }
.state.good { color: var(--good); }
.state.bad { color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; }
dt { color: var(--soft); } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .25rem .6rem .25rem 0; text-align: left; vertical-align: top; }
code { font-family: ui-monospace, monospace; font-size: .92em; }
code.line { display: block; margin: 0 0 .5rem; padding: .5rem .75rem; overflow-x: auto; white-space: nowrap; background: var(--ground); border-radius: .45rem; }
@media (max-width: 36rem) { main { margin: 0; border-width: 1px 0; border-radius: 0; } }
@media (prefers-reduced-motion: no-preference) { button, .button { transition: filter .15s; } button:hover, .button:hover { filter: brightness(1.1); } }
`;
