/* State and wiring: the search line is the one truth; charts, tables and list follow it, and the address keeps it. */
let model, waterfall, traceList;
const state = { query: "", order: "time", routeOrder: ["requests", -1], allRoutes: false, mask: null, traces: [], firstHit: null };

const colouredDot = (service) => { const dot = el("span.dot"); dot.style.setProperty("--c", serviceColour(service)); return dot; };

function statusBadge(m, i) {
	const code = m.http[i], failed = m.status[i] === 2;
	if (!code && !failed)
		return el("span", {});
	const badge = el("span.status", { title: m.texts[m.error[i]] || null }, code || "error");
	badge.classList.add(failed || code >= 500 ? "bad" : `s${Math.floor(code / 100)}`);
	return badge;
}

async function copy(text, button) {
	const before = button.textContent;
	try {
		await navigator.clipboard.writeText(text);
		button.textContent = "copied";
	} catch {
		getSelection().selectAllChildren(button.previousElementSibling || button);
		button.textContent = "selected";
	}
	setTimeout(() => { button.textContent = before; }, 1200);
}

/* --- the search --- */

function setQuery(query) {
	byId("search").value = query;
	state.query = query;
	update();
}

function addTerm(term) {
	waterfall.close();
	const others = splitQuery(state.query).filter((t) => quote(t) !== term).map(quote);
	setQuery([...others, term].join(" "));
}

/* Replaces the terms that `old` is true for. */
function swapTerms(old, terms) {
	setQuery([...splitQuery(state.query).filter((t) => !old(t)).map(quote), ...terms].join(" "));
}

const chooseTime = ({ after, before }) =>
	swapTerms((t) => /^(after|before):/.test(t), [`after:${exactDuration(Math.max(0, after))}`, `before:${exactDuration(before)}`]);
const chooseLatency = ({ over, under }) => swapTerms((t) => /^[<>]/.test(t), [`>${exactDuration(Math.floor(over))}`, `<${exactDuration(Math.ceil(under))}`]);

function drawChips(wrong) {
	const terms = splitQuery(state.query);
	byId("chips").hidden = terms.length === 0;
	replace(byId("chips"), terms.map((term, k) => {
		const text = /^(after|before):/.test(term) && !wrong.includes(term) ?
			`${term.startsWith("a") ? "from" : "until"} ${clock(model.timeMs(parseDuration(term.split(":")[1])))}` : wrong.includes(term) ? `${term} (not understood)` : term;
		return el("button.chip", { type: "button", title: "Remove", "aria-label": `Remove ${term}`, onclick: () => setQuery(terms.filter((_, i) => i !== k).map(quote).join(" ")) }, el("span", {}, text));
	}), terms.length > 1 ? el("button.chip.clear", { type: "button", onclick: () => setQuery("") }, el("span", {}, "clear all")) : null);
	byId("search").classList.toggle("wrong", wrong.length > 0);
}

/* --- overview --- */

function drawTiles(requests, sorted, errors) {
	let from = Infinity, to = -Infinity;
	for (const i of requests) {
		from = Math.min(from, model.start[i]);
		to = Math.max(to, model.start[i] + model.duration[i]);
	}
	const seconds = (to - from) / 1e9, rate = requests.length / seconds;
	const tile = (title, [value, unit], note, bad, term) => {
		const box = el(term ? "button.tile" : "div.tile", term ? { type: "button", title: "Show these", onclick: () => addTerm(term) } : {},
			el("i", {}, title), el("b", {}, value, unit ? el("small", {}, unit) : null), el("i", {}, note));
		box.classList.toggle("bad", Boolean(bad));
		return box;
	};
	const at = (share) => sorted.length ? durationParts(percentile(sorted, share)) : ["–"];
	replace(byId("tiles"),
		tile("Requests", [count(requests.length)], requests.length > 1 ? `${rate < 10 ? rate.toFixed(2) : count(Math.round(rate))} a second` : " "),
		tile("Errors", [count(errors)], percent(errors, requests.length), errors, errors ? "error" : null),
		tile("p50", at(0.5), "half are faster"), tile("p95", at(0.95), "19 of 20 are faster"), tile("p99", at(0.99), "99 of 100 are faster"),
		tile("Slowest", at(1), sorted.length ? "show them" : " ", false, sorted.length ? `>${exactDuration(Math.max(0, percentile(sorted, 1) - 1))}` : null));
}

