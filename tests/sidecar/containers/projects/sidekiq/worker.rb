require "sidekiq"

Sidekiq.configure_server { |config| config.redis = { url: ENV.fetch("REDIS_URL") } }
Sidekiq.configure_client { |config| config.redis = { url: ENV.fetch("REDIS_URL") } }

class Work
  include Sidekiq::Job

  def perform(key, seconds)
    Sidekiq.redis { |redis| redis.call("SADD", "begun", key) }
    sleep seconds
    Sidekiq.redis { |redis| redis.call("SADD", "done", key) }
  end
end
