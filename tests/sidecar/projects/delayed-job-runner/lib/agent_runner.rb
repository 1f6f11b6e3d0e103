class AgentRunner
  def run
    [Schedule.new, QueueWorker.new].each { |agent| Thread.new { agent.run } }.each(&:join)
  end
end
