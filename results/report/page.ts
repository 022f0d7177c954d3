import { createHash } from "node:crypto";
import type { Outcome } from "../../checkers/index.ts";
import { embedded, markup, trusted, type Html, type Part } from "./html.ts";
import { styleSheet } from "./style.ts";

/** What a page of results is made of: one self-contained file, whatever it reports. */
export interface Page {
  readonly title: string;
  readonly subtitle: string;
  /** The badge; undefined where there is no verdict yet. */
  readonly outcome: Outcome | undefined;
  /** One sentence below the title: what was done, and within which bounds the verdict holds. */
  readonly lead: Part;
  readonly sections: readonly Section[];
  /** Data that the scripts read: the element with this id holds it as JSON. */
  readonly data?: { readonly [id: string]: unknown };
  /** Rules of its own, after the common ones. */
  readonly style?: string;
  /** Functions that run in the browser, in order. They may use the browser and their own text only. */
  readonly scripts?: readonly (() => void)[];
}

export interface Section {
  /** Also the anchor. */
  readonly id: string;
  readonly title: string;
  /** A word or two beside the title. */
  readonly note?: string;
  readonly body: Part;
}

/** The page's text. Nothing in it refers to another resource, and its policy forbids the browser to load any. */
export function renderPage(page: Page): string {
  // Not the name that tsc or a bundler gave the function, only its text decides the hash.
  const scripts = (page.scripts ?? []).map((script) => `(${script.toString()})();`);
  const hashes = scripts.map((script) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`);
  const policy = [
    "default-src 'none'",
    `script-src ${hashes.length === 0 ? "'none'" : hashes.join(" ")}`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${trusted(policy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${page.title}: ${page.outcome ?? "no verdict"}</title>
        <style>
          ${trusted(styleSheet + (page.style ?? ""))}
        </style>
      </head>
      <body>
        <header class="top ${page.outcome ?? "none"}">
          <div class="headline">
            <h1>${page.title}</h1>
            ${page.outcome === undefined ? "" : badge(page.outcome)}
          </div>
          <p class="subtitle">${page.subtitle}</p>
          <p class="lead">${page.lead}</p>
        </header>
        <main>
          ${page.sections.map(
            (section) =>
              markup`<section id="${section.id}">
                <h2>
                  ${section.title}${section.note === undefined ? "" : markup` <span class="note">${section.note}</span>`}
                </h2>
                ${section.body}
              </section> `,
          )}
        </main>
        ${Object.entries(page.data ?? {}).map(
          ([id, data]) => markup`<script type="application/json" id="${id}">${embedded(data)}</script>`,
        )}
        ${scripts.map((script) => markup`<script>${trusted(script)}</script>`)}
      </body>
    </html> `.text;
}

export function badge(outcome: Outcome): Html {
  const mark = { holds: "✓", violated: "✕", unknown: "?" }[outcome];
  return markup`<span class="badge ${outcome}"><span aria-hidden="true">${mark}</span> ${outcome}</span>`;
}
