use apalis::prelude::*;

fn main() {
    Monitor::new().register(WorkerBuilder::new("mail").build_fn(send));
    axum::serve();
}
