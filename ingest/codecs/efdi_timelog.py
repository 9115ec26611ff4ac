"""The time log of EFDI (ISO 5231) in protobuf, as far as it is read.

Enumerations travel as whole numbers, and the time stamp of protobuf is a message of two numbers.
"""

from ingest.codecs.protobuf_schema import Field, build

_MESSAGES = build(
    "efdi",
    "proto3",
    {
        "Timestamp": {"seconds": Field(1, "int64"), "nanos": Field(2, "int32")},
        "UID": {"number": Field(1, "sint64"), "uri": Field(2, "bytes")},
        "DataLogValue": {
            "process_data_ddi": Field(1, "uint32"),
            "process_data_value": Field(2, "sint64"),
            "device_element_id_ref": Field(3, "UID"),
        },
        "Position": {
            "position_north": Field(1, "double"),
            "position_east": Field(2, "double"),
            "position_up": Field(3, "sint64"),
            "position_status": Field(4, "int32"),
            "gps_utc_timestamp": Field(8, "Timestamp"),
        },
        "Time": {
            "start": Field(1, "Timestamp"),
            "stop": Field(2, "Timestamp"),
            "type": Field(4, "int32"),
            "position_start": Field(5, "Position"),
            "data_log_value": Field(7, "DataLogValue", repeated=True),
        },
        "TimeLog": {
            "filename": Field(2, "bytes"),
            "time": Field(4, "Time", repeated=True),
        },
    },
)
TimeLog = _MESSAGES["TimeLog"]
