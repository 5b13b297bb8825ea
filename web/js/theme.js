// Sets theme and language before the first paint; small, and loaded as a plain script.
(function () {
  const root = document.documentElement;
  let chosen = null;
  let language = null;
  try {
    chosen = localStorage.getItem("theme");
    language = localStorage.getItem("language");
  } catch {
    // A browser that keeps nothing still gets the page.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    root.dataset.theme = chosen ?? (dark.matches ? "dark" : "light");
  };
  dark.addEventListener("change", apply);
  apply();
  const asked = language ?? (navigator.language || "en").slice(0, 2).toLowerCase();
  root.lang = asked === "fr" ? "fr" : "en";

  // A part of the page did not come: it says so, and is opened again as soon as the server
  // answers. (Reloading before that would leave the browser's own page of errors.)
  const AGAIN_MS = 3_000;
  const DOUBLED_MAX = 5; // what never comes is asked for every minute and a half
  const tries = {
    get: () => {
      try {
        return Number(sessionStorage.getItem("tries") ?? 0);
      } catch {
        return DOUBLED_MAX;
      }
    },
    set: (n) => {
      try {
        sessionStorage.setItem("tries", String(n));
      } catch {
        // Then each time is the last.
      }
    },
  };
  const words = {
    en: "This page could not be loaded whole. It opens by itself when the server answers.",
    fr: "Cette page n’a pas pu être chargée en entier. Elle s’ouvre dès que le serveur répond.",
  };
  let waits = false;
  async function again() {
    try {
      if ((await fetch("/healthz", { cache: "no-store" })).ok) {
        tries.set(tries.get() + 1);
        location.reload();
        return;
      }
    } catch {
      // Not yet.
    }
    setTimeout(again, AGAIN_MS);
  }
  addEventListener(
    "error",
    (event) => {
      if (event.target?.tagName !== "SCRIPT" || waits) return;
      waits = true;
      const notice = document.createElement("p");
      notice.className = "notice bad";
      notice.setAttribute("role", "alert");
      notice.textContent = words[root.lang];
      const show = () => document.getElementById("app")?.replaceChildren(notice);
      if (document.readyState === "loading") addEventListener("DOMContentLoaded", show);
      else show();
      setTimeout(again, AGAIN_MS * 2 ** Math.min(tries.get(), DOUBLED_MAX));
    },
    true,
  );
  addEventListener("load", () => {
    if (!waits) tries.set(0);
  });
})();
