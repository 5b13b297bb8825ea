// "/lib/x.js" lies in web/lib, "/scan/js/x.js" in kiosk/js: as ops.http.pages serves them.
const ROOT = new URL("../../", import.meta.url);

export async function resolve(specifier, context, next) {
  if (!specifier.startsWith("/") || specifier.startsWith("//")) return next(specifier, context);
  const inside = specifier.startsWith("/scan/")
    ? `kiosk/${specifier.slice("/scan/".length)}`
    : `web${specifier}`;
  return next(new URL(inside, ROOT).href, context);
}

// The pages have no package.json: every one of their files is a module.
export async function load(url, context, next) {
  const ours = url.startsWith(new URL("web/", ROOT).href) || url.startsWith(new URL("kiosk/", ROOT).href);
  return next(url, ours ? { ...context, format: "module" } : context);
}
