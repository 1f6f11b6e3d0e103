use apalis::prelude::*;

pub fn spawn() {
    tokio::spawn(Monitor::new().register(WorkerBuilder::new("mail").build_fn(send)).run());
}
