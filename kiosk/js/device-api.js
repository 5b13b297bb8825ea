// Requests of a paired device. Never throws: no answer is a result like any other.

// (path, body, timeout in ms, method) -> {status, data, retryAfterMs}; without a body it
// asks. `told(status)` hears of every answer.
export function deviceCall(token, told = () => {}) {
  return async (path, body, timeoutMs, method = body === undefined ? "GET" : "POST") => {
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Device ${token}`;
    try {
      const answer = await fetch(path, {
        method,
        headers,
        // A device is not a person: a cookie of this browser has no part in it.
        credentials: "omit",
        cache: "no-store",
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
      told(answer.status);
      const text = await answer.text();
      const retry = Number(answer.headers.get("Retry-After"));
      return {
        status: answer.status,
        data: text ? JSON.parse(text) : null,
        retryAfterMs: Number.isFinite(retry) ? retry * 1000 : 0,
      };
    } catch {
      return { status: 0, data: null, retryAfterMs: 0 };
    }
  };
}

// (path) -> {status, buffer}: what is no JSON.
export function deviceBytes(token) {
  return async (path) => {
    try {
      const answer = await fetch(path, {
        headers: { Authorization: `Device ${token}` },
        credentials: "omit",
        cache: "no-store",
        signal: AbortSignal.timeout(60_000),
      });
      return { status: answer.status, buffer: await answer.arrayBuffer() };
    } catch {
      return { status: 0, buffer: null };
    }
  };
}
