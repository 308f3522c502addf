"use strict";
// Keys, the panel about a label, and the time a page was looked at. Without it the forms still work.
(() => {
  document.documentElement.classList.add("scripted");
  const form = document.getElementById("answer");
  const find = document.getElementById("find");
  const side = document.getElementById("side");
  const keys = document.getElementById("keys");
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const items = all("[data-column]");
  const boxes = all("input[name=label]");

  // Only the time that the page was in view counts: a closed laptop reads nothing.
  let seen = 0, since = document.hidden ? 0 : performance.now();
  const pause = () => { if (since) { seen += performance.now() - since; since = 0; } };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) pause(); else since = performance.now();
  });
  let sent = false;
  for (const one of document.forms) {
    one.addEventListener("submit", (event) => {
      if (sent) { event.preventDefault(); return; }
      sent = true;
      pause();
      const seconds = document.getElementById("seconds");
      if (seconds) seconds.value = (seen / 1000).toFixed(1);
    });
  }
  // A page that the browser kept and shows again may be sent again: it revises its answer.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  let shortcuts = true;
  try { shortcuts = localStorage.getItem("shortcuts") !== "off"; } catch { /* no storage: on */ }
  const showShortcuts = () => document.documentElement.classList.toggle("no-keys", !shortcuts);
  showShortcuts();
  if (keys) {
    keys.checked = shortcuts;
    keys.addEventListener("change", () => {
      shortcuts = keys.checked;
      showShortcuts();
      try { localStorage.setItem("shortcuts", shortcuts ? "on" : "off"); } catch { /* this page only */ }
    });
  }

  // The label pointed at: its definition, and its evidence in the text.
  let current = null, asked = 0;
  const light = (item) => {
    for (const piece of all("mark.lit")) piece.classList.remove("lit");
    if (item) for (const piece of all(`mark.c${item.dataset.column}`)) piece.classList.add("lit");
  };
  const point = (item) => {
    current = item;
    light(item);
    const section = document.createElement("section");
    const name = document.createElement("h2");
    const definition = document.createElement("p");
    section.className = "about";
    name.textContent = item.querySelector(".name").textContent;
    definition.textContent = item.querySelector(".definition").textContent;
    section.append(name, definition);
    asked += 1;
    side.replaceChildren(section);
  };
  const tell = async (item) => {
    point(item);
    const mine = asked;
    // What was parsed runs nothing, and the server escapes all that isn't its own markup.
    const answer = await fetch(item.querySelector(".more").href).catch(() => null);
    const page = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
    const told = page && page.querySelector(".about");
    if (mine === asked) side.replaceChildren(told || "The review isn't running any more.");
  };
  for (const item of items) {
    item.addEventListener("pointerenter", () => { if (item !== current) point(item); });
    item.addEventListener("focusin", () => { if (item !== current) point(item); });
    item.querySelector(".more").addEventListener("click", (event) => {
      event.preventDefault();
      tell(item).then(() => { if (matchMedia("(max-width: 46rem)").matches) side.scrollIntoView(); });
    });
  }
  if (form) form.addEventListener("pointerleave", () => light(null));

  for (const button of all(".take")) {
    button.addEventListener("click", () => {
      const labels = JSON.parse(button.dataset.labels);
      for (const box of boxes) box.checked = labels.includes(box.value);
      document.getElementById("text").focus();  // so that Enter accepts them
    });
  }

  // Search: by the beginnings of words of the name first, then anywhere in name or definition.
  const narrow = () => {
    const wanted = find.value.trim().toLowerCase();
    const fits = (item, whole) => {
      const name = item.querySelector(".name").textContent.toLowerCase();
      return whole ? (name + " " + item.querySelector(".definition").textContent.toLowerCase()).includes(wanted)
        : name.split(/[\s_-]+/).some((word) => word.startsWith(wanted)) || name.startsWith(wanted);
    };
    const whole = !items.some((item) => fits(item, false));
    for (const item of items) item.hidden = Boolean(wanted) && !fits(item, whole);
    const first = items.find((item) => !item.hidden);
    if (wanted && first) point(first);
  };
  if (find) {
    find.addEventListener("input", narrow);
    find.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      const first = items.find((item) => !item.hidden);
      if (find.value.trim() && first) first.querySelector("input").click();
      find.value = "";
      narrow();
      find.blur();
    });
  }

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("textarea, input[type=search]");
    if (event.key === "Escape") {
      if (find && find.value) { find.value = ""; narrow(); }
      document.activeElement.blur();
      return;
    }
    if (field) {
      if (event.key === "Enter" && field.matches("textarea") && !event.shiftKey) { event.preventDefault(); form.requestSubmit(form.querySelector(".main")); }
      return;
    }
    if (!shortcuts || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const press = (element) => { event.preventDefault(); element.click(); };
    const pressed = document.querySelector(`[data-press="${CSS.escape(event.key)}"]`);
    if (pressed) return event.repeat ? event.preventDefault() : press(pressed);
    if (!form || event.repeat) return;
    if (event.key === "Enter" && !event.target.closest("a, button, summary")) return press(form.querySelector(".main"));
    if (event.key === "/") { event.preventDefault(); find.focus(); find.select(); return; }
    if (event.key === "+") { event.preventDefault(); document.getElementById("comment").focus(); return; }
    if (event.key === "!") return press(document.getElementById("flag"));
    if (event.key === "=" && current) { event.preventDefault(); tell(current); return; }
    const box = boxes.find((one) => one.dataset.key === event.key.toLowerCase());
    if (box) { press(box); box.scrollIntoView({ block: "nearest" }); point(box.closest("[data-column]")); }
  });
})();
