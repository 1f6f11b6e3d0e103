# Later: :external here, and `bundle exec good_job start` as a process of its own.
config.good_job.execution_mode = ENV.fetch("JOBS_MODE", :async)
