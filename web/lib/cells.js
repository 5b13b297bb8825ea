// A table that is wider than a phone becomes blocks there (css/narrow.css): each cell stands
// behind the word of its column, which this writes beside it.
import { effect } from "/lib/ui.js";
import { language } from "/lib/i18n.js";

function nameTable(table) {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])].map((head) => head.textContent.trim());
  for (const body of table.tBodies) {
    for (const row of body.rows) {
      [...row.cells].forEach((cell, at) => {
        const head = cell.colSpan > 1 ? "" : (heads[at] ?? "");
        if (cell.dataset.head !== head) cell.dataset.head = head;
      });
    }
  }
}

// For all tables in `root`, those that come later too. Once a frame at most.
export function nameCells(root) {
  let asked = false;
  const ask = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      root.querySelectorAll("table").forEach(nameTable);
    });
  };
  new MutationObserver(ask).observe(root, { childList: true, subtree: true });
  effect(() => {
    void language.value;
    ask();
  });
}
