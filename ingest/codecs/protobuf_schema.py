"""Protobuf messages described in code: the few fields we read, and no generated modules.

The wire knows numbers and types only, so a schema need not be complete: fields that it leaves
out are skipped. Text is declared as bytes where senders may get its encoding wrong, since the
two are one on the wire.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from ingest.messages import PayloadError

_Proto = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _Proto.TYPE_BOOL,
    "bytes": _Proto.TYPE_BYTES,
    "double": _Proto.TYPE_DOUBLE,
    "float": _Proto.TYPE_FLOAT,
    "int32": _Proto.TYPE_INT32,
    "int64": _Proto.TYPE_INT64,
    "sint64": _Proto.TYPE_SINT64,
    "string": _Proto.TYPE_STRING,
    "uint32": _Proto.TYPE_UINT32,
    "uint64": _Proto.TYPE_UINT64,
}


class Field(NamedTuple):
    """One field of a message: its number and its type."""

    number: int
    type: str  # a scalar of protobuf, or a message of the same schema
    repeated: bool = False


def build(name: str, syntax: str, schema: Mapping[str, Mapping[str, Field]]) -> dict[str, Any]:
    """Message classes of a schema, in a pool of their own.

    Parameters
    ----------
    name : str
        Package of the messages.
    syntax : {"proto2", "proto3"}
        In proto2 every field knows whether it was sent.
    schema : mapping
        Fields of each message, by their names.
    """
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package=name, syntax=syntax)
    for message_name, fields in schema.items():
        message = file.message_type.add(name=message_name)
        for field_name, field in fields.items():
            added = message.field.add(name=field_name, number=field.number)
            added.label = _Proto.LABEL_REPEATED if field.repeated else _Proto.LABEL_OPTIONAL
            if field.type in _SCALARS:
                added.type = _SCALARS[field.type]
            else:
                added.type, added.type_name = _Proto.TYPE_MESSAGE, f".{name}.{field.type}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{name}.{message}"))
        for message in schema
    }


def parse(kind: Any, payload: bytes) -> Any:
    """Read bytes as one message of a class.

    Raises
    ------
    PayloadError
        If they are none.
    """
    try:
        return kind.FromString(payload)
    except DecodeError as error:
        raise PayloadError("not-protobuf", f"the payload is not valid protobuf: {error}") from error