function collectRoutes(requests) {
	const routes = new Map();
	for (const i of requests) {
		const key = `${model.service[i]} ${model.method[i]} ${model.route[i]}`;
		let route = routes.get(key);
		if (!route)
			routes.set(key, route = { service: model.service[i], method: model.texts[model.method[i]], route: model.texts[model.route[i]], list: [], errors: 0 });
		route.list.push(model.duration[i]);
		route.errors += model.status[i] === 2;
	}
	for (const route of routes.values()) {
		route.sorted = Float64Array.from(route.list).sort();
		route.requests = route.list.length;
		for (const [name, share] of [["p50", 0.5], ["p95", 0.95], ["p99", 0.99], ["max", 1]])
			route[name] = percentile(route.sorted, share);
	}
	return [...routes.values()];
}

const routeColumns = [["name", "Route"], ["service", "Service"], ["requests", "Requests"], ["errors", "Errors"], ["p50", "p50"], ["p95", "p95"], ["p99", "p99"], ["max", "max"]];

function drawRoutes() {
	const [column, direction] = state.routeOrder, value = (r) => column === "name" ? `${r.route} ${r.method}` : column === "service" ? model.services[r.service] : r[column];
	const rows = state.routes.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : b.requests - a.requests) * direction);
	const shown = state.allRoutes ? rows : rows.slice(0, 12), several = model.services.length > 1;
	const columns = routeColumns.filter(([name]) => name !== "service" || several);
	const sortBy = (name) => { state.routeOrder = [name, column === name ? -direction : name === "name" || name === "service" ? 1 : -1]; drawRoutes(); };
	const cell = (r, name) => {
		switch (name) {
		case "name": return el("td.name", { title: `${r.method} ${r.route}` }, r.method ? el("span.method", {}, r.method) : null, r.route);
		case "service": return el("td", {}, el("span.services", {}, colouredDot(r.service), model.services[r.service]));
		case "errors": return el("td.right", {}, el(r.errors ? "span.bad-text" : "span.zero", {}, r.errors ? `${count(r.errors)} (${percent(r.errors, r.requests)})` : "0"));
		case "requests": return el("td.right", {}, count(r.requests));
		default: return el("td.right", {}, duration(r[name]));
		}
	};
	replace(byId("routes"), el("thead", {}, el("tr", {}, columns.map(([name, title], k) =>
		el(k && name !== "service" ? "th.right" : "th", { "aria-sort": name === column ? direction < 0 ? "descending" : "ascending" : null }, el("button", { type: "button", onclick: () => sortBy(name) }, title))),
	el("th", { title: "64 µs to 2 s" }, "Latency"))),
	el("tbody", {}, shown.map((r) => el("tr", { tabindex: 0, onclick: () => chooseRoute(r), onkeydown: (e) => { if (e.key === "Enter") chooseRoute(r); } },
		columns.map(([name]) => cell(r, name)), el("td", {}, spark(r.sorted))))));
	replace(byId("routes-count"), count(rows.length));
	byId("routes-more").hidden = rows.length <= 12;
	replace(byId("routes-more"), state.allRoutes ? "Show fewer" : `Show all ${count(rows.length)}`);
}

function chooseRoute(r) {
	const terms = [quote(`route:${r.method ? `${r.method} ` : ""}${r.route}`)];
	if (model.services.length > 1)
		terms.push(quote(`service:${model.services[r.service]}`));
	swapTerms((t) => /^(route|service):/.test(t), terms);
}

