AgentRunner.new.run
