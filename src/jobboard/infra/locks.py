"""The numbers of our advisory locks in a database: one for each purpose, never one for two.

Those of a person's own things (tasks, uploads, saved searches) are hashes of words with their id.
"""

MIGRATING = 4_839_201_766  # alone: whoever changes the schema
FILING = 4_839_201_767  # alone: a trigger of synonyms (5e90d7b3c218); shared: who files a search
COPYING = 4_839_201_768  # alone: a backup; shared: who deletes files
COUNTING = 4_839_201_769  # alone: who counts terms (jobs/vocabulary.py, c9d47a02be15)
FILLING = 7_305_512_209  # alone: whoever fills a table, or makes its indexes
