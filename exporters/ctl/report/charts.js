/*
 * The three charts. Each is drawn anew from the spans that pass the search; dragging over one, or a click on
 * one of its bars, narrows the search by calling choose().
 */
const chartArea = { left: 46, right: 8, top: 8, bottom: 22 };

function niceStep(rough) {
	const power = 10 ** Math.floor(Math.log10(rough));
	return [1, 2, 5, 10].map((f) => f * power).find((step) => step >= rough * 0.999);
}

/* Steps in ns that divide minutes and hours as clocks do. */
function niceTimeStep(rough) {
	const steps = [60e9, 120e9, 300e9, 600e9, 900e9, 1800e9, 3600e9, 7200e9, 21600e9, 43200e9, 86400e9];
	return rough <= 30e9 ? (rough > 20e9 ? 30e9 : rough > 10e9 ? 15e9 : niceStep(rough)) : steps.find((step) => step >= rough) || niceStep(rough / 86400e9) * 86400e9;
}

class Chart {
	constructor(id) {
		this.box = byId(id);
		this.width = this.box.clientWidth || 400;
		this.height = this.box.clientHeight || 200;
		this.w = this.width - chartArea.left - chartArea.right;
		this.h = this.height - chartArea.top - chartArea.bottom;
		this.svg = svg("svg", { viewBox: `0 0 ${this.width} ${this.height}`, role: "img" });
		replace(this.box, this.svg);
	}

	x(share) { return chartArea.left + share * this.w; }
	y(share) { return chartArea.top + (1 - share) * this.h; }

	gridLine(share, label) {
		const y = Math.round(this.y(share)) + 0.5;
		this.svg.append(svg("line.grid", { x1: chartArea.left, x2: this.width - chartArea.right, y1: y, y2: y }),
			svg("text", { x: chartArea.left - 6, y: y + 3.5, "text-anchor": "end" }, label));
	}

	tick(share, label) {
		const anchor = share < 0.04 ? "start" : share > 0.94 ? "end" : "middle";
		this.svg.append(svg("text", { x: this.x(share), y: this.height - 6, "text-anchor": anchor }, label));
	}

	countGrid(most) {
		const step = Math.max(1, niceStep(Math.max(most, 1) / 3)), top = Math.ceil(Math.max(most, 1) / step) * step;
		for (let n = 0; n <= top; n += step)
			this.gridLine(n / top, n >= 10000 ? `${n / 1000}k` : String(n));
		return top;
	}

	timeTicks(from, to, model) {
		const step = niceTimeStep((to - from) / Math.max(2, Math.floor(this.w / 110)));
		const digits = step < 1e6 ? 3 : step < 1e9 ? 3 : 0;
		const offset = (model.timeMs(from) * 1e6) % step;
		for (let t = from - offset + (offset > 0 ? step : 0), last = -1; t <= to; t += step) {
			const share = (t - from) / (to - from);
			if (share - last > 70 / this.w)
				this.tick((last = share), clock(model.timeMs(t), digits));
		}
	}

	durationTicks(low, high) {
		for (let exponent = Math.ceil(low - 1e-9), every = Math.ceil((high - low) * 60 / this.w); exponent <= high + 1e-9; exponent += every)
			this.tick((exponent - low) / (high - low), duration(10 ** exponent).replace(/\.0+ /, " "));
	}

	empty(text) { this.svg.append(svg("text", { x: this.width / 2, y: this.height / 2, "text-anchor": "middle" }, text)); }

	/* Hovering and dragging: describe(share) gives lines for the tooltip; chosen(from, to) what was dragged over. */
	interact(describe, chosen, snap = (from, to) => [from, to]) {
		const hover = svg("rect.hover", { y: chartArea.top, height: this.h, width: 0, x: 0 });
		const brush = svg("rect.brush", { y: chartArea.top, height: this.h, width: 0, x: 0 });
		this.svg.append(hover, brush);
		let from = null;
		const shareOf = (e) => {
			const r = this.box.getBoundingClientRect();
			return Math.min(1, Math.max(0, (e.clientX - r.left - chartArea.left) / this.w));
		};
		const place = (rect, a, b) => { rect.setAttribute("x", this.x(a)); rect.setAttribute("width", Math.max(0, (b - a) * this.w)); };
		this.box.onpointerdown = (e) => {
			if (e.button !== 0)
				return;
			from = shareOf(e);
			this.box.setPointerCapture(e.pointerId);
			e.preventDefault();
		};
		this.box.onpointermove = (e) => {
			const at = shareOf(e);
			place(hover, ...snap(at, at));
			if (from !== null)
				place(brush, ...snap(Math.min(from, at), Math.max(from, at)));
			const y = (e.clientY - this.box.getBoundingClientRect().top - chartArea.top) / this.h;
			tooltip.show(e.clientX, e.clientY, ...describe(at, Math.min(1, Math.max(0, 1 - y))));
		};
		this.box.onpointerup = (e) => {
			const at = shareOf(e), begin = from;
			from = null;
			place(brush, 0, 0);
			tooltip.hide();
			if (begin !== null)
				chosen(...snap(Math.min(begin, at), Math.max(begin, at)));
		};
		this.box.onpointerleave = () => { place(hover, 0, 0); if (from === null) tooltip.hide(); };
	}
}

