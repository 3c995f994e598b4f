/*
 * The data of the page: columns with one number a span, in order of traces and depth first within each.
 * report_data.c writes what unpack() reads.
 */
async function readData() {
	const text = byId("data").textContent.trim();
	if (typeof DecompressionStream === "undefined")
		throw new Error("This browser cannot read the page; any from 2023 on can.");
	const binary = atob(text);
	const bytes = new Uint8Array(binary.length);
	for (let i = 0; i < binary.length; i++)
		bytes[i] = binary.charCodeAt(i);
	byId("data").remove();
	return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

/* A value as text; integers beyond what a double holds come as {"i": "..."}. */
function valueText(value) {
	if (Array.isArray(value))
		return `[${value.map((v) => typeof v === "string" ? JSON.stringify(v) : valueText(v)).join(", ")}]`;
	return value !== null && typeof value === "object" ? value.i : String(value);
}

class Model {
	constructor(data) {
		const s = data.spans;
		this.title = data.title;
		this.madeMs = data.made_ms;
		this.texts = data.texts;
		this.values = data.values;
		this.sets = data.sets;
		this.resources = data.resources;
		this.scopes = data.scopes;
		const base = BigInt(data.base_ns);
		this.baseMs = Number(base / 1000000n);
		this.baseRest = Number(base % 1000000n);
		this.nTraces = data.traces.spans.length;
		this.n = s.duration.length;
		this.traceIds = data.traces.id;
		this.spanIds = s.id;
		this.remote = s.remote;
		this.events = s.events;
		this.links = s.links;
		this.flat = Uint32Array.from(s.values);
		for (const name of ["name", "message", "http", "method", "route", "path", "error", "resource", "scope", "set"])
			this[name] = Uint32Array.from(s[name]);
		this.kind = Uint8Array.from(s.kind);
		this.status = Uint8Array.from(s.status);
		this.parent = Int32Array.from(s.parent);
		this.duration = Float64Array.from(s.duration);
		this.offset = Float64Array.from(s.start);
		this.traceStart = Float64Array.from(data.traces.start);
		this.lowerTexts = this.texts.map((text) => text.toLowerCase());
		this.lowerValues = this.values.map((value) => valueText(value).toLowerCase());
		this.index(data.traces.spans);
	}

	index(counts) {
		const { n, nTraces } = this;
		this.traceFirst = new Uint32Array(nTraces + 1);
		this.traceOf = new Uint32Array(n);
		this.traceDuration = new Float64Array(nTraces);
		this.traceFailed = new Uint8Array(nTraces);
		this.start = new Float64Array(n); // ns from the base
		this.valueFirst = new Uint32Array(n + 1);
		this.service = new Uint32Array(n);
		this.isRequest = new Uint8Array(n);
		const services = new Map(), requests = this.kind.some((kind) => kind === 2 || kind === 5);
		for (let t = 0, i = 0; t < nTraces; t++) {
			this.traceFirst[t] = i;
			for (let k = 0; k < counts[t]; k++, i++) {
				this.traceOf[i] = t;
				this.start[i] = this.traceStart[t] + this.offset[i];
				this.traceDuration[t] = Math.max(this.traceDuration[t], this.offset[i] + this.duration[i]);
				this.traceFailed[t] |= this.status[i] === 2;
				this.valueFirst[i + 1] = this.valueFirst[i] + this.sets[this.set[i]].length;
				this.isRequest[i] = requests ? this.kind[i] === 2 || this.kind[i] === 5 : this.parent[i] < 0;
				const name = this.resources[this.resource[i]][0];
				if (!services.has(name))
					services.set(name, services.size);
				this.service[i] = services.get(name);
			}
		}
		this.traceFirst[nTraces] = n;
		this.services = [...services.keys()].map((name) => this.texts[name] || "unknown_service");
	}

	traceId(t) { return this.traceIds.slice(32 * t, 32 * t + 32); }
	spanId(i) { return this.spanIds.slice(16 * i, 16 * i + 16); }
	parentId(i) {
		return this.parent[i] >= 0 ? this.spanId(this.traceFirst[this.traceOf[i]] + this.parent[i]) : this.remote[i] || "";
	}
	findTrace(id) {
		for (let t = 0; t < this.nTraces; t++)
			if (this.traceIds.startsWith(id, 32 * t))
				return t;
		return -1;
	}
	timeMs(ns) { return this.baseMs + (this.baseRest + ns) / 1e6; }

	/* What a person calls the span: method and path, or its name. */
	label(i) {
		const method = this.texts[this.method[i]], path = this.texts[this.path[i]], name = this.texts[this.name[i]];
		const first = name.split(" ", 1)[0];
		if (method && path && (!name || first === method || first === "HTTP"))
			return `${method} ${path}`;
		return name || "(no name)";
	}

	pairs(set, values) { return this.sets[set].map((key, k) => [this.texts[key], this.values[values[k]]]); }
	attributes(i) { return this.pairs(this.set[i], this.flat.subarray(this.valueFirst[i], this.valueFirst[i + 1])); }
	/* Rows of the file with attributes behind `head` numbers: [a, b, set, value...] */
	rowPairs(row, head) { return this.pairs(row[head], row.slice(head + 1)); }
}
