/*
 * The search line: terms that must all hold for one span; its trace is then shown. A term is a text that
 * occurs somewhere in the span, or
 *	status:5xx  status:404  error  >100ms  <1s  service:nginx  route:/users/*  method:POST  kind:client
 *	after:1.5s  before:2s  key=value  and -term for the contrary. Quotes keep spaces together.
 */
const units = { ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];

function parseDuration(text) {
	const match = /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)$/.exec(text);
	return match ? Number(match[1]) * units[match[2]] : NaN;
}

/* In the form that parseDuration() reads, to the nanosecond. */
const exactDuration = (ns) => {
	for (const unit of ["s", "ms", "us"])
		if (ns >= units[unit])
			return `${Number((ns / units[unit]).toFixed(unit === "s" ? 9 : unit === "ms" ? 6 : 3))}${unit}`;
	return `${Math.round(ns)}ns`;
};

const quote = (text) => /[\s"]/.test(text) || text === "" ? `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : text;

function splitQuery(query) {
	const terms = [];
	let term = "", quoted = false, any = false;
	for (let i = 0; i < query.length; i++) {
		const c = query[i];
		if (quoted && c === "\\" && i + 1 < query.length)
			term += query[++i];
		else if (c === '"')
			(quoted = !quoted), (any = true);
		else if (/\s/.test(c) && !quoted) {
			if (any)
				terms.push(term);
			(term = ""), (any = false);
		} else
			(term += c), (any = true);
	}
	if (any)
		terms.push(term);
	return terms;
}

/* `*` for any text; without one the pattern may occur anywhere if `inside`. */
function textMatcher(pattern, inside) {
	const lower = pattern.toLowerCase();
	if (!lower.includes("*"))
		return inside ? (text) => text.includes(lower) : (text) => text === lower;
	const pieces = lower.split("*").map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
	const regular = new RegExp(`^${pieces.join("[^]*")}$`);
	return (text) => regular.test(text);
}

/* One byte a text: whether it matches; so each text is looked at once, not once a span. */
const hits = (texts, matches) => Uint8Array.from(texts, (text) => matches(text) ? 1 : 0);

function statusTest(model, list) {
	const tests = list.split(",").map((part) => {
		if (part === "error")
			return (i) => model.status[i] === 2;
		if (/^\dxx$/i.test(part))
			return (i) => Math.floor(model.http[i] / 100) === Number(part[0]);
		return part === "none" ? (i) => model.http[i] === 0 : /^\d{3}$/.test(part) ? (i) => model.http[i] === Number(part) : null;
	});
	return tests.includes(null) ? null : (i) => tests.some((test) => test(i));
}

function routeTest(model, pattern) {
	const matches = textMatcher(pattern, false), known = new Map();
	const [, method, rest] = /^([A-Z]+) (.*)$/.exec(pattern) || [];
	if (method) {
		const routes = hits(model.lowerTexts, textMatcher(rest, false));
		return (i) => model.texts[model.method[i]] === method && routes[model.route[i]] === 1;
	}
	const test = (text) => { if (!known.has(text)) known.set(text, matches(model.lowerTexts[text])); return known.get(text); };
	return (i) => test(model.route[i]) || test(model.path[i]);
}

function attributeTest(model, key, value) {
	const keys = hits(model.lowerTexts, textMatcher(key, false)), values = hits(model.lowerValues, textMatcher(value, false));
	const sets = model.sets.map((set) => set.map((k, place) => keys[k] ? place : -1).filter((place) => place >= 0));
	const resources = Uint8Array.from(model.resources, (row) =>
		model.sets[row[1]].some((k, place) => keys[k] && values[row[2 + place]]) ? 1 : 0);
	return (i) => resources[model.resource[i]] === 1 || sets[model.set[i]].some((place) => values[model.flat[model.valueFirst[i] + place]]);
}

function anywhereTest(model, text) {
	const matches = textMatcher(text, true), texts = hits(model.lowerTexts, matches), values = hits(model.lowerValues, matches);
	const services = hits(model.services.map((name) => name.toLowerCase()), matches);
	const ids = /^[0-9a-f]{6,32}$/i.test(text) ? text.toLowerCase() : null;
	return (i) => {
		if (texts[model.name[i]] || texts[model.route[i]] || texts[model.path[i]] || texts[model.message[i]] || services[model.service[i]])
			return true;
		for (let k = model.valueFirst[i]; k < model.valueFirst[i + 1]; k++)
			if (values[model.flat[k]])
				return true;
		return ids !== null && (model.traceId(model.traceOf[i]).startsWith(ids) || model.spanId(i).startsWith(ids));
	};
}

/* The test of one term, or null if it means nothing. */
function termTest(model, term) {
	const compare = /^([<>])=?(\d.*)$/.exec(term), named = /^(status|service|route|method|kind|after|before|trace):(.+)$/.exec(term);
	const attribute = /^([^=\s]+)=(.*)$/.exec(term);
	if (compare) {
		const limit = parseDuration(compare[2]);
		return Number.isNaN(limit) ? null : compare[1] === ">" ? (i) => model.duration[i] > limit : (i) => model.duration[i] < limit;
	}
	if (term === "error")
		return (i) => model.status[i] === 2;
	if (named) {
		const [, name, value] = named, time = parseDuration(value);
		switch (name) {
		case "status": return statusTest(model, value);
		case "route": return routeTest(model, value);
		case "method": return (i) => model.texts[model.method[i]].toLowerCase() === value.toLowerCase();
		case "kind": return (i) => kinds[model.kind[i]] === value;
		case "trace": return (i) => model.traceId(model.traceOf[i]).startsWith(value);
		case "after": return Number.isNaN(time) ? null : (i) => model.start[i] >= time;
		case "before": return Number.isNaN(time) ? null : (i) => model.start[i] < time;
		default: { const services = hits(model.services.map((s) => s.toLowerCase()), textMatcher(value, false)); return (i) => services[model.service[i]] === 1; }
		}
	}
	return attribute ? attributeTest(model, attribute[1], attribute[2]) : anywhereTest(model, term);
}

/* {mask: one byte a span, wrong: terms that mean nothing} */
function applyQuery(model, query) {
	const mask = new Uint8Array(model.n).fill(1), wrong = [];
	for (const term of splitQuery(query)) {
		const negated = term.startsWith("-") && term.length > 1;
		const test = termTest(model, negated ? term.slice(1) : term);
		if (!test) {
			wrong.push(term);
			continue;
		}
		for (let i = 0; i < model.n; i++)
			if (mask[i] && Boolean(test(i)) === negated)
				mask[i] = 0;
	}
	return { mask, wrong };
}
