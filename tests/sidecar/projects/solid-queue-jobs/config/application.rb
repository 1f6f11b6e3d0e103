module Shop
  class Application < Rails::Application
    config.active_job.queue_adapter = :solid_queue
  end
end
