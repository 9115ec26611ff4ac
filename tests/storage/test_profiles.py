"""The profiles that are offered are those that bytes are read by."""

import pytest

from ingest.codecs.lorawan import MODELS, model_of
from storage import profiles
from storage.profiles import UnknownProfile


def test_every_profile_has_its_codec_and_no_codec_is_without_its_profile() -> None:
    assert set(MODELS) == profiles.NAMES
    assert {name for name, one in MODELS.items() if one.pulses} == profiles.COUNTS_PULSES


@pytest.mark.parametrize(
    "profile", ["milesight-em500-smtc", "Milesight EM500-SMTC", "milesight-uc511;pulse_l=10.5"]
)
def test_what_is_taken_can_be_read_by(profile: str) -> None:
    profiles.check(profile)

    assert model_of(profile) is not None


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("em500", "Is it milesight-em500-pp or milesight-em500-smtc? There are decentlab"),
        ("dragino-lse1", "Is it dragino-lse01?"),
        ("", "There are decentlab-dl-atm41"),
        ("milesight-uc511;pulse_l=0", "is nothing that milesight-uc511 can be told"),
        ("milesight-uc511;pulse=10", "milesight-uc511;pulse_l=10"),
        ("dragino-lse01;pulse_l=10", "a pulse meter (milesight-uc511) is told litres"),
    ],
)
def test_what_cannot_be_read_by_is_refused_with_what_is_near(profile: str, words: str) -> None:
    with pytest.raises(UnknownProfile) as refused:
        profiles.check(profile)

    assert words in str(refused.value)
