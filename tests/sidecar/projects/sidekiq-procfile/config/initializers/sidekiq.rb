Sidekiq.configure_server { |c| c.redis = { url: ENV["REDISCLOUD_URL"] } }
