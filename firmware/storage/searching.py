"""Sessions and log events as lists: found, paged, deleted. Inside one transaction of `SqliteLedger.transact`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from app.control.verbs import ListLog, ListSessions
from firmware.storage.records import Db, rows
from firmware.storage.schema import timestamp


def bounds_of(day: str, zone: tzinfo) -> tuple[str, str] | None:
    """First instant of a day (YYYY-MM-DD) in `zone`, and of the next, as the tables hold them; None: no such day."""
    try:
        begin = datetime.fromisoformat(day).replace(tzinfo=zone)
    except ValueError:
        return None
    return timestamp(begin.astimezone(UTC)), timestamp((begin + timedelta(days=1)).astimezone(UTC))


def find_sessions(db: Db, ask: ListSessions, day: tuple[str, str] | None) -> list[dict[str, Any]]:
    """The rows asked for with their number of `messages`, newest first, and one more if there are more."""
    begin, end = day or ("", "9")
    return rows(
        db,
        "SELECT *, (SELECT count(*) FROM messages WHERE session_id = sessions.id) AS messages FROM sessions"
        " WHERE (?1 = '' OR agent = ?1) AND (?2 = '' OR direction = ?2)"
        " AND (?3 = '' OR outcome LIKE ?3 OR conclusion LIKE ?3)"
        " AND started_at >= ?4 AND started_at < ?5 AND (?6 IS NULL OR (started_at, id)"
        " < (coalesce((SELECT started_at FROM sessions WHERE id = ?6), ?10), ?6)) AND (?7 = ''"
        " OR remote LIKE ?8 ESCAPE '\\' OR results LIKE ?8 ESCAPE '\\'"
        " OR EXISTS (SELECT 1 FROM messages WHERE session_id = sessions.id AND text LIKE ?8 ESCAPE '\\'))"
        " ORDER BY started_at DESC, id DESC LIMIT ?9",
        ask.agent,
        ask.direction,
        f"{ask.outcome}%" if ask.outcome else "",
        begin,
        end,
        ask.before,
        ask.text,
        f"%{literal(ask.text)}%",
        ask.limit + 1,
        _start_in(ask.before or ""),
    )


def _start_in(session_id: str) -> str:
    """When a session began that was deleted meanwhile, by its id; empty if that tells nothing."""
    try:
        return timestamp(datetime.strptime(session_id.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC))
    except ValueError:
        return ""


def calls_by_hour(db: Db, begin: datetime, hours: int) -> list[int]:
    """How many calls began in each of the `hours` from `begin` on."""
    counts = [0] * hours
    for row in rows(db, "SELECT started_at FROM sessions WHERE started_at >= ?", timestamp(begin)):
        number = int((datetime.fromisoformat(row["started_at"]) - begin) / timedelta(hours=1))
        counts[min(number, hours - 1)] += 1
    return counts


def delete_session(db: Db, session_id: str) -> None:
    """With its transcript, and what the call was asked for with."""
    for table in ("messages", "turns", "notes", "calls"):
        db.execute(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))  # noqa: S608  # our own names
    db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))


def sessions_before(db: Db, instant: datetime) -> list[str]:
    """Ids of the sessions that ended before this."""
    found = rows(db, "SELECT id FROM sessions WHERE outcome IS NOT NULL AND started_at < ?", timestamp(instant))
    return [row["id"] for row in found]


def date_anew(db: Db, earliest: datetime, now: datetime) -> None:
    """Calls that a wrong clock dated before `earliest`, or after tomorrow, are as if they had ended now: else they
    would go at once, or never."""
    wrong = rows(
        db,
        "SELECT id, started_at, connected_at, ended_at, ring_ms, talk_ms FROM sessions WHERE outcome IS NOT NULL"
        " AND (started_at < ? OR started_at > ?)",
        timestamp(earliest),
        timestamp(now + timedelta(days=1)),
    )
    for row in wrong:
        ring, talk = (timedelta(milliseconds=row[name] or 0) for name in ("ring_ms", "talk_ms"))
        db.execute(
            "UPDATE sessions SET started_at = ?, connected_at = ?, ended_at = ? WHERE id = ?",
            (
                timestamp(now - talk - ring),
                timestamp(now - talk) if row["connected_at"] else None,
                timestamp(now) if row["ended_at"] else None,
                row["id"],
            ),
        )


def trim_log(db: Db, keep: int) -> None:
    db.execute("DELETE FROM log_events WHERE id <= (SELECT max(id) FROM log_events) - ?", (keep,))


def find_log(db: Db, ask: ListLog, level: int) -> list[dict[str, Any]]:
    """Entries of at least `level`, newest first, and one more if there are more."""
    return rows(
        db,
        "SELECT * FROM log_events WHERE (?1 = '' OR agent_id = ?1) AND level >= ?2 AND (?3 IS NULL OR id < ?3)"
        " AND (?4 = '' OR text LIKE ?5 ESCAPE '\\' OR fields LIKE ?5 ESCAPE '\\') ORDER BY id DESC LIMIT ?6",
        ask.agent_id,
        level,
        ask.before,
        ask.text,
        f"%{literal(ask.text)}%",
        ask.limit + 1,
    )


def history_of(db: Db, agent: str, since: datetime) -> dict[str, Any]:
    """`was_called`: the agent once had an inbound call; `ended_in_silence`, `silence_at`: since then, by the silence
    rule, None if none did."""
    [found] = rows(
        db,
        "SELECT EXISTS (SELECT 1 FROM sessions WHERE agent = ?1 AND direction = 'inbound') AS was_called,"
        " count(*) AS ended_in_silence, max(ended_at) AS silence_at FROM sessions"
        " WHERE agent = ?1 AND started_at >= ?2 AND conclusion = 'silence'",
        agent,
        timestamp(since),
    )
    return found


def engine_warnings(db: Db, agent_id: str, since: datetime) -> list[dict[str, Any]]:
    """What the log has of an agent's engines, one row for each that complained: `source`, `times`, `last_at`, and the
    `fields` of the last. Of the log's newest entries only: an hour has no more, or has other trouble."""
    return rows(
        db,
        "SELECT source, count(*) AS times, max(at) AS last_at, fields FROM log_events"
        " WHERE id > (SELECT max(id) FROM log_events) - 2000 AND agent_id = ?1 AND level >= ?2 AND at >= ?3"
        " AND (source LIKE 'models.stt.%' OR source LIKE 'models.tts.%'"
        " OR source IN ('app.brains.language_model', 'firmware.speech_servers.ears', 'firmware.speech_servers.voice',"
        " 'firmware.packs.program'))"
        " GROUP BY CASE WHEN source LIKE 'firmware.%' THEN source ELSE substr(source, 1, 10) END",
        agent_id,
        logging.WARNING,
        timestamp(since),
    )


def last_log(db: Db, limit: int) -> list[dict[str, Any]]:
    """The newest entries, oldest first."""
    return rows(db, "SELECT * FROM (SELECT * FROM log_events ORDER BY id DESC LIMIT ?) ORDER BY id", limit)


def literal(text: str) -> str:
    """For LIKE, whose % and _ are wild cards."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
