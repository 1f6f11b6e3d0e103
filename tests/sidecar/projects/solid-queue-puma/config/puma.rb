plugin :solid_queue if ENV["SOLID_QUEUE_IN_PUMA"]
