Rails.application.configure do
  config.good_job.execution_mode = :async
end
