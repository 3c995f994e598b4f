/* The sheet with one trace: its spans in a tree beside their bars, and all that is known of the chosen one. */
class Waterfall {
	constructor(model, { closed, step }) {
		this.model = model;
		this.trace = -1;
		this.list = new VirtualList(byId("fall"), 30, (row) => this.row(row), {
			role: "tree",
			head: byId("fall-head"),
			choose: (row) => this.showSpan(this.visible[row]),
			key: (e, row) => this.key(e, row),
		});
		byId("close").onclick = () => this.close();
		byId("shade").onclick = () => this.close();
		byId("previous").onclick = () => step(-1);
		byId("next").onclick = () => step(1);
		this.closed = closed;
		this.step = step;
		byId("detail").addEventListener("keydown", (e) => this.trapFocus(e));
	}

	get isOpen() { return this.trace >= 0; }

	/* The span that is shown first: the one that was searched for, else the root. */
	open(trace, firstSpan, canStep) {
		const model = this.model, fresh = !this.isOpen;
		this.trace = trace;
		this.first = model.traceFirst[trace];
		this.end = model.traceFirst[trace + 1];
		this.folded = new Set();
		this.parents = new Set();
		for (let i = this.first; i < this.end; i++)
			if (model.parent[i] >= 0)
				this.parents.add(this.first + model.parent[i]);
		this.depths();
		this.head();
		byId("previous").disabled = !canStep(-1);
		byId("next").disabled = !canStep(1);
		byId("detail").hidden = byId("shade").hidden = false;
		this.list.chosen = -1;
		this.layout();
		this.list.box.scrollTop = 0;
		this.list.pick(Math.max(0, this.visible.indexOf(firstSpan ?? this.first)));
		if (fresh)
			this.list.box.focus({ preventScroll: true });
	}

	close() {
		if (!this.isOpen)
			return;
		this.trace = -1;
		byId("detail").hidden = byId("shade").hidden = true;
		this.closed();
	}

	depths() {
		this.depth = new Uint32Array(this.end - this.first);
		for (let i = this.first; i < this.end; i++)
			this.depth[i - this.first] = this.model.parent[i] < 0 ? 0 : this.depth[this.model.parent[i]] + 1;
	}

	head() {
		const model = this.model, id = model.traceId(this.trace), ms = model.timeMs(model.traceStart[this.trace]);
		replace(byId("detail-title"), model.label(this.first));
		replace(byId("detail-sub"), `${day(ms)} ${clock(ms)}  ·  ${duration(model.traceDuration[this.trace])}  ·  ${plural(this.end - this.first, "span")}  ·  `,
			el("span.mono", {}, id), " ", el("button.link", { type: "button", onclick: (e) => copy(id, e.currentTarget) }, "copy id"));
		const services = [...new Set(model.service.subarray(this.first, this.end))];
		replace(byId("legend"), services.slice(0, 12).map((s) => el("span", {}, colouredDot(s), model.services[s])));
		const ruler = byId("ruler"), whole = model.traceDuration[this.trace];
		replace(ruler, [0, 0.25, 0.5, 0.75, 1].map((share) => {
			const tick = el("span", {}, share ? duration(whole * share) : "0");
			tick.style.left = `${share * 100}%`;
			return tick;
		}));
	}

	/* The rows: spans none of whose ancestors is folded. */
	layout() {
		this.visible = [];
		let hiddenBelow = Infinity;
		for (let i = this.first; i < this.end; i++) {
			const depth = this.depth[i - this.first];
			if (depth > hiddenBelow)
				continue;
			hiddenBelow = this.folded.has(i) ? depth : Infinity;
			this.visible.push(i);
		}
		this.list.box.style.flexBasis = `${this.visible.length * this.list.rowHeight}px`;
		this.list.setCount(this.visible.length);
	}

	row(k) {
		const model = this.model, i = this.visible[k], depth = this.depth[i - this.first], parent = this.parents.has(i);
		const name = el("div.fall-name", {},
			parent ? el("button.fold", { type: "button", tabindex: -1, "aria-label": "fold", onclick: (e) => { e.stopPropagation(); this.fold(i); } }, this.folded.has(i) ? "▶" : "▼") : el("span.fold", {}),
			colouredDot(model.service[i]),
			el("span.label", { title: model.label(i) }, model.kind[i] === 3 ? "→ " : null, model.label(i)),
			statusBadge(model, i),
			el("span.service", {}, model.services[model.service[i]]));
		name.style.paddingLeft = `${Math.min(depth, 24) * 14}px`;
		const row = el("div.fall-row", { "aria-level": depth + 1, "aria-expanded": parent ? !this.folded.has(i) : null }, name, this.lane(i));
		return row;
	}

