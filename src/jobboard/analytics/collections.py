"""What this area keeps in MongoDB."""

from jobboard.analytics import events, rollups, searches

# In an order in which a copy, taken one after the other while hits come in, loses no count. Of a
# hit that is in the copy, either the mark is in it, too, or was taken away before: then its count
# was stored before that, and is read after it. What was counted until when is read first of all.
IN_ORDER = (
    rollups.STATE,
    rollups.HITS,
    events.COLLECTION,
    rollups.MARKS,
    *(level.collection for level in rollups.LEVELS),
    searches.BY_DAY,
)
