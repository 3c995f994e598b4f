// SPDX-License-Identifier: Apache-2.0
// Loaded before app.js by --require: OpenTelemetry's HTTP instrumentation, each span as one JSON line in $SPANS_FILE.
const fs = require('fs');
const { SpanKind, SpanStatusCode } = require('@opentelemetry/api');
const { NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');

const exporter = {
	export(spans, done) {
		for (const span of spans) {
			const context = span.spanContext();
			fs.appendFileSync(process.env.SPANS_FILE, JSON.stringify({
				name: span.name,
				kind: SpanKind[span.kind],
				trace_id: context.traceId,
				parent_span_id: span.parentSpanContext ? span.parentSpanContext.spanId : '',
				status: SpanStatusCode[span.status.code],
				attributes: span.attributes,
			}) + '\n');
		}
		done({ code: 0 });
	},
	shutdown: async () => {},
};

new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
registerInstrumentations({
	instrumentations: [new HttpInstrumentation({
		headersToSpanAttributes: { server: { requestHeaders: ['x-tag'], responseHeaders: ['x-answer'] } },
	})],
});
