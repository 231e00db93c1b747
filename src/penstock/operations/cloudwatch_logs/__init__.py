"""CloudWatch Logs: one file per action, as far as the logs of functions need it."""

TARGET = "Logs_20140328."
