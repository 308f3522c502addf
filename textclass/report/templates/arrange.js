// Sorting and finding in the list of documents. Everything else on the page works without it.
(() => {
  const list = document.getElementById("docs");
  const docs = [...list.children];
  const name = new Map(docs.map((doc) => [doc, doc.querySelector(".name").textContent]));
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const date = (doc) => doc.dataset.date;
  // Documents without a date stand last either way.
  const dated = (a, b, order) => !date(a) - !date(b) || order * compare(date(a), date(b));
  const orders = {
    name: (a, b) => compare(name.get(a), name.get(b)),
    new: (a, b) => dated(a, b, -1),
    old: (a, b) => dated(a, b, 1),
    unsure: (a, b) => b.dataset.unsure - a.dataset.unsure,
  };
  const find = document.getElementById("find");
  const sort = document.getElementById("sort");
  const shown = document.getElementById("shown");
  const tell = () => {
    const left = docs.filter((doc) => getComputedStyle(doc).display !== "none").length;
    shown.textContent = left === docs.length ? "" : `${left} of ${docs.length} documents shown.`;
  };
  sort.addEventListener("change", () => {
    const order = orders[sort.value];
    list.append(...(order ? [...docs].sort(order) : docs));
  });
  find.addEventListener("input", () => {
    const wanted = find.value.toLowerCase();
    for (const doc of docs) doc.hidden = !name.get(doc).toLowerCase().includes(wanted);
    tell();
  });
  const form = find.form;
  form.addEventListener("change", tell);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("tools").hidden = false;
})();
