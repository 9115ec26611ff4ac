"""Fixtures of the codecs' tests."""

import json

import pytest
from typer.testing import CliRunner

from dala import app
from tests.ingest.codecs.sample_cases import ARRIVED, MAPPINGS
from tests.ingest.codecs.sparkplug_farm import Farm
from tests.ingest.codecs.vehicle import Service


@pytest.fixture
def dala_decode(tmp_path):
    """The lines of `dala decode` on a topic and a file."""
    mappings = tmp_path / "mappings.toml"
    mappings.write_text(MAPPINGS)

    def run(topic, file, *options):
        said = [one.replace("{mappings}", str(mappings)) for one in options]
        arguments = ["decode", topic, str(file), "--received-at", ARRIVED, *said]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return run


@pytest.fixture
def farm():
    return Farm()


@pytest.fixture
def service():
    return Service()
