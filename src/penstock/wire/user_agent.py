"""The User-Agent header of the AWS SDKs, as far as it says which application calls."""

import re

_APPLICATION = re.compile(r"(?:^| )app/([^ ]+)")


def application_id(agent: str) -> str | None:
    """Return the application id that an SDK was given, or None where there is none.

    boto3's `Config(user_agent_appid=…)`, the variable AWS_SDK_UA_APP_ID and their like in the other
    SDKs put it as `app/<id>` among the words of the header (botocore 1.43, 2026-10).
    """
    found = _APPLICATION.search(agent)
    return None if found is None else found[1]
