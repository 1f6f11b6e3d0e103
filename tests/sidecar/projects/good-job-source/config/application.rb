module Shop
  class Application < Rails::Application
    config.active_job.queue_adapter = :good_job
  end
end
