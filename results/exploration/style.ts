/** What reports of explorations add to the look of all pages. */
export const explorationStyle: string = `
.explored { display: grid; grid-template-columns: max-content max-content minmax(420px, 1fr); gap: 0 10px; align-items: start; overflow-x: auto; }
#steps { list-style: none; margin: 34px 0 0; padding: 0; }
#steps li { height: 34px; display: flex; align-items: center; }
#steps button { font: inherit; font-size: 13px; color: var(--ink); background: none; border: 0; border-radius: 7px; padding: 4px 9px; width: 100%; text-align: left; cursor: pointer; white-space: nowrap; }
#steps button b { display: inline-block; min-width: 20px; color: var(--faint); font-weight: 500; font-variant-numeric: tabular-nums; }
#steps button span { color: var(--soft); margin-left: 7px; }
#steps button.fault { color: var(--kill); }
#steps li.here button { background: var(--well); box-shadow: inset 3px 0 0 var(--read); font-weight: 600; }
svg.spacetime { display: block; cursor: pointer; }
.spacetime .here { fill: var(--well); }
.spacetime text.lane { font: 600 13px system-ui, sans-serif; fill: var(--ink); text-anchor: middle; }
.spacetime line.lane { stroke: var(--line); stroke-width: 2; }
.spacetime circle { fill: var(--ink); }
.spacetime path.fault, .spacetime path.cut { stroke: var(--kill); stroke-width: 2.5; fill: none; }
.message line { stroke: var(--read); stroke-width: 1.4; opacity: 0.75; }
.message text { font: 10.5px ui-monospace, monospace; fill: var(--soft); text-anchor: middle; paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
.message.waiting line { stroke: var(--fault); stroke-dasharray: 4 3; }
.message.lost line { stroke: var(--kill); stroke-dasharray: 4 3; }
.message.now line { stroke-width: 2.6; opacity: 1; }
.message.now text { fill: var(--ink); font-weight: 600; }
#state { position: sticky; top: 12px; max-height: calc(100vh - 24px); overflow: auto; font-size: 12.5px; }
ol.told { margin: 0 0 18px; padding-left: 26px; font-size: 13.5px; line-height: 1.55; overflow-wrap: anywhere; }
ol.told li::marker { color: var(--faint); font-variant-numeric: tabular-nums; }
#state p.words { margin: 0 0 10px; padding: 8px 10px; background: var(--well); border-radius: 7px; font-size: 13px; line-height: 1.45; overflow-wrap: anywhere; }
table.state { table-layout: fixed; } table.state th:first-child { width: 104px; } table.state th { font-weight: 600; } table.state tr th:first-child { font-weight: 500; color: var(--soft); }
table.state td, .others dd { font-family: ui-monospace, monospace; font-size: 11.5px; overflow-wrap: anywhere; }
td.changed, dd.changed { background: var(--unknown-well); }
.changed s { color: var(--faint); }
.others { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 12px 0 0; }
.others dt { color: var(--soft); font-size: 12px; } .others dd { margin: 0; padding: 0 4px; }
table.coverage td.bar { width: 45%; color: var(--unknown); } table.coverage i { display: block; height: 9px; margin-top: 6px; border-radius: 3px; background: var(--read); opacity: 0.7; min-width: 1px; }
tr.never td { color: var(--unknown); }
.witnesses { margin-top: 12px; line-height: 2.1; }
@media (max-width: 900px) { .explored { grid-template-columns: max-content max-content; } #state { grid-column: 1 / -1; position: static; } }
`;
