"""What FastAPI and uvicorn take to answer nothing: the limit of any route beside them."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI


def make() -> FastAPI:
    """An application with one route that does nothing, on a thread as ours are."""
    app = FastAPI()

    @app.get("/empty")
    def answer_nothing() -> dict[str, str]:
        return {}

    return app


if __name__ == "__main__":
    uvicorn.run(
        make(),
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        server_header=False,
    )