/* Columns of time: {from, step, n}, with round borders on the clock. */
function timeBuckets(model, requests, width) {
	let from = Infinity, to = -Infinity;
	for (const i of requests) {
		from = Math.min(from, model.start[i]);
		to = Math.max(to, model.start[i]);
	}
	const step = Math.max(1e3, niceTimeStep(Math.max(to - from, 1e3) / Math.max(20, width / 7)));
	from -= (model.timeMs(from) * 1e6) % step;
	return { from, step, n: Math.max(1, Math.floor((to - from) / step) + 1) };
}

function drawRequests(model, requests, choose) {
	const chart = new Chart("chart-requests");
	replace(byId("chart-requests-unit"));
	if (!requests.length)
		return chart.empty("no requests");
	const b = timeBuckets(model, requests, chart.w), ok = new Uint32Array(b.n), warn = new Uint32Array(b.n), bad = new Uint32Array(b.n);
	for (const i of requests) {
		const k = Math.floor((model.start[i] - b.from) / b.step);
		(model.status[i] === 2 || model.http[i] >= 500 ? bad : model.http[i] >= 400 ? warn : ok)[k]++;
	}
	let most = 0;
	for (let k = 0; k < b.n; k++)
		most = Math.max(most, ok[k] + warn[k] + bad[k]);
	const top = chart.countGrid(most), gap = chart.w / b.n > 4 ? 1 : 0;
	for (let k = 0; k < b.n; k++) {
		let below = 0;
		for (const [counts, name] of [[ok, "rect.bar-ok"], [warn, "rect.bar-warn"], [bad, "rect.bar-bad"]]) {
			if (!counts[k])
				continue;
			const height = Math.max(1, counts[k] / top * chart.h);
			chart.svg.append(svg(name, { x: chart.x(k / b.n), y: chart.y(below / top) - height, width: Math.max(1, chart.w / b.n - gap), height }));
			below += counts[k];
		}
	}
	chart.timeTicks(b.from, b.from + b.n * b.step, model);
	replace(byId("chart-requests-unit"), `per ${b.step === 60e9 ? "minute" : b.step === 1e9 ? "second" : b.step === 3600e9 ? "hour" :
		b.step % 60e9 === 0 ? `${b.step / 60e9} minutes` : duration(b.step).replace(/\.0+ /, " ")}`);
	const bucket = (share) => Math.min(b.n - 1, Math.floor(share * b.n));
	chart.interact((share) => {
		const k = bucket(share);
		return [clock(model.timeMs(b.from + k * b.step)), plural(ok[k] + warn[k] + bad[k], "request"),
			bad[k] ? plural(bad[k], "error") : null, warn[k] ? `${count(warn[k])} with 4xx` : null].filter(Boolean);
	}, (from, to) => choose({ after: b.from + Math.round(from * b.n) * b.step, before: b.from + Math.round(to * b.n) * b.step }),
	(from, to) => [bucket(from) / b.n, (bucket(to) + 1) / b.n]);
}

/* Powers of ten around the durations, at least one decade. */
function durationRange(model, requests) {
	let low = Infinity, high = 1;
	for (const i of requests) {
		low = Math.min(low, Math.max(1, model.duration[i]));
		high = Math.max(high, model.duration[i]);
	}
	const from = Math.floor(Math.log10(low) * 2) / 2, to = Math.ceil(Math.log10(high * 1.0001) * 2) / 2;
	return to - from < 1 ? [from - 0.5, Math.max(to, from + 1)] : [from, to];
}

