"""`make faults FAULTS=200 SEED=7`: a run as long as one likes."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.harness import Failed, Run
from tests.faults.servers import mosquitto_program


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="as a failing run printed it")
    chosen = parser.parse_args()
    if mosquitto_program() is None:
        sys.stderr.write("Mosquitto is missing. As root: apt-get install mosquitto\n")
        return 1
    seed = int(time.time()) if chosen.seed is None else chosen.seed
    with tempfile.TemporaryDirectory(prefix="dala-faults-") as folder:
        try:
            report = Run(Path(folder), seed, chosen.faults, _say).run()
        except Failed as failed:
            _say(str(failed))
            return 1
    for line in report.lines():
        _say(line)
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
