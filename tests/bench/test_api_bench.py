"""dala bench api measures what it says, and its report can be read."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from rich.console import Console

from bench import api, asking
from embedded.children import ChildError


class _Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[str] = []  # noqa: RUF012 - of all connections

    def do_GET(self) -> None:
        self.seen.append(self.path)
        body = b"nothing" if self.path == "/wrong" else b"x" * 100_000
        self.send_response(404 if self.path == "/wrong" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_whole_answers_are_counted_and_paths_go_round(port: int) -> None:
    _Answers.seen.clear()
    found = asking.ask(port, ["/a", "/b", "/c"], token="t", seconds=0.2, connections=2)

    assert 0 < found.requests <= len(_Answers.seen) <= found.requests + 2
    assert found.bytes > 100_000
    counts = [_Answers.seen.count(path) for path in ("/a", "/b", "/c")]
    assert max(counts) - min(counts) <= 1


def test_a_wrong_answer_ends_the_measurement(port: int) -> None:
    with pytest.raises(ChildError, match="/wrong was answered"):
        asking.ask(port, ["/wrong"], token="t", seconds=5)


@pytest.mark.slow
def test_a_small_run_says_all_that_the_table_shows(capsys: pytest.CaptureFixture[str]) -> None:
    report = api.run(farm_count=1, rows=60_000, seconds=0.2, rounds=1)

    Console(width=120).print(api.as_table(report))
    shown = capsys.readouterr().out
    assert report["export"]["rows"] == 60_000
    assert report["summary"]["ratio"] > 0
    assert report["export"]["server_mb_most"] >= 30
    for words in ("farm summary", "CSV over HTTP", "Memory of the server"):
        assert words in shown
