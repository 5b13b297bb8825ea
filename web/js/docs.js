// The API's documentation, from the server's own OpenAPI document.
import { html, render, signal } from "/lib/ui.js";
import { language, loadLanguage, t } from "/lib/i18n.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { exampleOf, fieldsOf, groupsOf } from "/js/openapi.js";

const root = signal(null);
const failed = signal(false);
const words = signal("");

function Fields({ rows, title }) {
  if (rows.length === 0) return null;
  return html`<h4>${title}</h4>
    <table class="fields">
      <tbody>
        ${rows.map(
          (row) => html`<tr key=${row.name}>
            <th scope="row">${row.name}</th>
            <td>
              <code>${row.type}</code>
              ${row.place && html` <span class="soft small">${row.place}</span>`}
              ${row.required && html` <span class="chip">${t("page.docs.required")}</span>`}
              ${row.limits && html` <span class="soft small">${row.limits}</span>`}
              ${row.text && html`<div class="soft">${row.text}</div>`}
            </td>
          </tr>`,
        )}
      </tbody>
    </table>`;
}

function Example({ schema, title }) {
  const text = JSON.stringify(exampleOf(schema, root.value), null, 2);
  return html`<h4>${title}</h4>
    <pre class="example" tabindex="0">${text}</pre>`;
}

function Operation({ operation }) {
  const { body, answers } = operation;
  const good = answers.find(({ status }) => status.startsWith("2"));
  return html`<article class="panel operation" id=${operation.id}>
    <h3>
      <span class=${`verb ${operation.verb}`}>${operation.verb.toUpperCase()}</span>
      <a class="path" href=${`#${operation.id}`}>${operation.path}</a>
      <span>${operation.summary}</span>
    </h3>
    ${operation.text && html`<p class="soft">${operation.text}</p>`}
    <${Fields} title=${t("page.docs.parameters")} rows=${operation.parameters} />
    ${body &&
    html`<${Fields} title=${t("page.docs.body")} rows=${fieldsOf(body, root.value)} />
      <${Example} title=${t("page.docs.example")} schema=${body} />`}
    <h4>${t("page.docs.answers")}</h4>
    <p>
      ${answers.map(
        ({ status, text }) => html`<span class="chip" key=${status} title=${text}>${status}</span> `,
      )}
    </p>
    ${good?.schema && html`<${Example} title=${`${good.status}`} schema=${good.schema} />`}
  </article>`;
}

function fits(operation) {
  const text = `${operation.verb} ${operation.path} ${operation.summary}`.toLowerCase();
  return text.includes(words.value.trim().toLowerCase());
}

function Side({ groups }) {
  return html`<nav class="docs-side" aria-label=${t("page.docs.operations")}>
    <div class="docs-brand">
      <a href="/"><img src="/img/mark.svg" alt="" />API</a>
      <span class="docs-tools"><${LanguageSwitch} /><${ThemeSwitch} /></span>
    </div>
    <input
      class="input"
      type="search"
      aria-label=${t("page.docs.find")}
      placeholder=${t("page.docs.find")}
      onInput=${(event) => {
        words.value = event.currentTarget.value;
      }}
    />
    ${groups.map(
      ({ name, operations }) => html`<div class="docs-group" key=${name}>
        <h2>${name}</h2>
        ${operations.map(
          ({ id, verb, path, summary }) => html`<a class="docs-link" key=${id} href=${`#${id}`}>
            <span class=${`verb ${verb}`}>${verb.toUpperCase()}</span>
            <span class=${summary ? "" : "path"}>${summary || path}</span>
          </a>`,
        )}
      </div>`,
    )}
  </nav>`;
}

function Docs() {
  void language.value;
  if (failed.value) return html`<p class="notice bad" role="alert">${t("page.all.no_answer")}</p>`;
  if (!root.value) return html`<p class="empty" role="status">${t("page.all.loading")}</p>`;
  const groups = groupsOf(root.value)
    .map(({ name, operations }) => ({ name, operations: operations.filter(fits) }))
    .filter(({ operations }) => operations.length > 0);
  return html`<div class="docs">
    <${Side} groups=${groups} />
    <main class="docs-main">
      <header>
        <h1>${root.value.info.title}</h1>
        <p class="soft">
          ${t("page.docs.version", { n: root.value.info.version })} ·${" "}
          <a href="/schema/openapi.json">openapi.json</a>
        </p>
      </header>
      ${groups.length === 0 && html`<p class="panel empty">${t("page.docs.none")}</p>`}
      ${groups.flatMap(({ operations }) =>
        operations.map(
          (operation) => html`<${Operation} key=${operation.id} operation=${operation} />`,
        ),
      )}
    </main>
  </div>`;
}

await loadLanguage();
render(html`<${Docs} />`, document.getElementById("app"));
try {
  const answer = await fetch("/schema/openapi.json");
  root.value = await answer.json();
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
} catch {
  failed.value = true;
}
