"use strict";
// Makes each column of a table with the class "sortable" one that a click or the keyboard sorts by.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") === "descending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
      const compare = (one, other) => {
        const difference = Number(key(one)) - Number(key(other));
        return Number.isNaN(difference) ? key(one).localeCompare(key(other)) : difference;
      };
      const rows = Array.from(body.rows).sort(compare);
      body.append(...(up ? rows : rows.reverse()));
    });
  });
}
