"""The demo around the application: pictures to upload, a worker to watch, a report to read."""
