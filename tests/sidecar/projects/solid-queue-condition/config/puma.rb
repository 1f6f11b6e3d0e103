port ENV.fetch("PORT", 3000)

if ENV["JOBS_IN_PUMA"]
  plugin :solid_queue
end
