"""A believable job market to try the board on: invented companies, people, jobs, applications.

    logins = await board.fill(session, storage, settings, jobs=120, seed=1)

The same seed makes the same ads, in the same order, however many are asked for. Beyond some
hundred, `mill` and `bulk` write them by the million. For development only: the log-ins share a
password that everyone can read.
"""
