"""The worker's code, one file for each job. The application does not import it."""
