"use strict";
// Sort and search. Without it the page shows all that it has, in the order given.
(() => {
  const words = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  const key = (row, column) => {
    const cell = row.cells[column];
    return "k" in cell.dataset ? Number(cell.dataset.k) : cell.textContent;
  };

  // What is unknown comes last, whichever way.
  const compare = (a, b, sign) => {
    if (typeof a === "string") return sign * words.compare(a, b);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  };

  const begin = (table) => {
    const body = table.tBodies[0];
    const given = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const tools = table.closest("section").querySelector(".tools");
    const search = tools.querySelector(".search");
    const hide = tools.querySelector(".hide");
    const count = tools.querySelector(".count");
    const texts = new Map(
      given.map((row) => [row, [...row.cells].filter((c) => c.tagName === "TH").map((c) => c.textContent).join(" ").toLowerCase()]),
    );

    const filter = () => {
      const wanted = search.value.trim().toLowerCase();
      let shown = 0;
      for (const row of given) {
        const hidden = (hide !== null && hide.checked && row.classList.contains("marked")) || !texts.get(row).includes(wanted);
        row.hidden = hidden;
        shown += hidden ? 0 : 1;
      }
      count.textContent = shown === given.length ? `${given.length} rows` : `${shown} of ${given.length} rows`;
    };

    // Once, the other way round, and back to the order given.
    const sort = (column) => {
      const head = heads[column];
      const first = head.dataset.first === "falling" ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const before = head.getAttribute("aria-sort");
      const now = before === first ? second : before === second ? null : first;
      for (const other of heads) other.removeAttribute("aria-sort");
      if (now !== null) head.setAttribute("aria-sort", now);
      table.classList.toggle("given", now === null);
      const sign = now === "ascending" ? 1 : -1;
      const rows = given.map((row, place) => [row, place, key(row, column)]);
      if (now !== null) rows.sort((a, b) => compare(a[2], b[2], sign) || a[1] - b[1]);
      body.append(...rows.map((entry) => entry[0]));
    };

    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(column));
      head.append(button);
    });
    search.addEventListener("input", filter);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        search.value = "";
        filter();
      }
    });
    if (hide !== null) hide.addEventListener("change", filter);
    table.classList.add("given");
    tools.hidden = given.length < 10;
    filter();
  };

  document.querySelectorAll("table.grid").forEach(begin);

  // Neighbours of one tab: one at a time, by buttons that arrows move along.
  const sections = [...document.querySelectorAll("section")];
  const tabbed = (section) => (section === undefined ? undefined : section.dataset.tab);
  sections.forEach((first, start) => {
    if (tabbed(first) === undefined || tabbed(sections[start - 1]) === tabbed(first)) return;
    let end = start;
    while (tabbed(sections[end]) === tabbed(first)) end += 1;
    const parts = sections.slice(start, end);
    const list = document.createElement("div");
    list.className = "tabs";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", tabbed(first));
    const show = (chosen) => {
      parts.forEach((part, k) => {
        part.hidden = k !== chosen;
        list.children[k].setAttribute("aria-selected", String(k === chosen));
        list.children[k].tabIndex = k === chosen ? 0 : -1;
      });
    };
    parts.forEach((part, k) => {
      const button = document.createElement("button");
      button.type = "button";
      button.id = `tab-${part.id}`;
      button.textContent = part.querySelector("h2").textContent;
      button.setAttribute("role", "tab");
      button.setAttribute("aria-controls", part.id);
      button.addEventListener("click", () => show(k));
      list.append(button);
      part.setAttribute("role", "tabpanel");
      part.setAttribute("aria-labelledby", button.id);
    });
    list.addEventListener("keydown", (event) => {
      const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const now = [...list.children].indexOf(document.activeElement);
      if (way === undefined || now < 0) return;
      const next = (now + way + parts.length) % parts.length;
      show(next);
      list.children[next].focus();
    });
    first.before(list);
    const aim = () => parts.findIndex((part) => `#${part.id}` === window.location.hash);
    window.addEventListener("hashchange", () => {
      if (aim() >= 0) show(aim());
    });
    show(Math.max(aim(), 0));
  });

  // A slash goes to the search, as it does elsewhere.
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
    const search = [...document.querySelectorAll(".search")].find((box) => box.closest("[hidden]") === null) ?? null;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && search !== null) {
      event.preventDefault();
      search.focus();
    }
  });
})();
