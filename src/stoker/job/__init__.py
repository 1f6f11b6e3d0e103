"""Plain data and policy: what a job is, how a run ends, when it runs again. No I/O in here."""