/* Failed spans of any kind by what they say: the status, error.type, the message. */
function collectErrors(mask) {
	const errors = new Map();
	for (let i = 0; i < model.n; i++) {
		if (!mask[i] || model.status[i] !== 2)
			continue;
		const key = `${model.http[i]} ${model.error[i]} ${model.message[i]} ${model.service[i]} ${model.method[i]} ${model.route[i]}`;
		const error = errors.get(key);
		if (error) {
			error.n++;
			error.last = Math.max(error.last, model.start[i]);
		} else
			errors.set(key, { span: i, n: 1, last: model.start[i] });
	}
	return [...errors.values()].sort((a, b) => b.n - a.n || b.last - a.last);
}

function chooseError(i) {
	const route = model.texts[model.route[i]], method = model.texts[model.method[i]];
	swapTerms((t) => /^(route|service|status):|^error(\.type=.*)?$/.test(t), ["error", ...(route ? [quote(`route:${method ? `${method} ` : ""}${route}`)] : []),
		...(model.http[i] ? [`status:${model.http[i]}`] : []), ...(model.error[i] ? [quote(`error.type=${model.texts[model.error[i]]}`)] : []),
		...(model.services.length > 1 ? [quote(`service:${model.services[model.service[i]]}`)] : [])]);
}

function drawErrors(mask) {
	const errors = collectErrors(mask), several = model.services.length > 1;
	byId("errors-card").hidden = errors.length === 0;
	replace(byId("errors-count"), errors.length > 8 ? `the most frequent 8 of ${count(errors.length)} kinds` : count(errors.length));
	const row = ({ span: i, n, last }) => el("tr", { tabindex: 0, onclick: () => chooseError(i), onkeydown: (e) => { if (e.key === "Enter") chooseError(i); } },
		el("td", {}, statusBadge(model, i)), el("td.name", {}, [model.texts[model.error[i]], model.texts[model.message[i]]].filter(Boolean).join(": ") || el("span.zero", {}, "–")),
		el("td.name", { title: model.texts[model.route[i]] }, model.texts[model.method[i]] ? el("span.method", {}, model.texts[model.method[i]]) : null, model.kind[i] === 3 ? "→ " : null, model.texts[model.route[i]]),
		several ? el("td", {}, el("span.services", {}, colouredDot(model.service[i]), model.services[model.service[i]])) : null,
		el("td.right", {}, el("span.bad-text", {}, count(n))), el("td.right.muted", {}, clock(model.timeMs(last))));
	replace(byId("errors"), el("thead", {}, el("tr", {}, el("th", {}, "Status"), el("th", {}, "Error"), el("th", {}, "Route"), several ? el("th", {}, "Service") : null,
		el("th.right", {}, "Spans"), el("th.right", {}, "Last"))), el("tbody", {}, errors.slice(0, 8).map(row)));
}

/* --- the list of traces --- */

const orders = { time: "Time", slowest: "Slowest", errors: "Errors first", spans: "Most spans" };

function sortTraces() {
	const spans = (t) => model.traceFirst[t + 1] - model.traceFirst[t];
	const by = { time: (a, b) => a - b, slowest: (a, b) => model.traceDuration[b] - model.traceDuration[a],
		errors: (a, b) => model.traceFailed[b] - model.traceFailed[a] || a - b, spans: (a, b) => spans(b) - spans(a) || a - b };
	state.traces.sort(by[state.order]);
}

function traceRow(k) {
	const t = state.traces[k], i = model.traceFirst[t], end = model.traceFirst[t + 1], ms = model.timeMs(model.traceStart[t]);
	const services = [...new Set(model.service.subarray(i, end))], bar = el("div");
	const share = Math.log1p(model.traceDuration[t] / 1e4) / Math.log1p(state.slowest / 1e4);
	bar.style.width = `${100 * (Number.isFinite(share) ? share : 0)}%`;
	bar.classList.add(model.traceFailed[t] ? "bad" : model.http[i] >= 400 ? "warn" : "fine");
	const row = el("div.row", {}, el("span.time", { title: `${day(ms)} ${clock(ms)}` }, clock(ms)),
		el("span", { title: model.label(i) }, model.label(i)),
		el("span.services", {}, services.slice(0, 5).map(colouredDot), el("span.muted", {}, services.length === 1 ? model.services[services[0]] : plural(services.length, "service"))),
		el("span.right.muted", {}, end - i), statusBadge(model, i), el("span.right", {}, duration(model.traceDuration[t])), el("div.meter", {}, bar));
	row.classList.toggle("open", t === waterfall.trace);
	return row;
}

