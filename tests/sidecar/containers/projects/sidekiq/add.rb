require_relative "worker"

Work.perform_async(ARGV[0], ARGV[1].to_f)
