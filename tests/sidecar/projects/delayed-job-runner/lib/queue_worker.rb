class QueueWorker
  def run
    Delayed::Worker.new.start
  end
end
