"""The function of an event source mapping: how it is named, and that it is there.

It is looked for in a view before the mapping is stored: a function may go at any time, as on AWS,
and its mapping stays. Of a function that lives elsewhere nothing is known but its name, and whether
it can have versions: one at a plain URL has none.
"""

from penstock.base.errors import event_source_mappings as errors
from penstock.functions.catalog import find
from penstock.functions.function import LATEST
from penstock.functions.names import FunctionName, function_arn, parse_function_name
from penstock.functions.remote_function import HttpFunction
from penstock.operations.operation import Context
from penstock.storage.waist import Reader


def named_function(context: Context, text: str) -> str:
    """Return the ARN of the function that `text` names, with its version or alias if it has one.

    InvalidParameterValueException for one of another region or account, and for no name.
    """
    return _arn(context, _parsed(context, text))


def mapped_function(context: Context, reader: Reader, text: str) -> str:
    """Return that ARN; InvalidParameterValueException where there is no such function."""
    named = _parsed(context, text)
    elsewhere = context.services.remote_functions.get(named.name)
    if elsewhere is None and find(reader, context.region, named.name, named.qualifier) is None:
        raise errors.function_missing()
    if isinstance(elsewhere, HttpFunction) and named.qualifier not in (None, LATEST):
        raise errors.no_versions(named.name)
    return _arn(context, named)


def _parsed(context: Context, text: str) -> FunctionName:
    named = parse_function_name(text)
    if (
        named is None
        or named.region not in (None, context.region)
        or named.account not in (None, context.tables.account)
    ):
        raise errors.function_missing()
    return named


def _arn(context: Context, named: FunctionName) -> str:
    return function_arn(context.region, context.tables.account, named.name, named.qualifier)
