"""`ingest.serving.serve` as a process: servers from the environment, the rest as JSON."""

import json
import os
import sys

from ingest.connection import BrokerRefused
from ingest.serving import serve
from ingest.settings import BrokerAddress, Worker
from storage.database import make_engine

options = json.loads(sys.argv[1])
if "worker" in options:
    options["worker"] = Worker.parse(options["worker"])
engine = make_engine(os.environ["DALA_DATABASE_URL"])
try:
    serve(engine, BrokerAddress.parse(os.environ["DALA_MQTT_URL"]), **options)
except BrokerRefused as error:
    sys.exit(f"dala: {error}")
