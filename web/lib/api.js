// Requests to the API by a signed-in person: the cookie goes by itself, the CSRF word
// is added here, and every failure becomes an ApiProblem that names what happened.

const TIMEOUT_MS = 10_000;
const FILE_TIMEOUT_MS = 600_000;
let csrf = null;

export class ApiProblem extends Error {
  constructor(status, code, detail, fields = []) {
    super(detail || code);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.fields = fields;
  }
}

export function setCsrf(token) {
  csrf = token ?? null;
}

// A hint, not a proof: whether this browser signed in and did not sign out. It saves
// a stranger's first paint a request that can only be refused.
export function signedInBefore() {
  try {
    return localStorage.getItem("signed_in") === "yes";
  } catch {
    return true;
  }
}

export function rememberSignIn(yes) {
  try {
    if (yes) localStorage.setItem("signed_in", "yes");
    else localStorage.removeItem("signed_in");
  } catch {
    // Then the server is asked each time.
  }
}

// Whether somebody is signed in here. No answer is not "signed out": what then reads or
// listens keeps trying and says so, and so does this, for the word that writing needs.
export async function signedIn() {
  if (!signedInBefore()) return false;
  const ask = async () => setCsrf((await call("GET", "/api/v1/auth/me")).csrf_token);
  try {
    await ask();
    return true;
  } catch (error) {
    if (error.status === 401) rememberSignIn(false);
    else untilAnswered(ask).catch(() => {});
    return error.status !== 401;
  }
}

const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 15_000;

// Asks until the server has an answer: a wall that was switched on before its server must
// not stay dark. What the server refuses goes to the caller; `tell` hears of each failure.
export async function untilAnswered(ask, tell = () => {}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const again = error.status === 0 || error.status === 429 || error.status >= 500;
      if (!again) throw error;
      tell(error);
    }
    const most = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** attempt);
    await new Promise((resolve) => {
      setTimeout(resolve, most / 2 + (Math.random() * most) / 2);
      globalThis.addEventListener?.("online", resolve, { once: true });
    });
  }
}

// How a page finds the server's other parts: {live_url, ..}.
export const configuration = () => untilAnswered(() => call("GET", "/config.json"));

// A file goes as it is; it may take minutes, because each of its rows is checked.
export function send(path, file) {
  return call("POST", path, file, { "Content-Type": "application/octet-stream" }, FILE_TIMEOUT_MS);
}

export async function call(method, path, body, more = {}, timeoutMs = TIMEOUT_MS) {
  const headers = { Accept: "application/json", ...more };
  const file = body instanceof Blob;
  if (body !== undefined && !file) headers["Content-Type"] = "application/json";
  if (csrf && method !== "GET") headers["X-CSRF-Token"] = csrf;
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      body: body === undefined || file ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch {
    throw new ApiProblem(0, "no_answer", "");
  }
  const text = await answer.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    throw new ApiProblem(answer.status, "not_readable", "");
  }
  if (!answer.ok) {
    const { code = "http_error", detail = "", errors = [] } = data ?? {};
    throw new ApiProblem(answer.status, code, detail, errors);
  }
  return data;
}