function openTrace(k) {
	const t = state.traces[k];
	const hit = state.query ? state.firstHit[t] : undefined;
	traceList.pick(k);
	waterfall.open(t, hit, (step) => k + step >= 0 && k + step < state.traces.length);
	traceList.refresh();
	saveAddress();
}

const stepTrace = (step) => { const k = state.traces.indexOf(waterfall.trace) + step; if (k >= 0 && k < state.traces.length) openTrace(k); };

function drawSort() {
	replace(byId("sort"), Object.entries(orders).map(([name, title]) => el("button", { type: "button", role: "radio", "aria-checked": String(name === state.order), onclick: () => {
		state.order = name;
		sortTraces();
		drawSort();
		traceList.box.scrollTop = 0;
		traceList.chosen = -1;
		traceList.refresh();
	} }, title)));
}

/* --- everything anew --- */

function update() {
	const { mask, wrong } = applyQuery(model, state.query);
	const requests = [], chosen = new Uint8Array(model.nTraces);
	let errors = 0;
	state.firstHit = new Int32Array(model.nTraces).fill(-1);
	for (let i = 0; i < model.n; i++) {
		if (!mask[i])
			continue;
		const t = model.traceOf[i];
		if (!chosen[t])
			state.firstHit[t] = i;
		chosen[t] = 1;
		if (model.isRequest[i]) {
			requests.push(i);
			errors += model.status[i] === 2;
		}
	}
	state.requests = requests;
	state.sorted = Float64Array.from(requests, (i) => model.duration[i]).sort();
	state.traces = [];
	state.slowest = 0;
	for (let t = 0; t < model.nTraces; t++) {
		if (chosen[t]) {
			state.traces.push(t);
			state.slowest = Math.max(state.slowest, model.traceDuration[t]);
		}
	}
	state.routes = collectRoutes(requests);
	sortTraces();
	drawChips(wrong);
	drawTiles(requests, state.sorted, errors);
	drawCharts();
	drawRoutes();
	drawErrors(mask);
	replace(byId("traces-count"), state.traces.length === model.nTraces ? count(model.nTraces) : `${count(state.traces.length)} of ${count(model.nTraces)}`);
	traceList.chosen = -1;
	traceList.box.scrollTop = 0;
	traceList.setCount(state.traces.length, model.nTraces ? "No trace fits the search." : "There are no traces in this file.");
	saveAddress();
}

function drawCharts() {
	drawRequests(model, state.requests, chooseTime);
	drawHeat(model, state.requests, chooseTime);
	drawLatency(model, state.requests, state.sorted, chooseLatency);
}

/* --- address, theme, keys --- */

function saveAddress() {
	const parts = new URLSearchParams();
	if (state.query)
		parts.set("q", state.query);
	if (waterfall.isOpen)
		parts.set("trace", model.traceId(waterfall.trace));
	const hash = parts.toString();
	history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
}

function readAddress() {
	const parts = new URLSearchParams(location.hash.slice(1)), trace = parts.get("trace");
	setQuery(parts.get("q") || "");
	const k = trace ? state.traces.indexOf(model.findTrace(trace)) : -1;
	if (k >= 0)
		openTrace(k);
}

function setTheme(dark) {
	document.documentElement.classList.toggle("dark", dark);
	if (model)
		drawCharts();
}

