/** The colour of a family of faults, as CSS. Families come from histories: a name that is none gets the colour of any. */
export function faultColour(family: string): string {
  return /^[a-z][a-z-]{0,30}$/.test(family) ? `var(--${family}, var(--fault))` : "var(--fault)";
}

/** The look of every page of results, light and dark. Colours are named by what they mean. */
export const styleSheet: string = `
:root {
  --page: #f7f7f5; --card: #ffffff; --ink: #1d2129; --soft: #5d6573; --faint: #8b93a1; --line: #e3e4e0; --well: #f1f1ee;
  --holds: #1b7f4b; --holds-well: #e4f4ea; --violated: #c2255c; --violated-well: #fdeaf0; --unknown: #9a6700; --unknown-well: #fdf3d8;
  --read: #4479d6; --write: #14917f; --fail: #a9b0bc; --info: #d99a1c; --other: #8d7bd8;
  --partition: #d9730d; --loss: #c98a1b; --delay: #b5942a; --reset: #e2551f; --kill: #c92a2a; --pause: #7048e8;
  --power-cut: #99154b; --starve: #9c5fd4; --disk-full: #0b7285; --disk-error: #1864ab; --slow-disk: #3b9db5; --damage: #5c3d2e;
  --clock: #a0589b; --clock-rate: #c47bb5; --rolling-restart: #5f7a1f; --upgrade: #2b8a3e; --reconfig: #74902e;
  --fault: #868e96; --grid: #ebebe8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --card: #1c1f25; --ink: #e6e8ec; --soft: #a3abb8; --faint: #747d8c; --line: #2d323b; --well: #23272e;
    --holds: #4cc38a; --holds-well: #15301f; --violated: #ff6b97; --violated-well: #3a1623; --unknown: #e8b33f; --unknown-well: #33280d;
    --read: #6c9cf0; --write: #3fbfab; --fail: #626b79; --info: #e3ae45; --other: #a797ee;
    --partition: #f08c3a; --loss: #e0a93f; --delay: #cdb04f; --reset: #ff7a4a; --kill: #ff6b6b; --pause: #9775fa;
    --power-cut: #e0558a; --starve: #bd8cf0; --disk-full: #3fa9bd; --disk-error: #5a9fe0; --slow-disk: #6cc4d8; --damage: #b98a72;
    --clock: #cf8aca; --clock-rate: #dfa3d3; --rolling-restart: #a3bf5a; --upgrade: #5fc27a; --reconfig: #b4cc70;
    --fault: #868e96; --grid: #272b33;
  }
}
* { box-sizing: border-box; }
html { background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 1240px; padding: 28px 28px 64px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 12px; }
h2 .note, .note { font-weight: 400; font-size: 13px; color: var(--faint); }
p { margin: 0 0 8px; }
code, pre, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12.5px; }
pre { background: var(--well); border-radius: 8px; padding: 12px; overflow: auto; margin: 8px 0 0; max-height: 420px; }
a { color: var(--read); }
.top { margin-bottom: 22px; }
.headline { display: flex; align-items: center; gap: 14px; flex-wrap: wrap; }
.subtitle { color: var(--soft); margin: 6px 0 0; }
.lead { margin: 10px 0 0; max-width: 90ch; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; margin-bottom: 18px; }
.badge { display: inline-flex; align-items: center; gap: 5px; padding: 2px 10px; border-radius: 999px; font-weight: 600; font-size: 13px; white-space: nowrap; }
.top .badge { font-size: 15px; padding: 4px 14px; }
.badge.holds { color: var(--holds); background: var(--holds-well); }
.badge.violated { color: var(--violated); background: var(--violated-well); }
.badge.unknown { color: var(--unknown); background: var(--unknown-well); }
.badge.plain { color: var(--soft); background: var(--well); font-weight: 500; }
.verdict { display: grid; grid-template-columns: 108px minmax(130px, 200px) 1fr; gap: 4px 14px; padding: 7px 0; border-top: 1px solid var(--line); align-items: baseline; }
.verdict:first-of-type { border-top: 0; padding-top: 0; }
.verdict .violation, .verdict .wide { grid-column: 1 / -1; }
.verdict .wide { grid-column: 2 / -1; color: var(--soft); }
.verdict .name { font-weight: 600; overflow-wrap: anywhere; }
.verdict .what { min-width: 0; overflow-wrap: anywhere; }
.counts { display: flex; flex-wrap: wrap; gap: 4px 6px; margin-top: 6px; }
.counts + .scroll { margin-top: 12px; }
.counts span { background: var(--well); border-radius: 6px; padding: 1px 8px; font-size: 12px; color: var(--soft); }
.counts b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.violation { border-left: 3px solid var(--violated); background: var(--violated-well); border-radius: 0 8px 8px 0; padding: 12px 14px; margin-top: 10px; }
.violation p { margin: 0 0 8px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; font-weight: 500; color: var(--soft); padding: 4px 12px 4px 0; white-space: nowrap; }
td { padding: 4px 12px 4px 0; border-top: 1px solid var(--line); vertical-align: top; }
.violation td { border-color: color-mix(in srgb, var(--violated) 22%, transparent); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.short, th { white-space: nowrap; }
.scroll.tall { max-height: 380px; overflow: auto; }
td.fail, td.info { color: var(--unknown); }
.mark { display: inline-block; min-width: 18px; text-align: center; padding: 0 5px; border-radius: 5px; background: var(--violated); color: var(--card); font-size: 11px; font-weight: 600; }
td.value { overflow-wrap: anywhere; min-width: 180px; }
tr.earliest td { font-weight: 600; }
tr[data-operation] { cursor: pointer; }
tr[data-operation]:hover td { background: color-mix(in srgb, var(--ink) 5%, transparent); }
details { margin-top: 8px; }
summary { cursor: pointer; color: var(--soft); font-size: 13px; }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-bottom: 10px; }
.tools button { font: inherit; font-size: 13px; color: var(--ink); background: var(--well); border: 1px solid var(--line); border-radius: 7px; padding: 3px 11px; cursor: pointer; }
.tools button:hover { border-color: var(--faint); }
.tools button:disabled { opacity: 0.45; cursor: default; }
.tools .span { color: var(--soft); font-size: 13px; margin-left: auto; font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 12.5px; color: var(--soft); margin-top: 8px; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 5px; vertical-align: -1px; background: var(--swatch); }
.legend i.band { opacity: 0.55; }
.legend .hint { color: var(--faint); }
.canvases { position: relative; max-height: 640px; overflow: auto; }
canvas { display: block; width: 100%; border-radius: 6px; touch-action: pan-y; }
canvas.view { cursor: crosshair; }
canvas.map { margin-top: 8px; cursor: col-resize; background: var(--well); }
canvas:focus-visible, button:focus-visible { outline: 2px solid var(--read); outline-offset: 2px; }
.tip { position: fixed; z-index: 9; pointer-events: none; max-width: 460px; background: var(--ink); color: var(--card); border-radius: 8px; padding: 8px 11px; font-size: 12.5px; line-height: 1.4; box-shadow: 0 6px 24px rgb(0 0 0 / 0.25); overflow-wrap: anywhere; white-space: pre-line; }
.tip[hidden] { display: none; }
.charts { display: grid; grid-template-columns: 1fr; gap: 20px; }
.charts h3 { font-size: 13.5px; font-weight: 600; margin: 0 0 2px; }
.charts svg { display: block; width: 100%; height: auto; overflow: visible; color: var(--soft); background: none; }
.pairs { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; font-size: 13.5px; margin: 0; }
.pairs dt { color: var(--soft); } .pairs dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 720px) { body { padding: 16px 12px 40px; } section { padding: 14px; } .verdict { grid-template-columns: 1fr; } }
@media print { body { max-width: none; } .tools button { display: none; } section { break-inside: avoid; } }
`;
