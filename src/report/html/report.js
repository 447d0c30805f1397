"use strict";
(() => {
	const table = document.getElementById("findings-table");
	if (!table) return;
	const body = table.tBodies[0];
	const rows = Array.from(body.rows);
	const texts = rows.map((row) => row.textContent.toLowerCase());
	const field = (id) => document.getElementById(id);
	const count = field("count");

	function keep(row, i, wanted) {
		const d = row.dataset;
		return (!wanted.text || texts[i].includes(wanted.text)) && Number(d.severity) >= wanted.severity &&
			(!wanted.kind || d.kind === wanted.kind) && (!wanted.layer || d.layer === wanted.layer) &&
			(!wanted.fixable || d.fix === "1") && (!wanted.exploited || d.kev === "1");
	}

	function filter() {
		const wanted = {
			text: field("f-text").value.trim().toLowerCase(),
			severity: Number(field("f-severity").value),
			kind: field("f-kind").value,
			layer: field("f-layer").value,
			fixable: field("f-fixable").checked,
			exploited: field("f-exploited").checked,
		};
		let shown = 0;
		rows.forEach((row, i) => {
			const yes = keep(row, i, wanted);
			row.hidden = !yes;
			shown += yes ? 1 : 0;
		});
		count.textContent = shown + " of " + rows.length + " findings shown";
	}

	function sort(header) {
		const column = header.cellIndex;
		const down = header.getAttribute("aria-sort") === "ascending";
		const value = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
		const order = new Intl.Collator("en", { numeric: true }).compare;
		const sorted = rows.map((row, i) => [row, i]).sort((a, b) => (down ? -1 : 1) * order(value(a[0]), value(b[0])) || a[1] - b[1]);
		for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
		header.setAttribute("aria-sort", down ? "descending" : "ascending");
		body.append(...sorted.map((pair) => pair[0]));
	}

	for (const button of table.tHead.querySelectorAll("button")) button.addEventListener("click", () => sort(button.closest("th")));
	for (const button of document.querySelectorAll(".layer-button"))
		button.addEventListener("click", () => {
			field("f-layer").value = button.dataset.layer;
			filter();
			field("findings").scrollIntoView();
			field("f-layer").focus();
		});
	const form = field("filters");
	form.addEventListener("input", filter);
	form.addEventListener("reset", () => setTimeout(filter));
	form.addEventListener("submit", (event) => event.preventDefault());
	form.classList.remove("nojs");
	filter();
})();
