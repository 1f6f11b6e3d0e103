pub fn run() { faktory::ConsumerBuilder::default(); }
