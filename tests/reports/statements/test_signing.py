"""Signatures hold over reports of any size."""

import pytest

from reports.statements.signing import BadSignature, SigningKey, public_key, verify


def test_a_report_of_a_country_is_signed_and_checked() -> None:
    """240 farms in 20 regions are 300 kB and more of JSON; the library takes 128 kB by default."""
    key = SigningKey.make()
    report = b"[" + b"1234567890," * 100_000 + b"0]"
    signature = key.sign(report)

    verify(signature, report, public_key(key.public))
    with pytest.raises(BadSignature):
        verify(signature, report[:-2] + b"1]", public_key(key.public))
