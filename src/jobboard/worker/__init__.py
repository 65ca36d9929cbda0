"""The door for what happens by itself: empties the outbox and follows the schedule."""
