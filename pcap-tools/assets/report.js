"use strict";

// Everything can be read without this script. It sorts, searches, and unfolds what a link leads to.
for (const table of document.querySelectorAll("table.grid")) {
  const body = table.tBodies[0];
  const tools = table.parentElement.querySelector(".tools");
  const [input, output] = [tools.querySelector("input"), tools.querySelector("output")];
  const original = [...body.rows];
  let texts;

  const search = () => {
    texts ??= new Map(original.map((row) => [row, row.textContent.toLowerCase()]));
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [row, text] of texts) {
      const found = words.every((word) => text.includes(word));
      if (row.hidden === found) row.hidden = !found;
      shown += found;
    }
    output.textContent = words.length ? `${shown} of ${original.length}` : "";
  };
  input.addEventListener("input", search);
  table.addEventListener("reveal", () => {
    input.value = "";
    search();
  });
  tools.hidden = false;

  // Durations by their length, numbers by their size, other texts by the alphabet.
  const units = { "µs": 1, ms: 1e3, s: 1e6 };
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const match = /^([\d,]+(?:\.\d+)?)(?: (µs|ms|s))?(?= |$)/.exec(text);
    return match ? Number(match[1].replaceAll(",", "")) * (units[match[2]] ?? 1) : text;
  };
  const compare = (one, two) => {
    if (typeof one === typeof two) return typeof one === "number" ? one - two : one.localeCompare(two);
    return typeof one === "number" ? -1 : 1;
  };
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (head.className === "t") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort ?? "none"];
      for (const other of heads) other.removeAttribute("aria-sort");
      let rows = original;
      if (next !== "none") {
        head.ariaSort = next;
        const sign = next === "ascending" ? 1 : -1;
        rows = original.map((row) => [value(row, column), row]).sort((one, two) => sign * compare(one[0], two[0])).map((pair) => pair[1]);
      }
      body.append(...rows);
    });
  });

  // A click anywhere on a row unfolds it, unless it was meant for something else.
  body.addEventListener("click", (event) => {
    if (event.target.closest("a, details") || String(getSelection())) return;
    const details = event.target.closest("tr").querySelector("details");
    details.open = !details.open;
  });
}

const follow = () => {
  const target = document.getElementById(location.hash.slice(1));
  const row = target?.closest("table.grid tbody tr");
  if (!row) return;
  if (row.hidden) row.closest("table").dispatchEvent(new Event("reveal"));
  row.querySelector("details").open = true;
  row.scrollIntoView({ block: "center" });
};
addEventListener("hashchange", follow);
// A link to where one is already is followed, too.
addEventListener("click", (event) => {
  if (event.target.closest("a")?.hash === location.hash) follow();
});
// An arrow of the diagram leads to the row that leads to it.
document.querySelector("#diagram").addEventListener("click", (event) => {
  const step = event.target.closest(".d-step");
  if (!step || String(getSelection())) return;
  const ids = [step, ...step.querySelectorAll("[id]")].map((element) => element.id).filter(Boolean);
  const link = ids.map((id) => document.querySelector(`table.grid a[href="#${id}"]`)).find(Boolean);
  if (link) location.hash = link.closest("tr").id;
});
follow();
