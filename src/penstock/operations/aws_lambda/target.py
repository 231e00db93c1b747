"""Which function a request is about, and how it is found."""

from typing import Any, NamedTuple

from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.catalog import Found
from penstock.functions.function import LATEST, Function
from penstock.functions.names import function_arn, parse_function_name
from penstock.operations.operation import Context
from penstock.storage.waist import Reader


class Target(NamedTuple):
    """A function of this account in the region that the request was signed for."""

    region: str
    account: str
    name: str
    qualifier: str | None

    @property
    def arn(self) -> str:
        """Return the ARN, with the qualifier where there is one."""
        return function_arn(self.region, self.account, self.name, self.qualifier)

    @property
    def is_latest(self) -> bool:
        """Say whether it is the function as it is now."""
        return self.qualifier in (None, LATEST)

    def found(self, reader: Reader) -> Found:
        """Return what it stands for; ResourceNotFoundException where there is nothing."""
        found = catalog.find(reader, self.region, self.name, self.qualifier)
        if found is None:
            raise self.missing()
        return found

    def function(self, reader: Reader) -> Function:
        """Return the function itself; ResourceNotFoundException where it is not there."""
        function = catalog.find_function(reader, self.region, self.name)
        if function is None:
            raise self._replace(qualifier=None).missing()
        return function

    def missing(self) -> Exception:
        """Return the error that says that it is not there."""
        return aws_lambda.resource_not_found(f"Function not found: {self.arn}")


def target_of(context: Context, request: dict[str, Any], *, qualified: bool = True) -> Target:
    """Return the function that FunctionName and Qualifier of a request mean.

    1. The name is one. 2. It is of this account and region. 3. Name and Qualifier agree. 4. Where
    it is not to be `qualified`, there is no version or alias.
    """
    text = request["FunctionName"]
    parsed = parse_function_name(text)
    account = context.tables.account
    if parsed is None:  # 1: its pattern was checked, so what is left is its length
        raise aws_lambda.name_too_long(text)
    if parsed.region not in (None, context.region):  # 2
        raise aws_lambda.not_reachable(parsed.region or "", context.region)
    if parsed.account not in (None, account):
        raise aws_lambda.resource_not_found(f"Function not found: {text}")
    qualifier = request.get("Qualifier")
    if qualifier is not None and parsed.qualifier not in (None, qualifier):  # 3
        raise aws_lambda.invalid_parameter(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    target = Target(context.region, account, parsed.name, qualifier or parsed.qualifier)
    if not qualified and not target.is_latest:  # 4
        raise aws_lambda.invalid_parameter(
            "This operation is permitted on Lambda functions only. Aliases and versions do not "
            "support this operation. Please specify either a function name or an unqualified "
            "function ARN."
        )
    return target


def check_revision(given: str | None, current: str) -> None:
    """Raise PreconditionFailedException where a request was made of another revision."""
    if given is not None and given != current:
        raise aws_lambda.revision_mismatch()
