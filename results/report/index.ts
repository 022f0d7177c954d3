export { markup, trusted, type Html } from "./html.ts";
export { renderPage, type Page, type Section } from "./page.ts";
export { historyPage, readHistory, renderRun, runPage, type HistoryPage } from "./run-report.ts";
export { faultIntervals, faultLabel, type FaultInterval } from "./timeline-data.ts";
