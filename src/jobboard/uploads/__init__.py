"""Files that people hand in: résumés and logos, checked, counted and kept in storage."""
