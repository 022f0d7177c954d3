/** HTML that is safe to put into a page. Only `markup` and `trusted` make it, so that text cannot slip in unescaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Html | string | number | undefined | readonly Part[];

/** A template whose values are escaped, except for Html. Lists are joined, undefined is nothing. */
export function markup(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  let text = strings[0] ?? "";
  values.forEach((value, i) => (text += render(value) + (strings[i + 1] ?? "")));
  return new Html(text);
}

/** For text that zabcheck itself made: style sheets, scripts, charts. Never for anything out of a history or a server. */
export function trusted(text: string): Html {
  return new Html(text);
}

/** JSON that may stand inside a script element: no `<` can end it. */
export function embedded(data: unknown): Html {
  return new Html(
    JSON.stringify(data)
      .replaceAll("<", "\\u003c")
      .replaceAll("\u2028", "\\u2028")
      .replaceAll("\u2029", "\\u2029"),
  );
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function render(value: Part): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(render).join("");
  return escapeHtml(String(value));
}
