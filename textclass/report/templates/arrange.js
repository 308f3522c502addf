// Filtering and sorting of the list of documents. Everything else on the page works without it.
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
  const form = document.getElementById("arrange");
  const find = document.getElementById("find");
  const sort = document.getElementById("sort");
  const shown = document.getElementById("shown");
  const filter = () => {
    const part = find.value.toLowerCase();
    const kinds = [...form.querySelectorAll("input:checked")].map((box) => box.value).filter(Boolean);
    for (const doc of docs) {
      const fits = kinds.every((kind) => doc.classList.contains(kind));
      doc.hidden = !fits || !name.get(doc).toLowerCase().includes(part);
    }
    const left = docs.filter((doc) => !doc.hidden).length;
    shown.textContent = left === docs.length ? "" : `${left} of ${docs.length} documents shown.`;
  };
  sort.addEventListener("change", () => {
    const order = orders[sort.value];
    list.append(...(order ? [...docs].sort(order) : docs));
  });
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
})();
