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
})();
