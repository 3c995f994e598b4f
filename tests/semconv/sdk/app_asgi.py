# SPDX-License-Identifier: Apache-2.0
"""The application of tests/e2e/test_semconv.py for ASGI; app.js answers the same. With SPANS_FILE it is wrapped in
OpenTelemetry's middleware, and each span is one JSON line in that file."""
import json
import os

ROUTES = {
    "/users/42": (200, b"user 42\n"),
    "/moved": (302, b""),
    "/fail": (500, b"failed\n"),
    "/unavailable": (503, b""),
}


async def plain(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    status, text = (200, body) if scope["path"] == "/echo" else ROUTES.get(scope["path"], (404, b"no\n"))
    headers = [(b"content-length", b"%d" % len(text)), (b"x-answer", b"yes")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})


def traced(application, path):
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

    class Lines(SpanExporter):
        def export(self, spans):
            with open(path, "a") as out:
                for s in spans:
                    out.write(json.dumps({
                        "name": s.name, "kind": s.kind.name, "trace_id": "%032x" % s.context.trace_id,
                        "parent_span_id": "%016x" % s.parent.span_id if s.parent else "",
                        "status": s.status.status_code.name, "attributes": dict(s.attributes),
                    }) + "\n")
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Lines()))
    return OpenTelemetryMiddleware(application, tracer_provider=provider,
                                   http_capture_headers_server_request=["x-tag"],
                                   http_capture_headers_server_response=["x-answer"])


app = traced(plain, os.environ["SPANS_FILE"]) if os.environ.get("SPANS_FILE") else plain
