"use strict";
/*
 * Elements are made here and nowhere else. Text becomes text nodes, never markup: names in spans are
 * written by whoever sends requests.
 */
const byId = (id) => document.getElementById(id);

/* Characters that cannot be seen, or that reorder what stands around them, by their names; as btracectl view has it. */
const unseen = /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]/g;
const harmless = (text) => text.replace(unseen, (c) => c === "\x1b" ? "\\e" : c < "\x80" ? `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}` : `\\u{${c.charCodeAt(0).toString(16)}}`);

function append(parent, children) {
	for (const child of children.flat(Infinity))
		if (child !== null && child !== undefined && child !== false)
			parent.append(child.nodeType ? child : harmless(String(child)));
	return parent;
}

/* el("p.muted", {title: "x", onclick: f}, "text", otherElement) */
function el(name, props = {}, ...children) {
	const [tag, ...classes] = name.split(".");
	const element = document.createElement(tag);
	if (classes.length)
		element.className = classes.join(" ");
	for (const [key, value] of Object.entries(props)) {
		if (key.startsWith("on"))
			element.addEventListener(key.slice(2), value);
		else if (value !== null && value !== undefined && value !== false)
			element.setAttribute(key, value === true ? "" : harmless(String(value)));
	}
	return append(element, children);
}

function svg(name, attributes = {}, ...children) {
	const [tag, ...classes] = name.split(".");
	const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
	if (classes.length)
		element.setAttribute("class", classes.join(" "));
	for (const [key, value] of Object.entries(attributes))
		element.setAttribute(key, value);
	return append(element, children);
}

const replace = (element, ...children) => append((element.replaceChildren(), element), children);

/* --- numbers as people read them: three digits, as btracectl view has them --- */

function durationParts(ns) {
	if (ns < 1000)
		return [String(Math.round(ns)), "ns"];
	for (const [limit, unit, name] of [[999500, 1e3, "µs"], [999500000, 1e6, "ms"], [119.5e9, 1e9, "s"]]) {
		const value = ns / unit;
		if (ns < limit)
			return [value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0), name];
	}
	const seconds = Math.round(ns / 1e9);
	return seconds < 7200 ? [`${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")}`, "s"] :
		[`${Math.floor(seconds / 3600)} h ${String(Math.floor(seconds / 60) % 60).padStart(2, "0")}`, "m"];
}

const duration = (ns) => durationParts(ns).join(" ");
const count = (n) => n.toLocaleString("en-US");
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

function percent(part, whole) {
	const share = whole ? 100 * part / whole : 0;
	return share === 0 ? "0 %" : share < 0.01 ? "< 0.01 %" : `${share < 1 ? share.toFixed(2) : share < 10 ? share.toFixed(1) : share.toFixed(0)} %`;
}

const two = (n) => String(n).padStart(2, "0");

function clock(ms, digits = 3) {
	const d = new Date(ms);
	const base = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
	return digits ? `${base}.${String(d.getMilliseconds()).padStart(3, "0").slice(0, digits)}` : base;
}

const day = (ms) => { const d = new Date(ms); return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`; };

/* Sorted Float64Array: the smallest value that the share does not exceed. */
const percentile = (sorted, share) => sorted.length ? sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] : 0;

/* --- a tooltip --- */

const tooltip = {
	show(x, y, ...lines) {
		const box = replace(byId("tooltip"), lines.map((line, i) => el(i ? "div" : "b", {}, line)));
		box.hidden = false;
		box.style.left = `${Math.min(x + 14, innerWidth - box.offsetWidth - 8)}px`;
		box.style.top = `${Math.max(8, y - box.offsetHeight - 12)}px`;
	},
	hide() { byId("tooltip").hidden = true; },
};

/* The service colours: hues far apart, readable on light and dark. */
const palette = ["#4c7df2", "#1fa37a", "#e08a1e", "#a05be0", "#d6569b", "#1d9bb8", "#8a9a2b", "#c46a4a", "#6573c9", "#5b8f6f"];
const serviceColour = (number) => palette[number % palette.length];
