# SPDX-License-Identifier: Apache-2.0
"""Headers that the config asks for, in both directions."""
from harness import clean_environment, exporters, free_port, listening, wait_for
from test_core_life import HOST


def test_captured_headers_of_both_directions_reach_the_span(t):
    session = t.session(capture={"request_headers": ["X-Order", "Accept"], "response_headers": ["content-length"]})
    port = free_port()
    p = t.spawn([HOST, str(port)], 
                env=dict(clean_environment(**session.environment), LD_PRELOAD=t.library))
    wait_for("the server", lambda: listening(port))
    connection = t.connect(("127.0.0.1", port))
    wait_for("keeper and worker", lambda: len(exporters()) == 2)  # then the policy is in force
    connection.request("GET", "/captured", headers=[("x-oRdEr", "17"), ("Accept", "text/plain"), ("X-Other", "no")])
    connection.close()
    p.terminate()
    p.wait()
    spans, _ = session.finish()
    found = [s for s in spans if s.target == "/captured"][0].attributes
    assert found["http.request.header.x-order"] == ["17"] and found["http.request.header.accept"] == ["text/plain"], found
    assert found["http.response.header.content-length"] == ["2"], found
    assert not any("x-other" in key for key in found), found
