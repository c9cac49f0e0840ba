/* Pages without filters of their own: a list narrowed by what is typed, and filters passed on. */
"use strict";
(() => {
  for (const link of document.querySelectorAll("a[data-segue]")) link.hash = location.hash;

  const field = document.getElementById("filtra");
  if (!field) return;
  document.documentElement.classList.add("com-filtros");
  const announcement = document.getElementById("anuncio");
  const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const lists = [...document.querySelectorAll("[data-lista]")].map((section) => ({
    section,
    rows: [...section.querySelectorAll("tbody tr, li")].map((row) => ({ row, text: plain(row.textContent) })),
  }));
  field.addEventListener("input", () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { section, rows } of lists) {
      let here = 0;
      for (const { row, text } of rows) {
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) here += 1;
      }
      section.hidden = !here;
      found += here;
    }
    announcement.hidden = !words.length;
    announcement.textContent = found ? `${found} na lista` : "Nada foi encontrado. Tente outro nome.";
  });
})();
