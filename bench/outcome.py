"""What a run came to: the values of each round, why others are missing, medians and ratios."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """Values by server and quantity, round after round, and reasons for what is not there."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    reasons: dict[str, dict[str, str]] = field(default_factory=dict)
    """Why a server lacks a quantity."""
    absent: dict[str, str] = field(default_factory=dict)
    """Why a server is not there at all."""
    failures: list[str] = field(default_factory=list)
    """What went wrong that should not have."""

    def add(self, server: str, quantity: str, value: float) -> None:
        """Note the value of one round."""
        self.values.setdefault(server, {}).setdefault(quantity, []).append(value)

    def lack(self, server: str, quantity: str, reason: str) -> None:
        """Note why a quantity is missing; what was measured of it before does not count."""
        self.values.get(server, {}).pop(quantity, None)
        self.reasons.setdefault(server, {})[quantity] = reason

    def median(self, server: str, quantity: str) -> float | None:
        """Return the median over the rounds, None where there is no value."""
        rounds = self.values.get(server, {}).get(quantity)
        return statistics.median(rounds) if rounds else None

    def why(self, server: str, quantity: str) -> str:
        """Return why there is no value."""
        if server in self.absent:
            return self.absent[server]
        return self.reasons.get(server, {}).get(quantity, "not part of this run")

    def lacks(self) -> dict[str, list[tuple[str, str]]]:
        """Return, by reason, which server that is there lacks which quantity."""
        found: dict[str, list[tuple[str, str]]] = {}
        for server, reasons in self.reasons.items():
            for quantity, reason in reasons.items():
                if server in self.values:
                    found.setdefault(reason, []).append((server, quantity))
        return found

    def ratio(self, top: tuple[str, str], bottom: tuple[str, str]) -> float | None:
        """Return the ratio of two medians, None where one of them is missing."""
        above, below = self.median(*top), self.median(*bottom)
        if above is None or below is None or below == 0:
            return None
        return above / below