function drawHeat(model, requests, choose) {
	const chart = new Chart("chart-heat");
	if (!requests.length)
		return chart.empty("no requests");
	const b = timeBuckets(model, requests, chart.w), [low, high] = durationRange(model, requests);
	const rows = Math.min(36, Math.round((high - low) * 8)), cells = new Uint32Array(b.n * rows), failed = new Uint32Array(b.n * rows);
	let most = 1;
	for (const i of requests) {
		const row = Math.min(rows - 1, Math.max(0, Math.floor((Math.log10(Math.max(1, model.duration[i])) - low) / (high - low) * rows)));
		const cell = row * b.n + Math.floor((model.start[i] - b.from) / b.step);
		most = Math.max(most, ++cells[cell]);
		failed[cell] += model.status[i] === 2;
	}
	const canvas = el("canvas"), ratio = devicePixelRatio || 1, pen = canvas.getContext("2d");
	[canvas.width, canvas.height] = [chart.width * ratio, chart.height * ratio];
	chart.box.prepend(canvas);
	pen.scale(ratio, ratio);
	const style = getComputedStyle(document.documentElement), heat = style.getPropertyValue("--heat"), bad = style.getPropertyValue("--bad");
	const w = chart.w / b.n, h = chart.h / rows;
	for (let cell = 0; cell < cells.length; cell++) {
		if (!cells[cell])
			continue;
		const alpha = 0.14 + 0.86 * Math.log1p(cells[cell]) / Math.log1p(most);
		const x = chart.x(cell % b.n / b.n), y = chart.y((Math.floor(cell / b.n) + 1) / rows);
		pen.fillStyle = failed[cell] * 2 >= cells[cell] ? bad : `rgba(${heat}, ${alpha})`;
		pen.fillRect(x, y, Math.max(1, w - 0.5), Math.max(1, h - 0.5));
	}
	for (let exponent = Math.ceil(low); exponent <= high; exponent++)
		chart.gridLine((exponent - low) / (high - low), duration(10 ** exponent).replace(/\.0+ /, " "));
	chart.timeTicks(b.from, b.from + b.n * b.step, model);
	const column = (share) => Math.min(b.n - 1, Math.floor(share * b.n));
	const level = (row) => 10 ** (low + row / rows * (high - low));
	chart.interact((share, height) => {
		const k = column(share), row = Math.min(rows - 1, Math.floor(height * rows)), cell = row * b.n + k;
		return [clock(model.timeMs(b.from + k * b.step)), `${duration(level(row))} to ${duration(level(row + 1))}`, plural(cells[cell], "request"),
			failed[cell] ? plural(failed[cell], "error") : null].filter(Boolean);
	}, (from, to) => choose({ after: b.from + Math.round(from * b.n) * b.step, before: b.from + Math.round(to * b.n) * b.step }),
	(from, to) => [column(from) / b.n, (column(to) + 1) / b.n]);
}

function drawLatency(model, requests, sorted, choose) {
	const chart = new Chart("chart-latency");
	if (!requests.length)
		return chart.empty("no requests");
	const [low, high] = durationRange(model, requests), n = Math.max(12, Math.round((high - low) * 12));
	const all = new Uint32Array(n), failed = new Uint32Array(n);
	const share = (ns) => (Math.log10(Math.max(1, ns)) - low) / (high - low);
	for (const i of requests) {
		const k = Math.min(n - 1, Math.max(0, Math.floor(share(model.duration[i]) * n)));
		all[k]++;
		failed[k] += model.status[i] === 2;
	}
	const top = chart.countGrid(all.reduce((a, b) => Math.max(a, b)));
	for (let k = 0; k < n; k++) {
		for (const [counts, name] of [[all, "rect.bar-ok"], [failed, "rect.bar-bad"]]) {
			const height = Math.max(1, counts[k] / top * chart.h);
			if (counts[k])
				chart.svg.append(svg(name, { x: chart.x(k / n), y: chart.y(0) - height, width: Math.max(1, chart.w / n - 1), height }));
		}
	}
	let lastX = -Infinity, line = 0;
	for (const [name, part] of [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]]) {
		const x = chart.x(Math.min(1, share(percentile(sorted, part)))), end = x > chart.width - 40;
		line = x - lastX < 30 ? line + 1 : 0;
		lastX = x;
		chart.svg.append(svg("line.mark", { x1: x, x2: x, y1: chartArea.top, y2: chart.y(0) }),
			svg("text.mark-text", { x: end ? x - 3 : x + 3, y: chartArea.top + 9 + 12 * line, "text-anchor": end ? "end" : "start" }, name));
	}
	chart.durationTicks(low, high);
	const bucket = (at) => Math.min(n - 1, Math.floor(at * n)), level = (k) => 10 ** (low + k / n * (high - low));
	chart.interact((at) => {
		const k = bucket(at);
		return [`${duration(level(k))} to ${duration(level(k + 1))}`, `${plural(all[k], "request")}, ${percent(all[k], requests.length)}`,
			failed[k] ? plural(failed[k], "error") : null].filter(Boolean);
	}, (from, to) => choose({ over: level(Math.round(from * n)), under: level(Math.round(to * n)) }),
	(from, to) => [bucket(from) / n, (bucket(to) + 1) / n]);
}

/* The little histogram of a route: powers of two from 64 us to 2 s, as btracectl view has it. */
function spark(durations) {
	const n = 16, counts = new Uint32Array(n), picture = svg("svg.spark", { viewBox: "0 0 132 20", "aria-hidden": "true" });
	for (const ns of durations)
		counts[Math.min(n - 1, Math.max(0, Math.floor(Math.log2(ns / 64000) + 1)))]++;
	const most = Math.max(...counts);
	picture.append(svg("line.grid", { x1: 0, x2: 132, y1: 19.5, y2: 19.5 }));
	counts.forEach((c, k) => c && picture.append(svg("rect.bar-ok", { x: k * 8.25, width: 7.25, y: 19 - Math.max(1.5, 18 * c / most), height: Math.max(1.5, 18 * c / most) })));
	return picture;
}