	lane(i) {
		const model = this.model, whole = Math.max(1, model.traceDuration[this.trace]);
		const from = model.offset[i] / whole, width = model.duration[i] / whole;
		const piece = el("div.piece"), took = el("span.took", {}, duration(model.duration[i]));
		piece.classList.toggle("bad", model.status[i] === 2);
		piece.style.setProperty("--c", serviceColour(model.service[i]));
		piece.style.left = `min(${from * 100}%, 100% - 3px)`;
		piece.style.width = `${Math.min(1 - from, width) * 100}%`;
		if (from + width < 0.85)
			took.style.left = `${(from + width) * 100}%`;
		else if (from > 0.12)
			took.style.right = `${(1 - from) * 100}%`;
		else {
			took.style.right = "0";
			took.style.color = "#fff";
		}
		const lane = el("div.lane", {}, piece, took);
		for (const event of model.events[i] || []) {
			const mark = el("div.event", { title: model.texts[event[1]] });
			mark.style.left = `${Math.min(1, Math.max(0, (model.offset[i] + event[0]) / whole)) * 100}%`;
			lane.append(mark);
		}
		return lane;
	}

	fold(i, folded = !this.folded.has(i)) {
		if (!this.parents.has(i) || folded === this.folded.has(i))
			return false;
		this.folded[folded ? "add" : "delete"](i);
		this.layout();
		this.list.pick(this.visible.indexOf(i));
		return true;
	}

	key(e, row) {
		const i = this.visible[row];
		switch (e.key) {
		case "j": this.step(1); return true;
		case "k": this.step(-1); return true;
		case "ArrowLeft":
			if (!this.fold(i, true) && this.model.parent[i] >= 0)
				this.list.pick(this.visible.indexOf(this.first + this.model.parent[i]));
			return true;
		case "ArrowRight":
			if (!this.fold(i, false) && this.parents.has(i))
				this.list.pick(row + 1);
			return true;
		default: return false;
		}
	}

	trapFocus(e) {
		if (e.key !== "Tab")
			return;
		const stops = [...byId("detail").querySelectorAll('button:not([tabindex="-1"]):not(:disabled), [tabindex="0"]')];
		const edge = e.shiftKey ? stops[0] : stops[stops.length - 1];
		if (document.activeElement === edge) {
			(e.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
			e.preventDefault();
		}
	}

	showSpan(i) {
		const model = this.model, scope = model.scopes[model.scope[i]], parent = model.parentId(i);
		const fact = (name, value) => el("span", {}, `${name} `, el("b", {}, value));
		const sections = [
			["Attributes", model.attributes(i)],
			...(model.events[i] || []).map((event) => [`Event: ${model.texts[event[1]]}, after ${duration(Math.max(0, event[0]))}`, model.rowPairs(event, 2)]),
			...(model.links[i] || []).map((link) => [`Link to span ${link[1]} of trace ${link[0]}`, model.rowPairs(link, 2)]),
			["Resource", model.rowPairs(model.resources[model.resource[i]], 1)],
		];
		replace(byId("span"), el("h2", {}, model.texts[model.name[i]] || "(no name)"),
			el("div.facts", {}, fact("kind", kinds[model.kind[i]]), fact("starts after", duration(model.offset[i])), fact("took", duration(model.duration[i])),
				fact("status", ["unset", "ok", "error"][model.status[i]] + (model.message[i] ? `: ${model.texts[model.message[i]]}` : "")),
				el("span", {}, "span ", el("b.mono", {}, model.spanId(i))), parent ? el("span", {}, "parent ", el("b.mono", {}, parent)) : null,
				model.texts[scope[0]] ? fact("scope", `${model.texts[scope[0]]} ${model.texts[scope[1]]}`) : null),
			sections.filter(([, pairs], k) => pairs.length || k).map(([title, pairs]) => [el("h3", {}, title), el("dl.pairs", {}, pairs.map(([key, value]) => this.pair(key, value)))]));
		byId("span").scrollTop = 0;
	}

	pair(key, value) {
		const text = valueText(value), number = typeof value === "number" || (value !== null && typeof value === "object" && !Array.isArray(value));
		return el("div.pair", {}, el("dt", {}, key), el(number ? "dd.number" : "dd", {}, text),
			el("button", { type: "button", title: "Show traces with this value", "aria-label": `Search for ${key}`, onclick: () => addTerm(`${quote(`${key}=${text}`)}`) }, "⌕"));
	}
}
