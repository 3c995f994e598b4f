/*
 * A list of any length: only the rows that can be seen are elements. The rows have one height; `render`
 * makes the element of one. The list has the focus, one row is chosen.
 */
class VirtualList {
	constructor(box, rowHeight, render, { head, open = () => {}, choose = () => {}, key = () => false, role = "option" } = {}) {
		Object.assign(this, { box, head, rowHeight, render, open, choose, key, role, n: 0, chosen: -1, rows: new Map(), waits: false });
		this.space = el("div.space", { role: "presentation" });
		replace(box, this.space);
		box.addEventListener("scroll", () => this.later());
		box.addEventListener("keydown", (e) => this.onKey(e));
		box.addEventListener("focus", () => { if (this.chosen < 0 && this.n) this.pick(this.first()); });
		new ResizeObserver(() => this.later()).observe(box);
	}

	first() { return Math.ceil(this.box.scrollTop / this.rowHeight); }
	page() { return Math.max(1, Math.floor(this.box.clientHeight / this.rowHeight) - 1); }

	setCount(n, emptyText) {
		this.n = n;
		this.chosen = Math.min(this.chosen, n - 1);
		this.space.style.height = `${n * this.rowHeight}px`;
		this.head.style.marginRight = `${this.box.offsetWidth - this.box.clientWidth}px`; // as wide as the scroll bar
		this.refresh();
		if (!n && emptyText)
			this.space.append(el("p.empty", {}, emptyText));
	}

	refresh() {
		this.rows.clear();
		this.space.replaceChildren();
		this.draw();
	}

	later() {
		if (this.waits)
			return;
		this.waits = true;
		requestAnimationFrame(() => { this.waits = false; this.draw(); });
	}

	draw() {
		const from = Math.max(0, Math.floor(this.box.scrollTop / this.rowHeight) - 4);
		const to = Math.min(this.n, Math.ceil((this.box.scrollTop + this.box.clientHeight) / this.rowHeight) + 4);
		for (const [i, row] of this.rows) {
			if (i < from || i >= to) {
				row.remove();
				this.rows.delete(i);
			}
		}
		for (let i = from; i < to; i++)
			if (!this.rows.has(i))
				this.addRow(i);
	}

	addRow(i) {
		const row = this.render(i);
		row.id = `${this.box.id}-${i}`;
		row.style.top = `${i * this.rowHeight}px`;
		row.setAttribute("role", this.role === "tree" ? "treeitem" : "option");
		row.addEventListener("click", () => { this.pick(i); this.open(i); });
		this.rows.set(i, row);
		this.mark(i);
		this.space.append(row);
	}

	mark(i) {
		const row = this.rows.get(i);
		if (!row)
			return;
		row.classList.toggle("chosen", i === this.chosen);
		row.setAttribute("aria-selected", i === this.chosen);
	}

	pick(i) {
		const before = this.chosen;
		this.chosen = Math.max(0, Math.min(this.n - 1, i));
		const top = this.chosen * this.rowHeight, view = this.box;
		if (top < view.scrollTop)
			view.scrollTop = top;
		else if (top + this.rowHeight > view.scrollTop + view.clientHeight)
			view.scrollTop = top + this.rowHeight - view.clientHeight;
		this.draw();
		this.mark(before);
		this.mark(this.chosen);
		view.setAttribute("aria-activedescendant", `${view.id}-${this.chosen}`);
		if (before !== this.chosen)
			this.choose(this.chosen);
	}

	onKey(e) {
		const steps = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: this.page(), PageUp: -this.page(), Home: -this.n, End: this.n };
		if (e.ctrlKey || e.metaKey || e.altKey || !this.n)
			return;
		if (this.key(e, this.chosen)) {
			e.preventDefault();
			e.stopPropagation();
		} else if (e.key === "Enter" || e.key === " ") {
			if (this.chosen >= 0)
				this.open(this.chosen);
			e.preventDefault();
		} else if (e.key in steps) {
			this.pick((this.chosen < 0 ? -1 : this.chosen) + steps[e.key]);
			e.preventDefault();
			e.stopPropagation();
		}
	}
}
