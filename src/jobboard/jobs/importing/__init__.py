"""Jobs from elsewhere: applicant tracking systems' public answers and files of ads.

One file per kind reads what a source says into `ImportedJob`s, in pure functions; `service`
writes them. What a person should see and cannot be used is `Rejected`, with the reason.
"""
