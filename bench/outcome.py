"""What a run came to: the values of each round, why others are missing, medians and ratios."""

import statistics
from dataclasses import dataclass, field

from bench.trouble import public

NOT_ASKED_FOR = "not part of this run"


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
    asides: list[str] = field(default_factory=list)
    """What is known of both besides, for the terminal alone: it may name paths."""
    is_in_memory: bool = False
    """Whether what waits for the disk has none to wait for."""

    def add(self, server: str, quantity: str, value: float) -> None:
        """Note the value of one round."""
        self.values.setdefault(server, {}).setdefault(quantity, []).append(value)

    def lack(self, server: str, quantity: str, reason: str) -> None:
        """Note why a quantity is missing; what was measured of it before does not count."""
        self.values.get(server, {}).pop(quantity, None)
        self.reasons.setdefault(server, {})[quantity] = public(reason)

    def leave_out(self, server: str, reason: str) -> None:
        """Note why a server is not there at all."""
        self.absent[server] = public(reason)

    def fail(self, title: str, text: str) -> None:
        """Note what went wrong with what is called `title`."""
        self.failures.append(f"{title}, {public(text)}")

    def median(self, server: str, quantity: str) -> float | None:
        """Return the median over the rounds, None where there is no value."""
        rounds = self.values.get(server, {}).get(quantity)
        return statistics.median(rounds) if rounds else None

    def why(self, server: str, quantity: str) -> str:
        """Return why there is no value."""
        reason = self.reasons.get(server, {}).get(quantity)
        return reason or self.absent.get(server, NOT_ASKED_FOR)

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

    def round_ratios(self, top: tuple[str, str], bottom: tuple[str, str]) -> list[float]:
        """Return the ratio of each round that both have; none where there is no ratio."""
        above = self.values.get(top[0], {}).get(top[1], [])
        below = self.values.get(bottom[0], {}).get(bottom[1], [])
        if 0 in below:
            return []
        return [one / other for one, other in zip(above, below, strict=False)]