function showHelp() {
	const rows = (pairs) => el("div.keys", {}, pairs.map(([key, text]) => [el("code", {}, key), el("span", {}, text)]));
	replace(byId("help-dialog"), el("h2", {}, "Search"), el("p.muted", {}, "All terms must hold for one span; its whole trace is listed."),
		rows([["/users", "occurs in a name, path, service, attribute or id"], ["status:5xx  status:404  error", "by status"], [">100ms  <1s", "by duration of a span"],
			["route:/users/*  method:POST", "by route or path; * for any text"], ["service:nginx  kind:client", "by service or kind"], ["user_agent.original=curl*", "by an attribute"],
			["-status:200", "the contrary"], ["\"two words\"", "spaces"]]),
		el("h3", {}, "Keys"), rows([["/", "search"], ["↑ ↓", "move in a list"], ["Enter", "open the trace"], ["j  k", "next, previous trace"], ["← →", "fold and unfold spans"], ["Esc", "close, or clear the search"], ["t", "light or dark"], ["?", "this help"]]),
		el("h3", {}, "Charts"), el("p", {}, "Drag over a chart, or click a bar, to look closer."));
	byId("help-dialog").showModal();
}

function onKey(e) {
	const typing = e.target.matches("input");
	if (e.key === "Escape") {
		if (waterfall.isOpen)
			waterfall.close();
		else if (state.query && (!typing || !byId("search").value || e.target.id === "search"))
			setQuery("");
		if (typing)
			e.target.blur();
	} else if (typing || e.ctrlKey || e.metaKey || e.altKey || byId("help-dialog").open) {
		return;
	} else if (e.key === "/") {
		waterfall.close();
		byId("search").focus();
		byId("search").select();
		e.preventDefault();
	} else if (e.key === "t")
		byId("theme").click();
	else if (e.key === "?")
		showHelp();
	else if (waterfall.isOpen && (e.key === "j" || e.key === "k"))
		stepTrace(e.key === "j" ? 1 : -1);
	else if (e.key === "j" || e.key === "k" || (e.key.startsWith("Arrow") && e.target === document.body))
		byId("traces").focus({ preventScroll: false });
}

function wire() {
	let timer, resizeTimer;
	waterfall = new Waterfall(model, { step: stepTrace, closed: () => { traceList.refresh(); saveAddress(); byId("traces").focus({ preventScroll: true }); } });
	traceList = new VirtualList(byId("traces"), 34, traceRow, { head: byId("traces-head"), open: openTrace });
	byId("search").addEventListener("input", () => {
		clearTimeout(timer);
		timer = setTimeout(() => { state.query = byId("search").value; update(); }, 120);
	});
	byId("search").addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === "ArrowDown") { clearTimeout(timer); setQuery(byId("search").value); byId("traces").focus(); e.preventDefault(); } });
	byId("routes-more").onclick = () => { state.allRoutes = !state.allRoutes; drawRoutes(); };
	byId("theme").onclick = () => setTheme(!document.documentElement.classList.contains("dark"));
	byId("help").onclick = showHelp;
	byId("help-dialog").addEventListener("click", (e) => { if (e.target === e.currentTarget) e.currentTarget.close(); });
	document.addEventListener("keydown", onKey);
	addEventListener("hashchange", readAddress);
	addEventListener("resize", () => { clearTimeout(resizeTimer); resizeTimer = setTimeout(drawCharts, 150); });
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (e) => setTheme(e.matches));
	drawSort();
}

function drawSubtitle() {
	const from = model.timeMs(model.nTraces ? model.traceStart[0] : 0);
	let end = 0;
	for (let t = 0; t < model.nTraces; t++)
		end = Math.max(end, model.traceStart[t] + model.traceDuration[t]);
	const spanOfTime = model.nTraces ? `${day(from)} ${clock(from, 0)} to ${clock(model.timeMs(end), 0)}` : "";
	replace(byId("subtitle"), [plural(model.nTraces, "trace"), plural(model.n, "span"), spanOfTime].filter(Boolean).join("  ·  "));
	replace(byId("footer"), `Made by btracectl report on ${day(model.madeMs)} at ${clock(model.madeMs, 0)}`);
}

async function start() {
	setTheme(matchMedia("(prefers-color-scheme: dark)").matches);
	try {
		model = new Model(await readData());
		byId("main").hidden = false;
		wire();
		drawSubtitle();
		readAddress();
		byId("notice").remove();
		document.documentElement.dataset.ready = String(Math.round(performance.now()));
	} catch (error) {
		byId("notice").classList.add("error");
		replace(byId("notice"), `The traces cannot be shown: ${error.message}`);
		throw error;
	}
}

start();
