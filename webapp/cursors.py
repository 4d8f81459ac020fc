"""Cursors of lists that are ordered by time, newest first."""

import base64
import binascii
import json
from datetime import datetime

from webapp.problems import Problem


def write_cursor(created_at: datetime, item_id: str) -> str:
    """Return the cursor that leads to what comes after this item."""
    text = json.dumps([created_at.isoformat(), item_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Return time and id of the item that the cursor stands for. Raises Problem bad-request."""
    try:
        moment, item_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        created_at = datetime.fromisoformat(moment)
        if created_at.tzinfo is None or not isinstance(item_id, str):
            raise ValueError
    except (ValueError, TypeError, binascii.Error) as error:
        raise Problem(
            "validation-failed", "The cursor is not one that an earlier page gave.", field="cursor"
        ) from error
    return created_at, item_id
