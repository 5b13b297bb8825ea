// The page behind an invitation's link: choose a password, then sign in.
import { html, useState } from "/lib/ui.js";
import { language, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { API, sentence } from "/js/crm/model.js";

export function Invitation({ token }) {
  void language.value;
  const [email, setEmail] = useState(null);
  const [problem, setProblem] = useState(null);
  async function accept(event) {
    event.preventDefault();
    const password = event.currentTarget.elements.password.value;
    try {
      setEmail((await call("POST", `${API}/auth/invitation`, { token, password })).email);
      setProblem(null);
    } catch (error) {
      setProblem(error);
    }
  }
  return html`<main class="invitation">
    <div class="crm-tools"><${LanguageSwitch} /><${ThemeSwitch} /></div>
    ${email
      ? html`<div class="panel sheetlike" role="status">
          <h1>${t("page.crm.invited.done")}</h1>
          <p class="name">${email}</p>
          <a class="button primary" href="/?next=/crm.html">${t("page.login.go")}</a>
        </div>`
      : html`<form class="panel sheetlike" onSubmit=${accept}>
          <h1>${t("page.crm.invited.title")}</h1>
          ${problem &&
          html`<p class="notice bad" role="alert">${problem.code === "bad_invitation" ? t("page.crm.invited.bad") : sentence(problem)}</p>`}
          <div class="field">
            <label for="password">${t("page.login.password")}</label>
            <input class="input" id="password" name="password" type="password" autocomplete="new-password" minlength="10" required />
          </div>
          <button class="button primary" type="submit">${t("page.crm.save")}</button>
        </form>`}
  </main>`;
}
