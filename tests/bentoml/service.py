# SPDX-License-Identifier: Apache-2.0
"""A BentoML service as its documentation has them: two endpoints, and a second service that runs in a process of its
own, which the first one asks over HTTP on a UNIX socket."""
from __future__ import annotations

import bentoml


@bentoml.service(workers=1)
class Scorer:
    @bentoml.api
    def score(self, words: list[str]) -> list[int]:
        return [len(word) for word in words]


@bentoml.service(workers=2)
class Summarizer:
    scorer = bentoml.depends(Scorer)

    @bentoml.api
    async def summarize(self, text: str) -> str:
        words = text.split()
        scores = await self.scorer.to_async.score(words=words)
        return max(zip(scores, words))[1] if words else ""

    @bentoml.api
    def shout(self, text: str) -> str:
        return text.upper()
