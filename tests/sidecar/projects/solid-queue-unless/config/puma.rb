port ENV.fetch("PORT", 3000)

unless ENV["JOBS_IN_PUMA"] == "false"
  plugin :solid_queue
end
