"""The actions of Lambda that this release does not have: they are refused by their names.

Names, methods and paths: botocore's model, 2026-11. A test compares them with it.
"""

from penstock.operations.rest import Route

_MODEL = """
AddLayerVersionPermission POST 2018-10-31 layers/{}/versions/{}/policy
CheckpointDurableExecution POST 2025-12-01 durable-executions/{}/checkpoint
CreateCapacityProvider POST 2025-11-30 capacity-providers
CreateCodeSigningConfig POST 2020-04-22 code-signing-configs
CreateFunctionUrlConfig POST 2021-10-31 functions/{}/url
DeleteCapacityProvider DELETE 2025-11-30 capacity-providers/{}
DeleteCodeSigningConfig DELETE 2020-04-22 code-signing-configs/{}
DeleteDurableExecution DELETE 2025-12-01 durable-executions/{}
DeleteFunctionCodeSigningConfig DELETE 2020-06-30 functions/{}/code-signing-config
DeleteFunctionUrlConfig DELETE 2021-10-31 functions/{}/url
DeleteLayerVersion DELETE 2018-10-31 layers/{}/versions/{}
DeleteProvisionedConcurrencyConfig DELETE 2019-09-30 functions/{}/provisioned-concurrency
DeleteResourcePolicy DELETE 2026-07-09 resource-policy/{}
GetCapacityProvider GET 2025-11-30 capacity-providers/{}
GetCodeSigningConfig GET 2020-04-22 code-signing-configs/{}
GetDurableExecution GET 2025-12-01 durable-executions/{}
GetDurableExecutionHistory GET 2025-12-01 durable-executions/{}/history
GetDurableExecutionState GET 2025-12-01 durable-executions/{}/state
GetFunctionRecursionConfig GET 2024-08-31 functions/{}/recursion-config
GetFunctionScalingConfig GET 2025-11-30 functions/{}/function-scaling-config
GetFunctionUrlConfig GET 2021-10-31 functions/{}/url
GetLayerVersion GET 2018-10-31 layers/{}/versions/{}
GetLayerVersionByArn GET 2018-10-31 layers
GetLayerVersionPolicy GET 2018-10-31 layers/{}/versions/{}/policy
GetProvisionedConcurrencyConfig GET 2019-09-30 functions/{}/provisioned-concurrency
GetResourcePolicy GET 2026-07-09 resource-policy/{}
GetRuntimeManagementConfig GET 2021-07-20 functions/{}/runtime-management-config
InvokeAsync POST 2014-11-13 functions/{}/invoke-async
InvokeWithResponseStream POST 2021-11-15 functions/{}/response-streaming-invocations
ListCapacityProviders GET 2025-11-30 capacity-providers
ListCodeSigningConfigs GET 2020-04-22 code-signing-configs
ListDurableExecutionsByFunction GET 2025-12-01 functions/{}/durable-executions
ListFunctionUrlConfigs GET 2021-10-31 functions/{}/urls
ListFunctionVersionsByCapacityProvider GET 2025-11-30 capacity-providers/{}/function-versions
ListFunctionsByCodeSigningConfig GET 2020-04-22 code-signing-configs/{}/functions
ListLayerVersions GET 2018-10-31 layers/{}/versions
ListLayers GET 2018-10-31 layers
ListProvisionedConcurrencyConfigs GET 2019-09-30 functions/{}/provisioned-concurrency
PauseDurableExecution POST 2025-12-01 durable-executions/{}/pause
PublishLayerVersion POST 2018-10-31 layers/{}/versions
PutFunctionCodeSigningConfig PUT 2020-06-30 functions/{}/code-signing-config
PutFunctionRecursionConfig PUT 2024-08-31 functions/{}/recursion-config
PutFunctionScalingConfig PUT 2025-11-30 functions/{}/function-scaling-config
PutProvisionedConcurrencyConfig PUT 2019-09-30 functions/{}/provisioned-concurrency
PutResourcePolicy PUT 2026-07-09 resource-policy/{}
PutRuntimeManagementConfig PUT 2021-07-20 functions/{}/runtime-management-config
RemoveLayerVersionPermission DELETE 2018-10-31 layers/{}/versions/{}/policy/{}
ResumeDurableExecution POST 2025-12-01 durable-executions/{}/resume
SendDurableExecutionCallbackFailure POST 2025-12-01 durable-execution-callbacks/{}/fail
SendDurableExecutionCallbackHeartbeat POST 2025-12-01 durable-execution-callbacks/{}/heartbeat
SendDurableExecutionCallbackSuccess POST 2025-12-01 durable-execution-callbacks/{}/succeed
StopDurableExecution POST 2025-12-01 durable-executions/{}/stop
UpdateCapacityProvider PUT 2025-11-30 capacity-providers/{}
UpdateCodeSigningConfig PUT 2020-04-22 code-signing-configs/{}
UpdateFunctionUrlConfig PUT 2021-10-31 functions/{}/url
"""


def _routes() -> dict[str, Route]:
    routes: dict[tuple[str, str], list[str]] = {}
    for line in _MODEL.strip().splitlines():
        name, method, date, path = line.split()
        routes.setdefault((method, f"/{date}/{path}"), []).append(name)
    return {" or ".join(names): Route(method, path) for (method, path), names in routes.items()}


ABSENT = _routes()
"""Where each of them would be found, by its name, or by the names of two with one path."""
