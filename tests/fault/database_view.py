"""What PostgreSQL itself says of a node: its sessions, and the locks that they hold."""

from dataclasses import dataclass

from postgres.server import PostgresServer

# A row of penstock_lock that a transaction has taken carries its number.
_HOLDERS = """
    SELECT a.pid, a.backend_xid::text, count(*)::int
    FROM pg_stat_activity a JOIN {schema}.penstock_lock l ON l.xmax::text = a.backend_xid::text
    WHERE a.application_name = %s AND a.state = 'idle in transaction'
    GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """A session between two statements of its transaction, and how many locks it holds."""

    process_id: int
    transaction: str
    locks: int


class DatabaseView:
    """The sessions of one schema's nodes."""

    def __init__(self, server: PostgresServer, schema: str) -> None:
        self._server = server
        self._schema = schema

    def holders(self, node: str) -> list[Holder]:
        """Return the sessions of a node that hold locks and wait for what the node says next."""
        rows = self._server.sql(_HOLDERS.replace("{schema}", self._schema), node)
        return [Holder(*row) for row in rows]

    def is_there(self, holder: Holder) -> bool:
        """Say whether a session has not ended."""
        count = "SELECT count(*)::int FROM pg_stat_activity WHERE pid = %s"
        return self._server.sql(count, holder.process_id) != [(0,)]

    def outcome(self, holder: Holder) -> str:
        """Return what became of a session's transaction."""
        rows = self._server.sql("SELECT pg_xact_status(%s::xid8)", holder.transaction)
        return str(rows[0][0])
