port ENV.fetch("PORT", 3000)

unless Shop.hosted? || ENV["JOBS_IN_PUMA"] == "false"
  plugin :solid_queue
end
